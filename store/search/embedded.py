"""The engine in the database itself: SQLite's full-text index, and the traits beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    column,
    func,
    select,
    table,
    text,
    type_coerce,
)

from store.codec import loads
from store.database import Database
from store.search import tiles
from store.search.conditions import among_words, conditions, only_words
from store.search.fts import expression, marks
from store.search.request import STEPS, TILES, After, Count, Field, Found, Page, Query, Sort, Step, Tile, check
from store.search.words import Term, terms
from store.tables import posts, traits
from store.times import from_micros, to_iso

NAME = "sqlite"
SETTLED_AT_ONCE = 64
"""Pages of the index that one transaction merges."""
FREQUENT = 20_000
"""From so many posts on, one in a few that the order brings up is among them."""
MICROS: Mapping[Step, int] = {"minute": 60 * 10**6, "hour": 3600 * 10**6, "day": 86400 * 10**6}
_LISTS = ("labels", "filters")
_T = traits.c
_at = type_coerce(_T.created_at, BigInteger)
_INDEX = table("posts_fts", column("rowid"), column("rank"))


class Embedded:
    """Answers from the database. What was committed is found at once; it is never away."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def name(self) -> str:
        """``sqlite``."""
        return NAME

    def search(self, query: Query, *, sort: Sort = "newest", limit: int = 50, after: After | None = None) -> Page:
        """One page; by relevance, what holds the words best comes first, and the newest of equals.

        Raises ValueError for an ``after`` that no page ended with.
        """
        wanted = terms(query.words)
        order: Sort = sort if sort != "relevance" or wanted else "newest"
        check(sort=order, limit=limit, after=after)
        with self._db.read() as conn:
            total = _total(conn, query, wanted)
            holds = conditions(query, wanted, frequent=total > FREQUENT)
            one_page = _ordered(order, wanted, after).where(*holds).limit(limit + 1)
            rows = list(conn.execute(one_page)) if total else []
            found = _found(conn, rows[:limit], wanted)
            end = _end(conn, order, after, rows[:limit]) if len(rows) > limit else None
        return Page(found, total, end, NAME)

    def histogram(self, query: Query, step: Step) -> list[Count]:
        """Posts by ``created_at``; the steps are those of UTC. Raises ValueError where there are more than 10,000."""
        check(step=step)
        each = MICROS[step]
        slot = _at - _at % each
        counted = select(slot.label("slot"), func.count().label("n")).where(*conditions(query, terms(query.words)))
        with self._db.read() as conn:
            found: dict[int, int] = {row.slot: row.n for row in conn.execute(counted.group_by("slot"))}
        if not found:
            return []
        slots = range(min(found), max(found) + 1, each)
        if len(slots) > STEPS:
            raise ValueError(f"{len(slots)} steps of a {step} are more than {STEPS}: take a longer one")
        return [Count(to_iso(from_micros(at)), found.get(at, 0)) for at in slots]

    def top(self, query: Query, field: Field, limit: int = 10) -> list[Count]:
        """The values that most posts have, equals by value; a post with several counts for each."""
        check(field=field, limit=limit)
        value = type_coerce(_T[field], _T.source.type)
        counted = select(value.label("value"), func.count().label("n")).where(*conditions(query, terms(query.words)))
        with self._db.read() as conn:
            rows = conn.execute(counted.where(value.is_not(None)).group_by(value)).all()
        posts_of: Counter[str] = Counter()
        for row in rows:
            for one in set(loads(row.value)) if field in _LISTS else (row.value,):
                posts_of[one] += row.n
        return [Count(key, n) for key, n in sorted(posts_of.items(), key=lambda one: (-one[1], one[0]))[:limit]]

    def tiles(self, query: Query, zoom: int) -> list[Tile]:
        """The tiles that hold posts, those with most first. Raises ValueError for a ``zoom`` that is not 0 to 29."""
        check(zoom=zoom)
        placed = select(_T.lat, _T.lon).where(text("traits.lat IS NOT NULL"), _T.lon.is_not(None))
        with self._db.read() as conn:
            rows = conn.execute(placed.where(*conditions(query, terms(query.words)))).all()
        return tiles.tiles([tuple(row) for row in rows], zoom)[:TILES]


