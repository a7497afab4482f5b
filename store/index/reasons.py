"""Why the cluster does not do what it is asked, in a sentence that says what a person does about it."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from typing import Any

from elastic_transport import ConnectionTimeout, SerializationError, TlsError, TransportError
from elasticsearch import ApiError, UnsupportedProductError
from urllib3.exceptions import NameResolutionError

FAULTS = (TransportError, ApiError, UnsupportedProductError)
"""The classes that a fault of the cluster, or of the way there, comes as."""

_OLD = "this Elasticsearch is of an earlier version than Vigie speaks: it takes 9.0 or later"
_CERTIFICATES = {
    "expired": "its certificate has expired: renew it there",
    "doesn't match": "its certificate is for another name: put the name that it bears into VIGIE_ELASTICSEARCH",
    "not valid for": "its certificate is for another name: put the name that it bears into VIGIE_ELASTICSEARCH",
    "VERIFY_FAILED": "its certificate is not signed by an authority known here: name the authority's PEM file in "
    "VIGIE_ELASTICSEARCH_CA",
    "WRONG_VERSION_NUMBER": "it does not speak TLS: write http:// in VIGIE_ELASTICSEARCH, or turn TLS on there",
}
_BLOCKS = {
    "flood-stage": "its disk is nearly full, so it takes nothing: free some space there, and it opens by itself",
    "read-only": "its indices are read-only: take the block `index.blocks.write` or `cluster.blocks.read_only` off",
}


def reason(error: BaseException) -> str:
    """A sentence for people on one of :data:`FAULTS`: what is wrong, and what to do. It never holds a key, nor what
    was sent."""
    if isinstance(error, UnsupportedProductError):
        return f"what answers is no Elasticsearch that Vigie speaks: look at VIGIE_ELASTICSEARCH ({error})"
    if isinstance(error, ApiError):
        return _answered(error)
    if isinstance(error, SerializationError):
        return "what it answers is not JSON: something else answers at that address, look at VIGIE_ELASTICSEARCH"
    return _unreached(error)


def of_item(status: int, error: Mapping[str, Any]) -> str:
    """The same of an item that cannot be taken now, though the request could."""
    return _refused(status, str(error.get("type", "")), _brief(str(error.get("reason", ""))))


def _answered(error: ApiError) -> str:
    return _refused(error.meta.status, _kind(error.body), _said(error.body))


def _refused(status: int, kind: str, said: str) -> str:
    if status == 401:
        return "it does not know the API key: put a valid one into VIGIE_ELASTICSEARCH_API_KEY or …_API_KEY_FILE"
    if kind == "cluster_block_exception":
        return next((text for mark, text in _BLOCKS.items() if mark in said), f"it is blocked: {said}")
    if status == 403:
        return f"the API key may not do this: give its role the rights that docs/settings.md names ({said})"
    if kind in ("media_type_header_exception", "content_type_header_exception") or status == 406:
        return _OLD
    if status == 429:
        return "it has too much to do (429), and is asked again later"
    if status in (502, 503, 504):
        return f"it is not ready ({status}): some of its nodes or shards are away; it is asked again"
    return f"it refused ({status} {kind}): {said}".rstrip(": ")


def _unreached(error: BaseException) -> str:
    causes = list(_causes(error))
    said = "; ".join(str(cause) for cause in causes)
    if isinstance(error, TlsError):
        return next((text for mark, text in _CERTIFICATES.items() if mark in said), f"TLS failed: {said}")
    if any(isinstance(cause, NameResolutionError | socket.gaierror) for cause in causes):
        return "its name is not known here: look at VIGIE_ELASTICSEARCH, and at this machine's DNS"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "nothing answers at that address: start Elasticsearch there, or look at VIGIE_ELASTICSEARCH"
    if isinstance(error, ConnectionTimeout):
        return "it did not answer in time: look at its load, and at the network"
    return f"the connection failed: {_brief(said)}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, those it names, and what they came from."""
    yield error
    following = [*getattr(error, "errors", ()), *([error.__cause__] if error.__cause__ else [])]
    for one in following:
        yield from _causes(one)


def _kind(body: Any) -> str:
    told = body.get("error") if isinstance(body, dict) else None
    return str(told.get("type", "")) if isinstance(told, dict) else ""


def _said(body: Any) -> str:
    told = body.get("error") if isinstance(body, dict) else None
    return _brief(str(told.get("reason", ""))) if isinstance(told, dict) else ""


def _brief(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"
