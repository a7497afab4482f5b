"""A written post, and what one line of the corpus must be to make one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from config.faults import Fault, nearest
from nlp.training.written.lists import CHOICES, KEYS, URGENCIES
from nlp.training.written.marks import BadMark, Unmarked, unmark
from store.records import TAGS, Location, Quantity

ID = re.compile(r"(?:t|g|r\d\d-[a-z]+)-(fr|en|st)-[a-z0-9]+(?:-[a-z0-9]+)*")
"""Part or round and batch, then the language (``st`` in a story, which may be told in two), then a name of its own."""
_PARTS = {"t": "test", "r": "train", "g": "guide"}
STRINGS = ("story", "author", "neighbour", "sheet", "group")


@dataclass(frozen=True, slots=True)
class Written:
    """A post of the corpus. ``text`` is plain, ``marked`` as written; spans count code points of ``text``; ``minute``
    is minutes since the story's first post; ``file`` and ``line`` (from 1) say where it stands, ``part`` test or train.
    """

    id: str
    lang: str
    voice: str
    text: str
    marked: str
    register: str = "plain"
    moment: str | None = None
    about: int = 0
    relevance: int = 0
    tags: tuple[str, ...] = ()
    hazard: str | None = None
    need: str = "not_humanitarian"
    urgency: float = 0.0
    source: str = "other"
    stance: str | None = None
    when: str | None = None
    refuted: bool = False
    quantities: tuple[Quantity, ...] = ()
    locations: tuple[Location, ...] = ()
    story: str | None = None
    minute: float | None = None
    author: str | None = None
    neighbour: str | None = None
    sheet: str | None = None
    group: str | None = None
    part: str = "train"
    file: str = ""
    line: int = 0

    @property
    def crisis(self) -> bool:
        """Whether it speaks of a situation that a service could act on."""
        return self.relevance == 1

    def fault(self, key: str, message: str, advice: str, *, warning: bool = False) -> Fault:
        """Something wrong with this post."""
        told = f"{self.id}: {message}"
        return Fault(self.file, self.line, key, told, advice, "warning" if warning else "error")


@dataclass(frozen=True, slots=True)
class Where:
    """The line that is read: its file (as shown), number and part."""

    file: str
    line: int
    part: str

    def fault(self, key: str, message: str, advice: str, *, warning: bool = False) -> Fault:
        """Something wrong with this line."""
        return Fault(self.file, self.line, key, message, advice, "warning" if warning else "error")


def post(told: Mapping[str, Any], where: Where) -> tuple[Written | None, list[Fault]]:
    """The post of a line's object, None where it cannot be one; and every fault of the line."""
    faults = [*_keys(told, where), *_values(told, where)]
    unmarked = _text(told, where, faults)
    if unmarked is None or any(fault.level == "error" for fault in faults):
        return None, faults
    kept = {key: told[key] for key in KEYS if key in told and key not in ("text", "tags", "urgency")}
    made = Written(
        text=unmarked.text,
        marked=told["text"],
        tags=tuple(told.get("tags", ())),
        urgency=float(told.get("urgency", 0)),
        locations=unmarked.locations,
        quantities=unmarked.quantities,
        part=where.part,
        file=where.file,
        line=where.line,
        **kept,
    )
    return made, faults


def _keys(told: Mapping[str, Any], where: Where) -> Iterator[Fault]:
    for key in told:
        if key not in KEYS:
            yield where.fault(key, "is no key of a post", nearest(key, KEYS))
    required = ["id", "lang", "voice", "text", *(["need", "source"] if told.get("about") == 1 else [])]
    for key in required:
        if key not in told:
            yield where.fault(key, "is missing", f"write {key}; nlp/corpus/GUIDE.md says what it may hold")
    known = [key for key in told if key in KEYS]
    if known != sorted(known, key=KEYS.index):
        yield where.fault("", "keys are not in their order", f"the order is {', '.join(KEYS)}", warning=True)


def _values(told: Mapping[str, Any], where: Where) -> Iterator[Fault]:
    for key, known in CHOICES.items():
        value = told.get(key)
        if key in told and value not in known and not (value is None and key in ("moment", "hazard", "stance", "when")):
            yield where.fault(key, f"{value!r} is not in the closed list", nearest(str(value), known))
    for key in ("about", "relevance"):
        if not _is_int(told.get(key, 0)) or told.get(key, 0) not in (0, 1):
            yield where.fault(key, f"{told[key]!r} is neither 0 nor 1", "write 1 or leave the key out")
    if not _is_number(told.get("urgency", 0)) or told.get("urgency", 0) not in URGENCIES:
        yield where.fault("urgency", f"{told['urgency']!r} is no step of urgency", "write 0, 0.25, 0.5, 0.75 or 1")
    if not isinstance(told.get("refuted", False), bool):
        yield where.fault("refuted", f"{told['refuted']!r} is neither true nor false", "write true or leave it out")
    for key in STRINGS:
        if key in told and not (isinstance(told[key], str) and told[key]):
            yield where.fault(key, f"{told[key]!r} is no name", "write a string, or leave the key out")
    if "minute" in told and (not _is_number(told["minute"]) or told["minute"] < 0):
        yield where.fault("minute", f"{told['minute']!r} is no number of minutes", "write minutes since the first post")
    yield from _tags(told.get("tags", []), where)
    yield from _id(told, where)


def _tags(tags: object, where: Where) -> Iterator[Fault]:
    if not isinstance(tags, list) or len(set(map(str, tags))) < len(tags):
        yield where.fault("tags", f"{tags!r} is no list of different tags", f"write a list of: {', '.join(TAGS)}")
        return
    for tag in tags:
        if tag not in TAGS:
            yield where.fault("tags", f"{tag!r} is not in the closed list", nearest(str(tag), TAGS))


def _id(told: Mapping[str, Any], where: Where) -> Iterator[Fault]:
    if "id" not in told:
        return
    found = ID.fullmatch(told["id"]) if isinstance(told["id"], str) else None
    if found is None:
        yield where.fault("id", f"{told['id']!r} is no id", "write t-fr-0001 (test) or r01-a-fr-0001 (train)")
    elif found[1] not in (told.get("lang"), "st") or _PARTS[told["id"][0]] != where.part:
        yield where.fault("id", f"{told['id']} does not fit its language or part", "test: t-fr-…; train: r01-a-en-…")


def _text(told: Mapping[str, Any], where: Where, faults: list[Fault]) -> Unmarked | None:
    text = told.get("text")
    if not isinstance(text, str) or not text.strip():
        if "text" in told:
            faults.append(where.fault("text", "is no text", "write what the post says"))
        return None
    try:
        return unmark(text)
    except BadMark as error:
        advice = r"places are [shown|level|role], numbers {shown|kind|op|value}; write \[ for a plain bracket"
        faults.append(where.fault("text", str(error), advice))
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
