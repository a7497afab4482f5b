"""What other machines ask the desk: ``/healthz`` as JSON, ``/metrics`` as Prometheus reads it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import DatabaseError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from desk.pulse import metrics as figures
from desk.pulse import vitals
from desk.pulse.vitals import IndexLife, StageLife, Vitals
from desk.web.pages import Desk
from store import times


def healthz(request: Request) -> JSONResponse:
    """200 while the desk can read the store, 503 when it cannot. ``ok`` says whether Vigie itself is well."""
    try:
        found = _read(request)
    except DatabaseError as error:
        return JSONResponse({"ok": False, "error": str(error.orig)}, 503)
    storage = request.app.state.desk.disk.storage()
    ill = {"ok": False} if storage.ailment else {}
    return JSONResponse(body(found) | ill | {"database": storage.ailment or "well", "free_bytes": storage.free})


def metrics(request: Request) -> Response:
    """The same for Prometheus, with counters."""
    try:
        found = _read(request)
    except DatabaseError as error:
        return Response(f"# the database cannot be read: {error.orig}\n", 503, media_type="text/plain")
    return Response(figures.text(found), headers={"Content-Type": CONTENT_TYPE_LATEST})


def body(found: Vitals) -> dict[str, Any]:
    """The answer of ``/healthz``; times are ISO 8601 in UTC, ages and rates in seconds."""
    hearing, now = found.hearing, found.at
    deaf = [{"kind": one.kind, "id": one.id, "since": times.to_iso(one.since)} for one in hearing.deaf]
    dog = found.watchdog
    return {
        "ok": found.ok,
        "changes": found.seq,
        "hearing": hearing.state,
        "last_post_at": hearing.last and times.to_iso(hearing.last),
        "stopped": hearing.stopped,
        "deaf": deaf,
        "no_baseline": hearing.unknown,
        "stages": {stage.name: _stage(stage, now) for stage in found.stages},
        "sources": {one.source: {"state": one.state, "reason": one.reason} for one in found.sources},
        "gaps": len(found.gaps),
        "deliveries": found.deliveries,
        "oldest_unsent_s": _age(found.unsent_since, now),
        "watchdog": dog and {"lives": dog.lives(now), "at": times.to_iso(dog.at), "troubles": dog.troubles},
        "index": found.index and _index(found.index, now),
    }


def _index(index: IndexLife, now: datetime) -> dict[str, Any]:
    away = index.lag.away
    return _stage(index.stage, now) | {
        "state": index.state(now),
        "away": away and {"reason": away.reason, "since": times.to_iso(away.since)},
        "building": [asdict(one) for one in index.lag.building],
        "set_aside": index.lag.aside,
    }


def _stage(stage: StageLife, now: datetime) -> dict[str, Any]:
    return {
        "holder": stage.lease.owner if stage.lease and stage.held(now) else None,
        "moved_at": times.to_iso(stage.reading.moved_at) if stage.reading and stage.reading.moved_at else None,
        "rate": stage.rate(now),
        "lag": stage.lag,
        "lag_s": _age(stage.behind_since, now),
    }


def _age(since: datetime | None, now: datetime) -> float | None:
    return None if since is None else round(max(0.0, (now - since).total_seconds()), 3)


def _read(request: Request) -> Vitals:
    desk: Desk = request.app.state.desk
    with desk.db.read() as conn:
        return vitals.read(conn, desk.clock(), desk.world().bundle, desk.ear, indexed=bool(desk.settings.cluster))
