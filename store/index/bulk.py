"""Documents in bulk: ready-made bytes through the official client, with patience where the cluster has none to spare.

Each item is judged by itself: accepted; stale, where the index holds a newer version already; refused, where the
document is at fault; or to be sent again. What is at fault outside the document is raised, nothing is lost by it: an
action can be sent any number of times.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from elasticsearch import ApiError, Elasticsearch, TransportError

from store.index import reasons

BODY_BYTES = 4_000_000
LONGEST_ID = 512
TRIES = 6
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
BUSY = frozenset({408, 429, 500, 502, 503, 504})
_OVERLOADED = frozenset(
    {
        "cluster_block_exception",
        "es_rejected_execution_exception",
        "circuit_breaking_exception",
        "unavailable_shards_exception",
        "no_shard_available_action_exception",
        "process_cluster_event_timeout_exception",
        "index_closed_exception",
        "node_closed_exception",
    }
)
_FILTER = "items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason"

Wait = Callable[[float], object]


class Away(Exception):
    """The cluster takes nothing now: unreachable, overloaded, without disk, or it refuses us. The message says why."""


class Missing(Exception):
    """An index that was there is gone. ``indices`` are those that the cluster does not know."""

    def __init__(self, indices: Sequence[str]) -> None:
        super().__init__(f"no such index: {', '.join(indices)}")
        self.indices = tuple(indices)


@dataclass(frozen=True, slots=True)
class Action:
    """Put ``body`` (None: delete) under ``id`` into ``index``, unless a version above ``version`` is there."""

    index: str
    id: str
    version: int
    body: Mapping[str, Any] | None

    def lines(self) -> bytes:
        """The action as lines of NDJSON."""
        verb = b'{"delete":' if self.body is None else b'{"index":'
        head = b'%b{"_index":%b,"_id":%b,"version":%d,"version_type":"external_gte"}}\n' % (
            verb,
            _quoted(self.index),
            orjson.dumps(self.id),
            self.version,
        )
        return head if self.body is None else head + orjson.dumps(self.body) + b"\n"


@lru_cache(maxsize=256)
def _quoted(index: str) -> bytes:
    return orjson.dumps(index)


@dataclass(frozen=True, slots=True)
class Refused:
    """A document that the index cannot take as it is."""

    index: str
    id: str
    reason: str


@dataclass(slots=True)
class Sent:
    """What became of the actions. ``stale`` counts those that found a newer version in the index: they are done."""

    accepted: int = 0
    stale: int = 0
    refused: list[Refused] = field(default_factory=list)


def send(
    client: Elasticsearch,
    actions: Sequence[Action],
    *,
    wait: Wait = time.sleep,
    tries: int = TRIES,
    body_bytes: int = BODY_BYTES,
    chance: random.Random | None = None,
) -> Sent:
    """Send the actions in order, in bodies of at most ``body_bytes`` (or one action), and judge each.

    What the cluster has no room for is sent again after a wait with jitter, ``tries`` times in all. Raises Away when
    that did not help, Missing for an index that is not there. After either, some actions may have been done.
    """
    sent, post = Sent(), _Post(client, wait, tries, chance or random.Random())
    for bodies in _bodies(actions, body_bytes, sent):
        post.deliver(bodies, sent)
    return sent


class _Line(NamedTuple):
    action: Action
    lines: bytes


@dataclass(slots=True)
class _Post:
    client: Elasticsearch
    wait: Wait
    tries: int
    chance: random.Random

    def deliver(self, waiting: Sequence[_Line], sent: Sent) -> None:
        """Send until each is done. Raises Away, Missing."""
        reason = ""
        for turn in range(self.tries):
            if turn:
                longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**turn)
                self.wait(longest * (0.5 + 0.5 * self.chance.random()))
            waiting, reason = self._turn(waiting, sent)
            if not waiting:
                return
        raise Away(reason)

    def _turn(self, waiting: Sequence[_Line], sent: Sent) -> tuple[Sequence[_Line], str]:
        """Send once; gives those to be sent again, and why."""
        try:
            answer = self.client.bulk(operations=[b"".join([one.lines for one in waiting])], filter_path=_FILTER)  # type: ignore[list-item]
        except ApiError as error:
            return self._unanswered(error, waiting, sent)
        except TransportError as error:
            return waiting, reasons.reason(error)
        return _judged(waiting, answer.body["items"], sent)

    def _unanswered(self, error: Any, waiting: Sequence[_Line], sent: Sent) -> tuple[Sequence[_Line], str]:
        """A whole request was refused: too busy, too large, or one of its items is not even one."""
        if error.status_code in BUSY:
            return waiting, reasons.reason(error)
        if error.status_code not in (400, 413):
            raise Away(reasons.reason(error)) from error
        if len(waiting) == 1:
            action = waiting[0].action
            sent.refused.append(Refused(action.index, action.id, f"{error.status_code} {error.message}"))
            return (), ""
        half = len(waiting) // 2
        self.deliver(waiting[:half], sent)
        self.deliver(waiting[half:], sent)
        return (), ""


def _bodies(actions: Sequence[Action], body_bytes: int, sent: Sent) -> Iterator[list[_Line]]:
    some: list[_Line] = []
    size = 0
    for action in actions:
        if not 0 < len(action.id.encode()) <= LONGEST_ID:
            sent.refused.append(Refused(action.index, action.id, f"its id has more than {LONGEST_ID} bytes, or none"))
            continue
        lines = action.lines()
        if some and size + len(lines) > body_bytes:
            yield some
            some, size = [], 0
        some.append(_Line(action, lines))
        size += len(lines)
    if some:
        yield some


def _judged(waiting: Sequence[_Line], items: Sequence[Any], sent: Sent) -> tuple[list[_Line], str]:
    again: list[_Line] = []
    gone: dict[str, None] = {}
    reason = ""
    for one, item in zip(waiting, items, strict=True):
        (result,) = item.values()
        status = result["status"]
        if status < 300 or (status == 404 and "error" not in result):
            sent.accepted += 1
        elif status == 409:
            sent.stale += 1
        elif result["error"]["type"] == "index_not_found_exception":
            gone[one.action.index] = None
        elif status in BUSY or result["error"]["type"] in _OVERLOADED:
            again.append(one)
            reason = reasons.of_item(status, result["error"])
        else:
            sent.refused.append(Refused(one.action.index, one.action.id, _told(result["error"])))
    if gone:
        raise Missing(list(gone))
    return again, reason


def _told(error: Mapping[str, Any]) -> str:
    cause = error.get("caused_by", {}).get("reason")
    return f"{error['type']}: {error.get('reason', '')}" + (f" ({cause})" if cause else "")
