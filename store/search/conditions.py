"""A request as conditions in SQL on the table of traits, whose rows are narrow, and the index of words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import ColumnElement, TextClause, false, literal_column, select, text

from store.annotations import APART
from store.codec import dumps
from store.search.fts import expression
from store.search.request import Area, Query, Ring
from store.search.words import Term
from store.tables import posts, public_order, traits

Condition = ColumnElement[bool] | TextClause
_T = traits.c


def conditions(query: Query, wanted: tuple[Term, ...], *, frequent: bool = False) -> list[Condition]:
    """What must hold of a row of traits. ``wanted`` are the terms of the words; ``frequent`` says that so many posts
    hold them that looking for them in the order asked for is quicker than ordering all of them."""
    given = [*_of_tag(query), *_of_traits(query), *_of_time(query), *_of_area(query.area)]
    return [*_of_words(query, wanted, frequent), *given]


def only_words(query: Query) -> bool:
    """Whether nothing is asked for but words."""
    return replace(query, words="", cleared=True) == Query()


def among_words(query: Query, wanted: tuple[Term, ...]) -> list[Condition]:
    """What must hold of a row of the index of words, where nothing is asked for but words."""
    holds: list[Condition] = [text("posts_fts MATCH :words").bindparams(words=expression(wanted))]
    apart = _apart(public_order.c.labelled)
    return holds if query.cleared else [*holds, literal_column("posts_fts.rowid").not_in(apart)]


def _of_words(query: Query, wanted: tuple[Term, ...], frequent: bool) -> Iterator[Condition]:
    if wanted:
        # the plus keeps SQLite from going through the posts in the order of the index of words
        seq = "+traits.seq" if frequent else "traits.seq"
        holds = f"{seq} IN (SELECT rowid FROM posts_fts WHERE posts_fts MATCH :words)"
        yield text(holds).bindparams(words=expression(wanted))
    elif query.words.strip():
        yield false()


def _of_tag(query: Query) -> Iterator[Condition]:
    tag, least = query.tag, query.least
    if not query.cleared:
        yield _T.seq.not_in(_apart(public_order.c.labelled))
    if tag == APART:
        yield _T.seq.in_(_apart(public_order.c.labelled if least is None else public_order.c.score >= least))
    elif tag is not None and least is not None:
        yield _T[tag] >= least
    elif tag is not None:
        yield text("labels <> '[]' AND labels LIKE :label").bindparams(label=f'%"{tag}"%')


def _apart(which: ColumnElement[bool]) -> ColumnElement[int]:
    """The numbers of the posts about which that was found, in the table that is kept apart."""
    found: ColumnElement[int] = (
        select(posts.c.seq).join(public_order, public_order.c.post_id == posts.c.id).where(which).scalar_subquery()
    )
    return found


def _of_traits(query: Query) -> Iterator[Condition]:
    for column, value in (
        (_T.hazard, query.hazard),
        (_T.incident, query.incident),
        (_T.source, query.source),
        (_T.lang, query.lang),
    ):
        if value is not None:
            yield column == value
    if query.filter is not None:
        yield text("instr(traits.filters, :filter) > 0").bindparams(filter=dumps(query.filter).decode())
    for column, least in ((_T.about, query.about), (_T.relevance, query.relevance)):
        if least is not None:
            yield column >= least


def _of_time(query: Query) -> Iterator[Condition]:
    if query.since is not None:
        yield _T.created_at >= query.since
    if query.until is not None:
        yield _T.created_at < query.until


def _of_area(area: Area | None) -> Iterator[Condition]:
    """The box around the area, which has an index, and how often a line to the east crosses its border: an odd number
    inside. W. R. Franklin, PNPOLY."""
    if area is None:
        return
    lats, lons = zip(*area.ring, strict=True)
    yield text("traits.lat IS NOT NULL")
    yield _T.lat.between(min(lats), max(lats)) & _T.lon.between(min(lons), max(lons))
    yield text(f"({' + '.join(_crossings(area.ring)) or '0'}) % 2 = 1")


def _crossings(ring: Ring) -> Iterator[str]:
    for (lat, lon), (to_lat, to_lon) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if lat != to_lat:
            slope = (to_lon - lon) / (to_lat - lat)
            crosses = f"({lat!r} > lat) <> ({to_lat!r} > lat) AND lon < {lon!r} + (lat - {lat!r}) * {slope!r}"
            yield f"({crosses})"
