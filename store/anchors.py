"""Anchors: the ledger's head as somebody outside was told it, and what the ledger proves by them.

Who can write the database can rewrite the whole ledger, each line sealed anew. An anchor says which digest a line had;
its receipt is an HMAC under a key that is not in the database, so that nobody makes up an anchor there. Against whoever
has the key as well, only the copies outside (a file on another disk, a mail in somebody's box) prove anything.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from store import ledger, times
from store.records import Anchor
from store.tables import anchors

MARK = "vigie_anchor"


@dataclass(frozen=True, slots=True)
class Proof:
    """What the ledger proves. ``outside`` and ``inside`` are the newest anchors, from outside and from the database,
    that it agrees with; ``contradicted`` those that it does not, ``refused`` those that are not sealed with our key.

    ``first_bad`` is the first line that is missing, changed or out of the chain; where only an anchor shows that lines
    were rewritten, the first line after the newest anchor before it that agrees.
    """

    lines: int
    first_bad: int | None
    outside: Anchor | None
    inside: Anchor | None
    contradicted: tuple[Anchor, ...]
    refused: tuple[Anchor, ...]

    @property
    def intact(self) -> bool:
        """Whether nothing speaks against the ledger."""
        return self.first_bad is None

    @property
    def unproved(self) -> int:
        """How many lines at the end no anchor from outside proves."""
        return self.lines - (self.outside.seq if self.outside else 0)


def add(conn: Connection, anchor: Anchor) -> None:
    """Keep an anchor; one of the same line and place is left as it was."""
    conn.execute(insert(anchors).values(asdict(anchor)).on_conflict_do_nothing())


def every(conn: Connection) -> list[Anchor]:
    """Every anchor, in the order of their lines."""
    rows = conn.execute(select(anchors).order_by(anchors.c.seq, anchors.c.place))
    return [Anchor(**row._mapping) for row in rows]


def newest(conn: Connection, place: str) -> Anchor | None:
    """The last anchor that went to ``place``."""
    wanted = select(anchors).where(anchors.c.place == place).order_by(anchors.c.seq.desc()).limit(1)
    return next((Anchor(**row._mapping) for row in conn.execute(wanted)), None)


def lost(conn: Connection, place: str, outside: Sequence[Anchor]) -> Anchor | None:
    """The last anchor that went to ``place``, where it is not among those found ``outside`` any more."""
    last = newest(conn, place)
    found = last and any((one.place, one.seq, one.digest) == (place, last.seq, last.digest) for one in outside)
    return None if found else last


def seal(anchor: Anchor, key: bytes) -> Anchor:
    """The anchor with its receipt."""
    return replace(anchor, receipt=_mac(anchor, key))


def to_line(anchor: Anchor) -> bytes:
    """One line of JSON, as a file or a mail keeps it."""
    said = asdict(anchor) | {"at": times.to_iso(anchor.at)}
    return orjson.dumps({MARK: 1, **said}, option=orjson.OPT_SORT_KEYS) + b"\n"


def of_line(line: bytes) -> Anchor | None:
    """The anchor in a line, wherever in the line its JSON begins; None where there is none."""
    start, end = line.find(b"{"), line.rfind(b"}")
    try:
        said = orjson.loads(line[start : end + 1])
        if not isinstance(said, dict) or said.get(MARK) != 1:
            return None
        at = times.from_iso(str(said["at"]))
        return Anchor(int(said["seq"]), str(said["digest"]), at, str(said["place"]), str(said["receipt"]))
    except (ValueError, KeyError, TypeError):
        return None


def prove(conn: Connection, outside: Sequence[Anchor], key: bytes) -> Proof:
    """Walk the ledger, and hold it against the anchors from outside and those in the database."""
    inside = every(conn)
    refused = [one for one in (*outside, *inside) if not hmac.compare_digest(one.receipt, _mac(one, key))]
    walked = ledger.walk(conn, {one.seq for one in (*outside, *inside)})
    told = [one for one in outside if one not in refused]
    known = [one for one in inside if one not in refused]
    wrong = [one for one in (*told, *known) if not _agrees(one, walked)]
    bad = walked.first_bad
    if wrong:
        first = min(one.seq for one in wrong)
        good = max((one.seq for one in (*told, *known) if one.seq < first and _agrees(one, walked)), default=0)
        bad = min(good + 1, bad or good + 1)
    return Proof(
        lines=walked.lines,
        first_bad=bad,
        outside=_last(one for one in told if _agrees(one, walked)),
        inside=_last(one for one in known if _agrees(one, walked)),
        contradicted=tuple(sorted(set(wrong), key=lambda one: (one.seq, one.place))),
        refused=tuple(dict.fromkeys(refused)),
    )


def _agrees(anchor: Anchor, walked: ledger.Walked) -> bool:
    return walked.digests.get(anchor.seq) == anchor.digest


def _last(found: Iterable[Anchor]) -> Anchor | None:
    return max(found, key=lambda one: one.seq, default=None)


def _mac(anchor: Anchor, key: bytes) -> str:
    said: list[Any] = ["vigie anchor", anchor.place, anchor.seq, anchor.digest, times.to_iso(anchor.at)]
    return hmac.new(key, orjson.dumps(said), hashlib.sha256).hexdigest()
