"""The search page: the form, what was found, who found it, and what the posts have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import HTMLResponse

from config.bundle import Bundle
from config.vocabulary import HAZARDS
from desk.web import clearance
from desk.web.asking import HOLES, SORTS, Asked, read
from desk.web.evidence import Evidence, evidence
from desk.web.finding import Bar, Results, find
from desk.web.pages import Desk, drill, render
from desk.web.sketch import HIGH, WIDE, columns, sketch, zoom_of
from store import annotations as kept
from store import incidents, posts
from store.database import Database
from store.records import TAGS
from store.search.either import Answer
from store.search.request import Away

LANGUAGES = ("fr", "en")
_LINKED = {"hazard": "hazard", "filters": "filter", "source": "source"}
"""Fields whose most frequent values can be asked for, and with what."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The posts of one page as they are shown; ``gone`` counts those that were deleted since they were found."""

    items: tuple[Evidence, ...]
    gone: int


def search_page(request: Request) -> HTMLResponse:
    """The posts that are asked for. Status 400 where something is not understood, 503 where the engine that began the
    pages is away."""
    desk: Desk = request.app.state.desk
    bundle = desk.world().bundle
    asked = read(request.query_params, ZoneInfo(bundle.time_zone), cleared=clearance.cleared(bundle))
    if asked.problems:
        return _render(request, bundle, asked, status=400)
    if not asked.anything:
        return _render(request, bundle, asked)
    try:
        answer = desk.search.answer(partial(find, asked=asked, zoom=zoom_of(bundle)), only=asked.by)
    except Away as away:
        return _render(request, bundle, asked, away=str(away), status=503)
    return _render(request, bundle, asked, answer=answer)


def shown(db: Database, bundle: Bundle, results: Results) -> Shown:
    """The posts as the database has them now, in the order in which they were found: an index may be behind it."""
    hits = {hit.post_id: hit.marks for hit in results.page.found}
    with db.read() as conn:
        said, understood = posts.get(conn, hits), kept.get(conn, hits)
        of = incidents.incident_of(conn, hits)
    items = [evidence(post, understood.get(id), hits[id], of.get(id)) for id, post in said.items()]
    return Shown(clearance.allowed(bundle, items)[0], len(hits) - len(said))


def _render(
    request: Request,
    bundle: Bundle,
    asked: Asked,
    *,
    answer: Answer[Results] | None = None,
    away: str = "",
    status: int = 200,
) -> HTMLResponse:
    desk: Desk = request.app.state.desk
    zone, to = ZoneInfo(bundle.time_zone), _addresses(asked.given)
    results = answer.value if answer else None
    counts, page = results and results.counts, results and results.page
    older = page and page.after and to(after="{},{}".format(*page.after), by=page.engine)
    return render(
        request, "search.html", status=status, asked=asked, q=asked.given["q"], results=results, away=away,
        by=answer and answer.by, shown=results and shown(desk.db, bundle, results), older=older, to=to,
        again=to() if asked.after else None, local=partial(_local, zone), choices=_choices(bundle), holes=HOLES,
        cleared=clearance.cleared(bundle), narrowed=_narrowed(asked), linked=_LINKED, hazards=HAZARDS,
        wide=WIDE, high=HIGH,
        columns=columns(counts.bars) if counts and counts.bars else (), span=_span(counts.bars if counts else None),
        sketch=sketch(bundle, counts.tiles if counts else (), asked.query.area), **drill(desk, []),
    )  # fmt: skip


def _narrowed(asked: Asked) -> bool:
    """Whether a field is filled that the first line of the form does not show."""
    return any(value for name, value in asked.given.items() if name not in ("q", "sort", "after", "by"))


def _addresses(given: Mapping[str, str]) -> Callable[..., str]:
    """Addresses of this search with some fields changed; without ``after`` they lead to the first page."""

    def to(**changed: str) -> str:
        fields = {**given, "after": "", "by": "", **changed}
        return "/search?" + urlencode({name: value for name, value in fields.items() if value})

    return to


def _local(zone: ZoneInfo, at: datetime | None) -> str:
    """A time as the form takes it."""
    return f"{at.astimezone(zone):%Y-%m-%dT%H:%M}" if at else ""


def _span(bars: Sequence[Bar] | None) -> timedelta | None:
    return bars[0].until - bars[0].since if bars else None


def _choices(bundle: Bundle) -> Mapping[str, Sequence[str]]:
    """What can be chosen in the form; more can be typed where the list is not closed."""
    tags = [tag for tag in TAGS if tag != clearance.THREAT or clearance.cleared(bundle)]
    return {
        "sort": SORTS,
        "tag": tags,
        "hazard": tuple(HAZARDS),
        "source": sorted({one.id for one in bundle.sources} | {"hand"}),
        "filter": sorted(one.id for one in bundle.filters),
        "language": LANGUAGES,
    }
