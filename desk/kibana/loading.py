"""Bring saved objects into a running Kibana, through its own import.

| error | when |
|---|---|
| ``Unreachable`` | nothing answers there, its certificate is not trusted, or it is still starting (503) |
| ``Refused`` | the API key is missing or wrong (401), or may not do this (403) |
| ``Rejected`` | Kibana does not take the file as a whole (400, 409, 413, 422), or it is no Kibana that answers |

What it takes for some objects and not for others is no error but an :class:`Outcome`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import requests

TIMEOUT_S = 60.0


class KibanaError(RuntimeError):
    """Nothing was imported; the message says why and what to do. It never holds the key."""


class Unreachable(KibanaError):
    """Nothing answers as a Kibana does; may pass."""


class Refused(KibanaError):
    """The key is missing, wrong, or may not do this."""


class Rejected(KibanaError):
    """Kibana does not take the file."""


@dataclass(frozen=True, slots=True)
class Kibana:
    """A Kibana: its address (with its base path where it has one), the space to fill (None: the default one), the API
    key (what Kibana calls *encoded*), and the file of the authority that signed its certificate (None: the machine's
    own authorities)."""

    url: str
    space: str | None = None
    api_key: str | None = field(default=None, repr=False)
    ca: Path | None = None

    @property
    def place(self) -> str:
        """How messages name it: without what an address may hold of a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@dataclass(frozen=True, slots=True)
class Failure:
    """An object that Kibana did not take, and why."""

    type: str
    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many objects Kibana took, and those that it did not."""

    imported: int
    failed: tuple[Failure, ...]


def load(kibana: Kibana, lines: bytes) -> Outcome:
    """Import NDJSON, in place of objects that have the same type and id. Raises KibanaError."""
    space = f"/s/{quote(kibana.space, safe='')}" if kibana.space else ""
    answer = _post(kibana, f"{kibana.url}{space}/api/saved_objects/_import?overwrite=true", lines)
    _raise_for(kibana, answer)
    told = _json(answer)
    if not isinstance(told.get("successCount"), int):
        raise Rejected(f"{kibana.place} answers, but not as Kibana does: look at VIGIE_KIBANA_URL")
    return Outcome(told["successCount"], tuple(_failure(one) for one in told.get("errors", ())))


def _post(kibana: Kibana, url: str, lines: bytes) -> requests.Response:
    headers = {"kbn-xsrf": "vigie"} | ({"Authorization": f"ApiKey {kibana.api_key}"} if kibana.api_key else {})
    try:
        return requests.post(
            url,
            headers=headers,
            files={"file": ("vigie.ndjson", lines, "application/ndjson")},
            auth=_as_it_is if kibana.api_key else None,
            verify=str(kibana.ca) if kibana.ca else True,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.exceptions.SSLError as error:
        told = f"the certificate of {kibana.place} is not trusted: give its authority's file in VIGIE_ELASTICSEARCH_CA"
        raise Unreachable(told) from error
    except requests.exceptions.RequestException as error:
        told = (
            f"{kibana.place} does not answer ({type(error).__name__}): is Kibana started, and VIGIE_KIBANA_URL right?"
        )
        raise Unreachable(told) from error


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps a login of the address or of .netrc from taking the place of the key."""
    return request


def _raise_for(kibana: Kibana, answer: requests.Response) -> None:
    said = str(_json(answer).get("message", "")) or answer.reason
    match answer.status_code:
        case 200:
            return
        case 401 if kibana.api_key:
            raise Refused(f"{kibana.place} does not know this API key: make a new one, VIGIE_KIBANA_API_KEY[_FILE]")
        case 401:
            raise Refused(f"{kibana.place} asks who you are: give an API key in VIGIE_KIBANA_API_KEY[_FILE]")
        case 403:
            where = f"the space {kibana.space}" if kibana.space else "the default space"
            raise Refused(f"this API key may not import saved objects into {where}: {said}")
        case 404:
            raise Rejected(f"{kibana.place} has no import at that address: look at VIGIE_KIBANA_URL and the base path")
        case 409:
            raise Rejected(f"somebody else is changing these objects in {kibana.place}: try again ({said})")
        case 413:
            raise Rejected(f"{kibana.place} takes no file of this size: raise savedObjects.maxImportPayloadBytes")
        case 502 | 503 | 504:
            raise Unreachable(f"{kibana.place} is not ready yet ({answer.status_code}): try again in a minute")
        case status if 300 <= status < 400:
            raise Rejected(f"{kibana.place} sends elsewhere ({status}): give the address that it sends to")
        case status:
            raise Rejected(f"{kibana.place} does not take the file ({status}): {said}")


def _json(answer: requests.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except requests.exceptions.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _failure(one: Mapping[str, Any]) -> Failure:
    error = one.get("error", {})
    match error.get("type"):
        case "missing_references":
            lacks = ", ".join(f"{each['type']} {each['id']}" for each in error.get("references", ()))
            reason = f"it needs what is not there: {lacks}"
        case "unsupported_type":
            reason = "this Kibana does not know the type"
        case "conflict" | "ambiguous_conflict":
            reason = "another object has its id, perhaps in another space"
        case _:
            reason = str(error.get("message") or error.get("type") or "no reason was given")
    return Failure(str(one.get("type")), str(one.get("id")), reason)
