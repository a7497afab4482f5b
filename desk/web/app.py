"""The desk as a Starlette application: one page, live, on this machine only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from config.secrets import installation_key
from config.settings import Settings
from config.world import World
from desk.pulse.ear import Ear
from desk.pulse.hearing import Rates
from desk.pulse.storage import Watch
from desk.web import actions, errors, health, pages, search
from desk.web.events import Watcher
from desk.web.guard import Guard, hosts
from desk.web.pages import Desk
from store.database import Database
from store.search.either import Either

HERE = Path(__file__).parent
MOST_STREAMS = 64


def create_app(
    db: Database,
    settings: Settings,
    clock: Callable[[], datetime],
    *,
    world: Callable[[], World],
    names: Collection[str] = (),
    interval: float = 0.25,
    beat: float = 10.0,
) -> Starlette:
    """The application. ``clock`` gives UTC; ``world`` the configuration in force at each call.

    ``names`` are Host headers to answer besides the loopback ones; ``interval`` and ``beat`` are the seconds between
    two looks at the change log and between two signs of life.
    """
    desk = Desk(
        db,
        settings,
        clock,
        world,
        installation_key(settings.home, "desk-form"),
        Rates(),
        Ear(settings.status),
        Watch(db),
        Either(db, settings.cluster),
    )
    watcher = Watcher(db, interval=interval, beat=beat)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        polling = asyncio.create_task(watcher.run())
        yield
        polling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await polling
        desk.search.close()

    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(Guard, hosts=hosts(settings.desk_port, names))],
        exception_handlers=errors.HANDLERS,
        lifespan=lifespan,
    )
    app.state.desk, app.state.watcher = desk, watcher
    return app


def _routes() -> list[Route | Mount]:
    return [
        Route("/", pages.board_page),
        Route("/incidents/{incident:path}/acknowledge", actions.acknowledge, methods=["POST"]),
        Route("/incidents/{incident:path}", pages.board_page),
        Route("/search", search.search_page),
        Route("/report", actions.report_page, methods=["GET"]),
        Route("/report", actions.report, methods=["POST"]),
        Route("/events", events),
        Route("/healthz", health.healthz),
        Route("/metrics", health.metrics),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]


async def events(request: Request) -> Response:
    """``/events``: changes as server-sent events, from ``Last-Event-ID`` or ``?after=`` on."""
    watcher: Watcher = request.app.state.watcher
    if watcher.followers >= MOST_STREAMS:
        return JSONResponse({"error": "too many open pages"}, 503)
    given = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
    return StreamingResponse(watcher.follow(after), media_type="text/event-stream")
