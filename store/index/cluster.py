"""The cluster: where it is, and how to talk to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

PREFIX = "vigie"


@dataclass(frozen=True, slots=True)
class Cluster:
    """An Elasticsearch cluster. ``hosts`` are ``https://`` (or ``http://``) addresses with a port; ``api_key`` is what
    Elasticsearch calls *encoded*. ``ca`` is the file of the authority that signed the certificates; without it the
    machine's own authorities are asked. Certificates are always checked. Every index begins with ``prefix``."""

    hosts: tuple[str, ...]
    prefix: str = PREFIX
    ca: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    timeout_s: float = 10.0


def connect(cluster: Cluster, *, timeout_s: float | None = None) -> Elasticsearch:
    """A client for every host of the cluster. Opens no connection yet; safe between threads; close it.

    It neither retries nor gives up on a node by itself: who asks knows how long to wait. Nor does it write a line of
    log for each request: who asks says what went wrong, once.
    """
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    from elastic_transport.client_utils import DEFAULT
    from elasticsearch import Elasticsearch  # takes a third of a second, and most commands never ask

    return Elasticsearch(
        list(cluster.hosts),
        api_key=cluster.api_key,
        ca_certs=str(cluster.ca) if cluster.ca else DEFAULT,
        request_timeout=timeout_s or cluster.timeout_s,
        retry_on_timeout=False,
        max_retries=len(cluster.hosts) - 1,
    )
