"""The annotation guide: prose in ``GUIDE.md``, and under each value the examples that ``guide.jsonl`` holds.

A line of ``guide.jsonl`` is a post with one more key, ``hard``: for each field in which the post is hard, why it is
labelled as it is. In every other field it is an easy example of its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from config.faults import Fault, nearest
from config.vocabulary import HAZARDS
from nlp.training.written.lists import CHOICES, LISTED, URGENCIES
from nlp.training.written.post import Where, Written, post
from nlp.training.written.read import CORPUS
from nlp.training.written.rules import labels
from store.records import TAGS

LEAST = 5
"""Easy and hard examples of each value, at least."""
SHOWN = 5
"""Easy examples shown under a value."""
YES, NO = "yes", "no"
Values = Callable[[Written], Iterable[str]]


def _told(key: str) -> Values:
    return lambda one: [str(getattr(one, key))] if getattr(one, key) is not None else []


def _tag(tag: str) -> Values:
    return lambda one: [YES if tag in one.tags else NO]


FIELDS: Mapping[str, tuple[tuple[str, ...], Values]] = {
    "about": (("1", "0"), _told("about")),
    "relevance": (("1", "0"), _told("relevance")),
    **{tag: ((YES, NO), _tag(tag)) for tag in TAGS},
    "hazard": (
        tuple(dict.fromkeys(hazard.cap for hazard in HAZARDS.values())),
        lambda one: [HAZARDS[one.hazard].cap] if one.hazard else [],
    ),
    "need": (CHOICES["need"], _told("need")),
    "urgency": (tuple(f"{step:g}" for step in URGENCIES), lambda one: [f"{one.urgency:g}"]),
    "source": (CHOICES["source"], _told("source")),
    "stance": (CHOICES["stance"], _told("stance")),
    "when": (CHOICES["when"], _told("when")),
    "refuted": (("true", "false"), lambda one: [str(one.refuted).lower()]),
    "kind": (LISTED["kind"], lambda one: [number.kind for number in one.quantities]),
    "op": (LISTED["op"], lambda one: [number.op for number in one.quantities]),
    "level": (LISTED["level"], lambda one: [place.level for place in one.locations]),
    "role": (LISTED["role"], lambda one: [place.role for place in one.locations]),
}
"""Each field of the guide with its values (hazards by the families of CAP), and those that a post is an example of."""


@dataclass(frozen=True, slots=True)
class Example:
    """A post of the guide; ``hard``: in which fields (``kind:people``: for one value of a mark) it is hard, and why."""

    post: Written
    hard: Mapping[str, str]

    def why(self, field: str, value: str) -> str | None:
        """Why it is a hard example of a value, None where it is an easy one."""
        return self.hard.get(f"{field}:{value}", self.hard.get(field))


def read_guide(path: Path = CORPUS / "guide.jsonl") -> tuple[list[Example], list[Fault]]:
    """The examples, and what is wrong with them: form, labels that contradict each other, hard fields that are none."""
    found: list[Example] = []
    faults: list[Fault] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        where = Where(path.name, number, "guide")
        told = orjson.loads(line)
        hard = told.pop("hard", {})
        one, wrong = post(told, where)
        faults += [*wrong, *_hard(hard, where)]
        if one:
            found.append(Example(one, hard))
            faults += labels(one)
    return found, faults


def _hard(hard: Mapping[str, str], where: Where) -> Iterator[Fault]:
    for key in hard:
        field, _, value = key.partition(":")
        if field not in FIELDS:
            yield where.fault("hard", f'"{field}" is no field of the guide', nearest(field, FIELDS))
        elif value and value not in FIELDS[field][0]:
            yield where.fault("hard", f'"{value}" is no {field}', nearest(value, FIELDS[field][0]))


def by_value(examples: Iterable[Example]) -> dict[tuple[str, str], tuple[list[Example], list[Example]]]:
    """For each field and value its easy and its hard examples."""
    found: dict[tuple[str, str], tuple[list[Example], list[Example]]] = {
        (field, value): ([], []) for field, (values, _) in FIELDS.items() for value in values
    }
    for one in examples:
        for field, (_, read) in FIELDS.items():
            for value in dict.fromkeys(read(one.post)):
                easy, hard = found[field, value]
                (easy if one.why(field, value) is None else hard).append(one)
    return found


def lacking(examples: Iterable[Example]) -> list[str]:
    """Values that have too few examples, or examples in one language only: a line each."""
    found = []
    for (field, value), kinds in by_value(examples).items():
        for name, some in zip(("easy", "hard"), kinds, strict=True):
            if len(some) < LEAST:
                found.append(f"{field} {value}: {len(some)} {name}")
            elif len({one.post.lang for one in some}) < 2:
                found.append(f"{field} {value}: {name} in one language only")
    return found


MARKER = re.compile(r"<!-- (?P<field>\w+) (?P<value>\S+) -->\n.*?<!-- end -->", re.DOTALL)
"""The place of a value's examples in the guide."""


def filled(guide: str, examples: Iterable[Example]) -> str:
    """The guide with the examples of each value written between its markers. Raises KeyError for an unknown value."""
    told = by_value(examples)

    def fill(match: re.Match[str]) -> str:
        easy, hard = told[match["field"], match["value"]]
        lines = [f"- {_quoted(one.post)}" for one in _both(easy)]
        lines += [f"- hard: {_quoted(one.post)}: *{one.why(match['field'], match['value'])}*" for one in hard]
        return f"<!-- {match['field']} {match['value']} -->\n" + "\n".join(lines) + "\n<!-- end -->"

    return MARKER.sub(fill, guide)


def _both(easy: list[Example]) -> list[Example]:
    """Some of the examples, both languages among them, the shortest first."""
    ranked = sorted(easy, key=lambda one: len(one.post.text))
    french, english = ([one for one in ranked if one.post.lang == lang] for lang in ("fr", "en"))
    mixed = [one for pair in zip(french, english, strict=False) for one in pair]
    return mixed[: SHOWN + 1] if len(mixed) >= SHOWN else ranked[:SHOWN]


def _quoted(one: Written) -> str:
    return f"“{one.text}”".replace("*", r"\*")
