"""Reads the corpus: posts, fact sheets and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from config.faults import Fault, nearest
from config.settings import ROOT
from config.vocabulary import HAZARDS
from nlp.training.written.lists import LANGS
from nlp.training.written.post import Where, Written, post

CORPUS = ROOT / "nlp" / "corpus"
PARTS = ("test", "train")
NOTHING = "none"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What happened, where, when and who speaks: what a test post was written from. ``file`` and ``line`` say where."""

    id: str
    lang: str
    hazard: str | None
    what: str
    where: str
    when: str
    who: tuple[str, ...]
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Corpus:
    """Everything that could be read, in the order of files and lines, and every fault of a line."""

    posts: tuple[Written, ...]
    sheets: tuple[Sheet, ...] = ()
    faults: tuple[Fault, ...] = ()

    def part(self, name: str) -> list[Written]:
        """The posts of one part, ``test`` or ``train``."""
        return [one for one in self.posts if one.part == name]

    def by_id(self) -> dict[str, Written]:
        """Posts by id; of two with the same id, the later."""
        return {one.id: one for one in self.posts}


class CorpusError(ValueError):
    """A corpus that cannot be learnt from; the message holds every error."""


def read_corpus(folder: Path = CORPUS, parts: tuple[str, ...] = PARTS) -> Corpus:
    """The corpus in ``folder``. Never raises for what a file holds: that is a fault. Raises OSError."""
    posts: list[Written] = []
    sheets: list[Sheet] = []
    faults: list[Fault] = []
    for part in parts:
        for path in sorted((folder / part).glob("*.jsonl")):
            for where, told in _objects(path, f"{part}/{path.name}", part, faults):
                if path.name.startswith("sheets-"):
                    sheets += _sheet(told, where, faults)
                    continue
                one, wrong = post(told, where)
                faults += wrong
                posts += [one] if one else []
    return Corpus(tuple(posts), tuple(sheets), tuple(faults))


def written(part: str, folder: Path = CORPUS) -> list[Written]:
    """The posts of one part. Raises :class:`CorpusError` where a line cannot be read."""
    corpus = read_corpus(folder, (part,))
    errors = [str(fault) for fault in corpus.faults if fault.level == "error"]
    if errors:
        raise CorpusError("\n".join(errors))
    return list(corpus.posts)


def groups(posts: list[Written] | tuple[Written, ...]) -> dict[str, str]:
    """What a split keeps together, by id: the group told, else the hazard of the post, its neighbour or its story."""
    by_id = {one.id: one for one in posts}
    stories: dict[str, str] = {}
    for one in posts:
        if one.story and one.hazard:
            stories.setdefault(one.story, one.hazard)
    return {one.id: _group(one, by_id, stories) for one in posts}


def _group(one: Written, by_id: Mapping[str, Written], stories: Mapping[str, str]) -> str:
    other = by_id.get(one.neighbour or "")
    told = (one.group, one.hazard, other and (other.group or other.hazard), stories.get(one.story or ""))
    return next((name for name in told if name), NOTHING)


def _objects(path: Path, shown: str, part: str, faults: list[Fault]) -> Iterator[tuple[Where, dict[str, Any]]]:
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        where = Where(shown, number, part)
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            faults.append(where.fault("", f"not JSON: {error}", "one JSON object a line, no empty lines"))
            continue
        if isinstance(told, dict):
            yield where, told
        else:
            faults.append(where.fault("", "is no JSON object", "one JSON object a line, no empty lines"))


SHEET = {"id": str, "lang": str, "hazard": str, "what": str, "where": str, "when": str, "who": list}


def _sheet(told: dict[str, Any], where: Where, faults: list[Fault]) -> list[Sheet]:
    found = [where.fault(key, "is no key of a sheet", nearest(key, SHEET)) for key in told if key not in SHEET]
    for key, kind in SHEET.items():
        if not isinstance(told.get(key), kind) and not (key == "hazard" and told.get(key) is None):
            found.append(where.fault(key, "is missing or of the wrong kind", f"write a {kind.__name__}"))
    if not found and told["lang"] not in LANGS:
        found.append(where.fault("lang", f"{told['lang']!r} is no language", "write fr or en"))
    if not found and told.get("hazard") is not None and told["hazard"] not in HAZARDS:
        found.append(where.fault("hazard", f"{told['hazard']!r} is no hazard", nearest(told["hazard"], HAZARDS)))
    faults += found
    if found:
        return []
    who = tuple(map(str, told["who"]))
    told = told | {"who": who, "hazard": told.get("hazard")}
    return [Sheet(**told, file=where.file, line=where.line)]
