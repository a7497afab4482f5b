"""Two labellings of the same posts, field by field.

Closed lists are nominal, and *null* is a value like others. Each tag is a field of its own, yes or no. Urgency is
ordinal. Places and quantities are compared word by word: every word of every post is a unit, whose value is what is
marked over it (level and role of a place; kind, op and value of a number) or nothing; so a span that is a word longer
costs one word. Level and role are also told apart, over the words that both readers marked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import orjson

from config.faults import Fault
from nlp.training.written import alpha
from nlp.training.written.blind import blind_id
from nlp.training.written.lists import KEYS
from nlp.training.written.post import Where, Written, post
from store.records import TAGS, Location, Quantity

GOAL = 0.8
FIELDS = ("about", "relevance", "hazard", "need", "source", "stance", "when", "refuted")
LABELS = ("about", "relevance", "tags", "hazard", "need", "urgency", "source", "stance", "when", "refuted", "text")
"""The keys of a second reading beside ``id``; a text, with its marks, is only compared where it is given."""
SHOWN = 5
_WORD = re.compile(r"\w+")
Pair = tuple[Written, Written]
Span = TypeVar("Span", Location, Quantity)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Alpha of one field with its 95 % interval over posts drawn anew, over ``units`` (posts, or words). ``same``:
    share of units that agree; ``differ``: the commonest pairs that do not, first reader first, with how often."""

    field: str
    alpha: float
    low: float
    high: float
    units: int
    same: float
    differ: tuple[tuple[str, str, int], ...]


def second(path: Path, posts: Sequence[Written]) -> tuple[list[Pair], list[Fault]]:
    """Each post with its second reading from a file of lines ``{"id", ...labels}``, and what is wrong with the lines.

    An id is the post's own or its blind one. A second reading without ``text`` has no marks.
    """
    known = {one.id: one for one in posts} | {blind_id(one.id): one for one in posts}
    pairs: dict[str, Pair] = {}
    faults: list[Fault] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        where = Where(path.name, number, "")
        told = _object(line)
        first = known.get(str(told.get("id"))) if told else None
        if told is None or first is None:
            faults.append(where.fault("id", "names no post of the part", "one JSON object a line with the id it read"))
            continue
        again, wrong = _read(told, first, where)
        faults += wrong
        if again:
            pairs[first.id] = (first, again)
    return list(pairs.values()), faults


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def _read(told: dict[str, Any], first: Written, where: Where) -> tuple[Written | None, list[Fault]]:
    unknown = [key for key in told if key not in LABELS and key != "id"]
    faults = [where.fault(key, "is no label", f"one of {', '.join(LABELS)}") for key in unknown if key not in KEYS]
    labels = {key: value for key, value in told.items() if key in LABELS and value is not None}
    marked = "text" in labels
    given = {"id": first.id, "lang": first.lang, "voice": first.voice, "text": first.marked} | labels
    again, wrong = post(given, replace(where, part=first.part))
    wrong = [fault for fault in wrong if fault.level == "error"]
    if again and again.text != first.text:
        wrong.append(where.fault("text", "is not the text of the post", "mark it, change nothing else"))
        return None, [*faults, *wrong]
    if again and not marked:
        again = replace(again, marked="", locations=(), quantities=())
    return again, [*faults, *wrong]


def agreements(pairs: Sequence[Pair], *, seed: int = 0) -> list[Agreement]:
    """The agreement of every field. Raises ValueError without pairs."""
    if not pairs:
        raise ValueError("no post was read twice")
    found = [_field(name, pairs, _value(name), seed=seed) for name in FIELDS]
    found += [_field(f"tag {tag}", pairs, _tagged(tag), seed=seed) for tag in TAGS]
    found.append(_field("urgency", pairs, lambda one: one.urgency, alpha.ordinal, seed=seed))
    marked = [pair for pair in pairs if pair[1].marked]
    return [*found, *_spans(marked, seed)] if marked else found


def _value(name: str) -> Callable[[Written], Hashable]:
    return lambda one: "null" if getattr(one, name) is None else str(getattr(one, name))


def _tagged(tag: str) -> Callable[[Written], Hashable]:
    return lambda one: str(tag in one.tags)


def _field(
    name: str, pairs: Sequence[Pair], value: Callable[[Written], Hashable], distance: alpha.Distance = alpha.nominal,
    *, seed: int,
) -> Agreement:  # fmt: skip
    units = [(value(first), value(again)) for first, again in pairs]
    return _told(name, units, list(range(len(units))), distance, seed)


def _told(
    name: str, units: Sequence[tuple[Hashable, Hashable]], owners: Sequence[int], distance: alpha.Distance, seed: int
) -> Agreement:
    if not units:
        return Agreement(name, float("nan"), float("nan"), float("nan"), 0, 0.0, ())
    codes, values = alpha.coded(units)
    low, high = alpha.interval(codes, values, distance, owners=np.array(owners, np.int64), seed=seed)
    differ = Counter((str(a), str(b)) for a, b in units if a != b)
    same = sum(a == b for a, b in units) / len(units)
    common = tuple((a, b, count) for (a, b), count in differ.most_common(SHOWN))
    reached = alpha.alpha_of(codes, values, distance)
    return Agreement(name, round(reached, 3), round(low, 3), round(high, 3), len(units), round(same, 4), common)


def _spans(pairs: Sequence[Pair], seed: int) -> Iterator[Agreement]:
    words = [
        (row, first, again, word.start())
        for row, (first, again) in enumerate(pairs)
        for word in _WORD.finditer(first.text)
    ]
    for name, shown in (("places", _place), ("quantities", _number)):
        units = [(shown(first, at), shown(again, at)) for _, first, again, at in words]
        yield _told(name, units, [row for row, *_ in words], alpha.nominal, seed)
    places = ((row, _over(first.locations, at), _over(again.locations, at)) for row, first, again, at in words)
    both = [(row, one, other) for row, one, other in places if one and other]
    for name in ("level", "role"):
        units = [(getattr(a, name), getattr(b, name)) for _, a, b in both]
        yield _told(f"place {name}", units, [row for row, *_ in both], alpha.nominal, seed)


def _over(spans: Sequence[Span], at: int) -> Span | None:
    return next((one for one in spans if one.start <= at < one.end), None)


def _place(one: Written, at: int) -> str:
    place = _over(one.locations, at)
    return f"{place.level}/{place.role}" if place else "-"


def _number(one: Written, at: int) -> str:
    number = _over(one.quantities, at)
    return f"{number.kind}/{number.op}/{number.value:g}" if number else "-"