def settle(db: Database) -> None:
    """Merge the index into one, in short transactions: what was deleted leaves the file, word by word."""
    pages = -SETTLED_AT_ONCE
    while True:
        with db.write() as conn:
            before = _written(conn)
            conn.exec_driver_sql("INSERT INTO posts_fts (posts_fts, rank) VALUES ('merge', ?)", (pages,))
            if _written(conn) - before < 2:
                return
        pages = SETTLED_AT_ONCE


def _written(conn: Connection) -> int:
    """How many rows this connection has changed, the index's own too: below two a merge has nothing left to do."""
    changed: int = conn.connection.driver_connection.total_changes  # type: ignore[union-attr]
    return changed


def _total(conn: Connection, query: Query, wanted: tuple[Term, ...]) -> int:
    """How many posts there are: of words alone the index of words tells it."""
    counted = select(func.count())
    if wanted and only_words(query):
        return conn.execute(counted.select_from(_INDEX).where(*among_words(query, wanted))).scalar_one()
    return conn.execute(counted.select_from(traits).where(*conditions(query, wanted))).scalar_one()


def _ordered(sort: Sort, wanted: Sequence[Term], after: After | None) -> Select[Any]:
    """Numbers and times of posts, and the score where it orders them, from where the page before ended."""
    if sort == "relevance":
        return _by_relevance(wanted, after)
    one_page = select(_T.seq, _at.label("at"))
    by = (_at, _T.seq) if sort == "oldest" else (_at.desc(), _T.seq.desc())
    return one_page.order_by(*by) if after is None else one_page.where(_past(sort, *after)).order_by(*by)


def _past(sort: Sort, at: int, seq: int) -> ColumnElement[bool]:
    """Beyond that time and number, in that order: the first part is for the index."""
    if sort == "oldest":
        return (_at >= at) & ((_at > at) | (_T.seq > seq))
    return (_at <= at) & ((_at < at) | (_T.seq < seq))


def _by_relevance(wanted: Sequence[Term], after: After | None) -> Select[Any]:
    """Scores change with every post that comes, so a page begins at a place and holds no post that came later."""
    skipped, last = after or (0, None)
    scored = text("posts_fts MATCH :scored").bindparams(scored=expression(wanted))
    ranked = select(_INDEX.c.rowid, _INDEX.c.rank).where(scored).subquery("ranked")
    one_page = select(_T.seq, _at.label("at"), ranked.c.rank).join(ranked, ranked.c.rowid == _T.seq)
    one_page = one_page.order_by(ranked.c.rank, _at.desc(), _T.seq.desc()).offset(skipped)
    return one_page if last is None else one_page.where(_T.seq <= last)


def _end(conn: Connection, sort: Sort, after: After | None, rows: Sequence[Row[Any]]) -> After:
    if sort != "relevance":
        return rows[-1].at, rows[-1].seq
    if after is not None:
        return after[0] + len(rows), after[1]
    return len(rows), conn.execute(select(func.max(_T.seq))).scalar_one()


def _found(conn: Connection, rows: Sequence[Row[Any]], wanted: Sequence[Term]) -> tuple[Found, ...]:
    said = select(posts.c.seq, posts.c.id, posts.c.text).where(posts.c.seq.in_([row.seq for row in rows]))
    texts = {seq: (id, text) for seq, id, text in conn.execute(said)}
    found = []
    for row in rows:
        id, its = texts[row.seq]
        found.append(Found(id, marks(its, wanted), -row.rank if hasattr(row, "rank") else None))
    return tuple(found)
