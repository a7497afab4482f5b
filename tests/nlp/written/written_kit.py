"""Small corpora for tests, invented: lines are written into a folder and read from there."""

from pathlib import Path
from typing import Any

import orjson

from nlp.training.written.lists import KEYS
from nlp.training.written.read import Corpus, read_corpus

CRISIS = {
    "id": "r01-a-fr-0001", "lang": "fr", "voice": "eyewitness",
    "text": "ça brûle au dessus du garage [rue des Tanneurs|street|event], {au moins 2 blessés|injured|at_least|2}",
    "about": 1, "relevance": 1, "tags": ["emerging_incident"], "hazard": "fire", "need": "injured_or_dead_people",
    "urgency": 1, "source": "eyewitness", "when": "now", "neighbour": "r01-a-fr-0002",
}  # fmt: skip
ORDINARY = {
    "id": "r01-a-fr-0002", "lang": "fr", "voice": "ordinary",
    "text": "ça danse au dessus du garage [rue des Tanneurs|street|mention], au moins deux mariages ce soir",
    "neighbour": "r01-a-fr-0001",
}  # fmt: skip


def _line(told: dict[str, Any]) -> dict[str, Any]:
    return {key: told[key] for key in sorted(told, key=_place) if told[key] is not None}


def _place(key: str) -> int:
    return KEYS.index(key) if key in KEYS else len(KEYS)


def crisis(**changed: Any) -> dict[str, Any]:
    """The crisis post with some keys changed; a key of None is left out."""
    return _line(CRISIS | changed)


def ordinary(**changed: Any) -> dict[str, Any]:
    """The ordinary neighbour with some keys changed; a key of None is left out."""
    return _line(ORDINARY | changed)


def corpus(folder: Path, *train: dict[str, Any], test: tuple[dict[str, Any], ...] = ()) -> Corpus:
    """A corpus of these posts, read from files."""
    for part, name, rows in (("train", "r01-a.jsonl", train), ("test", "posts-a.jsonl", test)):
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / name).write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return read_corpus(folder)


def told(faults: Any) -> list[str]:
    """The keys of the errors among faults, in order."""
    return [fault.key for fault in faults if fault.level == "error"]
