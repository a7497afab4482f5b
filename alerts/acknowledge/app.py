"""The acknowledgement app: GET shows and changes nothing, POST acknowledges. It can be exposed without the desk.

Mail scanners and link previews that follow links only GET, so that they never acknowledge.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qs

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from alerts import directory, entries
from alerts.acknowledge import token, view
from alerts.acknowledge.limits import BAD_LINK, Limits
from alerts.errors import BadLink, ExpiredLink
from alerts.messages.quotes import clean
from config.world import World
from store import ledger, outbox
from store.database import Database
from store.records import Acknowledgement

log = logging.getLogger(__name__)
LARGEST = 4096
LONGEST_NAME = 80
REFUSALS = {403: "bad", 404: "missing", 405: "missing", 410: "expired", 413: "large", 429: "busy"}


@dataclass(frozen=True)
class Counter:
    """What the app stands on; ``world`` gives the configuration in force, ``clock`` the time (UTC)."""

    db: Database
    key: bytes
    clock: Callable[[], datetime]
    world: Callable[[], World]
    limits: Limits


def app(db: Database, *, key: bytes, clock: Callable[[], datetime], world: Callable[[], World]) -> Starlette:
    """The app, an ASGI application. ``key`` is the one that links are signed with."""
    routes = [Route("/a/{token}", show, methods=["GET"]), Route("/a/{token}", take, methods=["POST"])]
    made = Starlette(routes=routes, exception_handlers={HTTPException: _refuse, SQLAlchemyError: _not_now})
    made.state.counter = Counter(db, key, clock, world, Limits(clock))
    return made


def show(request: Request) -> Response:
    """The incident, who was told and a button. Raises HTTPException 403, 404, 410 or 429."""
    counter: Counter = request.app.state.counter
    shown = _open(request)
    world = counter.world()
    words = view.wording(shown, world, request.query_params.get("lang"))
    return _html(view.page(shown, world, words, counter.clock()))


async def take(request: Request) -> Response:
    """Take the incident on for the agency of the link. Raises HTTPException as :func:`show`, and 413."""
    form = await _form(request)
    return await run_in_threadpool(_take, request, form.get("name", ""))


def _take(request: Request, name: str) -> Response:
    counter: Counter = request.app.state.counter
    shown, now, world = _open(request), counter.clock(), counter.world()
    one, by = shown.delivery, clean(name, LONGEST_NAME)
    contact = directory.contact(world.bundle, one.agency, one.contact)
    by = by or (contact.name if contact else one.contact)
    answer = Acknowledgement(one.incident_id, one.agency, by, now, "link", one.id)
    with counter.db.write(durable=True) as conn:
        first = outbox.acknowledge(conn, answer)
        if first:
            more = {"via": "link", "contact": one.contact, "delivery": one.id}
            ledger.append(conn, [entries.about_agency("acknowledged", one.incident_id, one.agency, now, **more)])
    with counter.db.read() as conn:
        shown = view.load(conn, one.id) or replace(shown, answers={one.agency: answer})
    words = view.wording(shown, world, request.query_params.get("lang"))
    return _html(view.page(shown, world, words, now, already=not first))


def _open(request: Request) -> view.Shown:
    """What the link opens, after the rate was counted."""
    counter: Counter = request.app.state.counter
    address = request.client.host if request.client else ""
    if not counter.limits.spend(address):
        raise HTTPException(429)
    try:
        delivery = token.read(counter.key, request.path_params["token"], counter.clock())
    except BadLink as error:
        counter.limits.spend(address, BAD_LINK)
        raise HTTPException(403) from error
    except ExpiredLink as error:
        raise HTTPException(410) from error
    with counter.db.read() as conn:
        shown = view.load(conn, delivery)
    if shown is None:
        raise HTTPException(404)
    return shown


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a small urlencoded form. Raises HTTPException 413 once it is larger than 4 KiB."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise HTTPException(413)
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


async def _refuse(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    kind = REFUSALS.get(status, "missing")
    more = {"Retry-After": "60"} if status == 429 else {}
    return _html(view.refusal(kind, request.query_params.get("lang")), status, more)


async def _not_now(request: Request, error: Exception) -> Response:
    """The database takes nothing now: say that nothing was kept, and let the person try again."""
    log.error("an acknowledgement link could not be served: %s", getattr(error, "orig", None) or error)
    body = view.refusal("storage", request.query_params.get("lang"), again=request.method == "POST")
    return _html(body, 503, {"Retry-After": "10"})


def _html(body: str, status: int = 200, more: Mapping[str, str] | None = None) -> HTMLResponse:
    policy = f"default-src 'none'; style-src '{view.style_hash()}'; form-action 'self'; base-uri 'none'"
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": f"{policy}; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    return HTMLResponse(body, status, headers | dict(more or {}))
