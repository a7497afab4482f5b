"""Posts for benches: drawn with a seed from the texts that were written for the project, or read from files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import orjson

from config.gazetteer import Toponym, distance_m, gazetteer
from config.settings import ROOT
from listeners.incoming import Incoming
from nlp.training.written.read import written

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DRILL = ROOT / "listeners" / "standin" / "drill.jsonl"
PER_SECOND = 500
AUTHORS = 5000
APART_M = 60_000.0
FIRE = (
    "Incendie en cours dans un entrepôt à {}, grosses flammes et fumée noire, les pompiers arrivent",
    "Un bâtiment brûle à {}, on entend les sirènes, des gens sont évacués",
    "Le feu gagne la toiture de l'entrepôt à {}, évitez le quartier, il y a des blessés",
)


def texts() -> tuple[list[str], list[str], list[str]]:
    """The project's own texts: of a situation, of ordinary life, and ones that only look like a situation."""
    drill = [orjson.loads(line) for line in DRILL.open("rb")]
    corpus = written("train")
    crisis = [line["text"] for line in drill if line["story"] in ("fire", "smoke")]
    crisis += [one.text for one in corpus if one.about == 1]
    ordinary = [line["text"] for line in drill if line["story"] == "ordinary"]
    return crisis, ordinary, [one.text for one in corpus if one.about == 0]


def invented(number: int, draw: Random, *, share: float = 0.1) -> list[Incoming]:
    """``number`` posts of invented authors, 500 a second of event time: ``share`` of them about a situation, as many
    that only look like it, the rest ordinary."""
    crisis, ordinary, alike = texts()
    kinds = draw.choices((crisis, alike, ordinary), (share, share, 1 - 2 * share), k=number)
    return [_post(at, draw.choice(kind), draw) for at, kind in enumerate(kinds)]


def recorded(files: Sequence[Path], number: int) -> list[Incoming]:
    """The first ``number`` posts of JSON-lines files, in turn from each file; those without a time get one in order."""
    readers = [_lines(path) for path in files]
    found: list[Incoming] = []
    while readers and len(found) < number:
        for reader in list(readers):
            line = next(reader, None)
            if line is None:
                readers.remove(reader)
            elif len(found) < number:
                found.append(Incoming("file", f"b{len(found)}", line["text"], _time(len(found)), lang=line.get("lang")))
    return found


def fires(draw: Random) -> Iterator[tuple[Toponym, list[str]]]:
    """Invented fires in the largest communes of départements, at least 60 km apart, each told by three voices."""
    chosen: list[Toponym] = []
    codes = [f"{code:02d}" for code in range(1, 96) if code != 20]
    for code in draw.sample(codes, len(codes)):
        town = max(gazetteer().communes(code), key=lambda each: each.population or 0, default=None)
        if town and all(distance_m(town.lat, town.lon, other.lat, other.lon) > APART_M for other in chosen):
            chosen.append(town)
            yield town, [text.format(town.name) for text in FIRE]


def _post(at: int, text: str, draw: Random) -> Incoming:
    author = f"author-{draw.randrange(AUTHORS)}"
    return Incoming("file", f"b{at}", text, _time(at), author_id=author)


def _time(at: int) -> datetime:
    return START + timedelta(seconds=at / PER_SECOND)


def _lines(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from map(orjson.loads, file)
