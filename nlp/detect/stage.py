"""The stage: annotations in, incidents and their events out, in one durable transaction a batch."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config.world import World
from nlp.detect.afterwards import corrected
from nlp.detect.life import Detector
from nlp.detect.member import Member, member
from nlp.detect.memory import STAGE, Memory
from store import changes, incidents, posts, state, withdrawals
from store.annotations import APART
from store.annotations import get as read_annotations
from store.database import Database
from store.records import TAGS, Change, Incident, Lease

ABOUT = 0.5
WATERMARK = timedelta(minutes=2)
READ_BY = "annotate"
"""The stage whose cursor says which posts are annotated."""
FIRST = 20
TABLES = ("annotations", "withdrawals")


class Overtaken(RuntimeError):
    """Somebody else moved the cursor of detection meanwhile; the next call starts from what they left."""


def detect_stage(
    db: Database,
    world: World,
    *,
    memory: Memory,
    clock: Callable[[], datetime],
    lease: Lease | None = None,
    limit: int = 512,
) -> int:
    """Read at most ``limit`` changes of annotations and of what sources took back, and decide; gives how many changes
    and timers were dealt with.

    Decisions are on event time (``received_at`` of the posts); the clock only says what is late, and lets timers of
    quiet incidents run, up to the first post that is not annotated yet, on which no incident closes unread. Raises
    LeaseLost, and Overtaken; nothing is written then.
    """
    with db.read() as conn:
        if memory.cursor is None or memory.cursor != changes.cursor(conn, STAGE):
            memory.reload(conn)
        assert memory.cursor is not None
        news = changes.after(conn, memory.cursor, TABLES, limit)
        told = _told(conn, [change for change in news if change.table == "annotations"], world)
        past = _past(conn, news, memory, world)
        unread = _unread(conn)
    before, memory.cursor = memory.cursor, None
    now = clock()
    detector = Detector(memory, world, now)
    for change in news:
        if change.table == "annotations":
            detector.take(change, told.get(change.key))
    if len(news) < limit:
        detector.advance(min([now - WATERMARK, *unread]).timestamp())
    after = news[-1].seq if news else before
    if after == before and not memory.touched and not memory.unsaved:
        memory.cursor = before
        return 0
    _write(db, memory, detector, (before, after), lease, past)
    return len(news) + len(detector.events)


def _told(conn: Connection, news: list[Change], world: World) -> dict[str, Member]:
    """The votes of the posts that speak of a harmful situation, by post id."""
    keys = dict.fromkeys(change.key for change in news if change.op != "delete")
    read = read_annotations(conn, list(keys), least=ABOUT)
    found = posts.get(conn, list(read))
    return {id: member(post, read[id], world.bundle.gate, tags_of(world)) for id, post in found.items()}


def _unread(conn: Connection) -> list[datetime]:
    """When the posts came that wait for their annotation, the first ones at least."""
    waiting = changes.after(conn, changes.cursor(conn, READ_BY), ("posts",), FIRST)
    found = posts.get(conn, [change.key for change in waiting if change.op == "insert"])
    read = read_annotations(conn, list(found))
    return [post.received_at for post in found.values() if post.id not in read]


def tags_of(world: World) -> list[str]:
    """The tags that the bundle allows to be used: public order needs a legal basis."""
    return [tag for tag in TAGS if tag != APART or world.bundle.public_order]


def _past(conn: Connection, news: list[Change], memory: Memory, world: World) -> list[Incident]:
    """The incidents that are remembered no more, without the posts that their source took back."""
    new = [change.key for change in news if change.table == "withdrawals" and change.op == "insert"]
    withdrawn = withdrawals.get(conn, new).values() if new else ()
    past = [one for one in withdrawn if one.incident_id not in memory.cases]
    return corrected(conn, past, world.bundle.gate, tags_of(world))


def _write(
    db: Database,
    memory: Memory,
    detector: Detector,
    span: tuple[int, int],
    lease: Lease | None,
    past: list[Incident],
) -> None:
    before, after = span
    changed = [*past, *detector.incidents()]
    rows = memory.save()
    with db.write(durable=bool(detector.events), lease=lease) as conn:
        if changes.cursor(conn, STAGE) != before:
            raise Overtaken(f"the cursor of detection is not at {before} any more")
        incidents.put(conn, changed)
        incidents.unlink(conn, detector.unlinked)
        for incident, linked in detector.links.items():
            incidents.link(conn, incident, linked)
        incidents.add_events(conn, detector.events)
        state.put(conn, STAGE, rows)
        changes.set_cursor(conn, STAGE, after)
    memory.saved(after)
