"""What the corpus covers: every hazard, voice, register, moment and kind of place, and how they cross."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from config.faults import Fault
from config.vocabulary import HAZARDS
from nlp.training.written.finding import Finding, Table, of_faults
from nlp.training.written.lists import CHOICES, LISTED, MOMENTS, ORDINARY, REGISTERS, VOICES
from nlp.training.written.post import Written
from nlp.training.written.read import NOTHING, Corpus
from nlp.training.written.unseen import unseen

LEAST_VOICES, LEAST_REGISTERS = 3, 3
"""In how many voices and registers each hazard is told at least, as far as it is told."""
Values = Callable[[Written], Iterable[str]]


def _one(key: str) -> Values:
    return lambda post: [getattr(post, key) or NOTHING]


FIELDS: dict[str, tuple[tuple[str, ...], Values]] = {
    "voice": (VOICES, _one("voice")),
    "register": (REGISTERS, _one("register")),
    "moment": (MOMENTS, _one("moment")),
    "need": (CHOICES["need"], _one("need")),
    "source": (CHOICES["source"], _one("source")),
    "stance": (CHOICES["stance"], _one("stance")),
    "when": (CHOICES["when"], _one("when")),
    "tags": (LISTED["tags"], lambda post: post.tags),
    "level": (LISTED["level"], lambda post: [place.level for place in post.locations]),
    "role": (LISTED["role"], lambda post: [place.role for place in post.locations]),
    "kind": (LISTED["kind"], lambda post: [number.kind for number in post.quantities]),
    "op": (LISTED["op"], lambda post: [number.op for number in post.quantities]),
}
"""Each field with its closed list, and what a post says in it."""


def expected(part: str) -> list[str]:
    """The hazards that a part is to show."""
    return [name for name in HAZARDS if part == "test" or name not in unseen().hazards]


def crossed(title: str, posts: Sequence[Written], rows: tuple[Sequence[str], Values], columns: str) -> Table:
    """How many posts say each value of the rows with each value of a field."""
    names, across = FIELDS[columns]
    counts = Counter((row, column) for post in posts for row in rows[1](post) for column in across(post))
    body = [(row, *(counts[row, name] for name in names), sum(counts[row, n] for n in names)) for row in rows[0]]
    return Table(title, ("", *names, "all"), tuple(body))


def counted(posts: Sequence[Written], field: str) -> Table:
    """How many posts say each value of a field, by language."""
    names, values = FIELDS[field]
    counts = Counter((name, post.lang) for post in posts for name in values(post))
    rows = tuple((name, counts[name, "fr"], counts[name, "en"]) for name in names)
    return Table(field, (field, "fr", "en"), rows)


def tables(posts: Sequence[Written], part: str) -> tuple[Table, ...]:
    """The tables of one part: hazard and voice crossed with voice and register, over posts about a harmful situation;
    then every other field by language."""
    about = [one for one in posts if one.about]
    hazards = (expected(part), _one("hazard"))
    voices = ([voice for voice in VOICES if voice != ORDINARY], _one("voice"))
    crossings = (
        crossed(f"{part}: hazard × voice", about, hazards, "voice"),
        crossed(f"{part}: hazard × register", about, hazards, "register"),
        crossed(f"{part}: voice × register", about, voices, "register"),
    )
    return (*crossings, *(counted(posts, field) for field in FIELDS if field not in ("voice",)))


def gaps(posts: Sequence[Written], part: str) -> list[Fault]:
    """Values that no post of the part says, and hazards that are told in too few voices or registers."""
    found = []
    about = [one for one in posts if one.about]
    for hazard in expected(part):
        told = [one for one in about if one.hazard == hazard]
        voices, registers = {one.voice for one in told}, {one.register for one in told}
        if not told:
            level = "error" if part == "train" or hazard in unseen().hazards else "warning"
            found.append(_gap(part, "hazard", f"no post of {hazard}", level))
        elif len(voices) < LEAST_VOICES or len(registers) < LEAST_REGISTERS:
            few = f"{hazard} is told in {len(voices)} voices and {len(registers)} registers"
            found.append(_gap(part, "hazard", few, "warning"))
    for field, (names, values) in FIELDS.items():
        told_values = {value for one in posts for value in values(one)}
        strict = "error" if field in ("voice", "register", "moment", "level", "role") else "warning"
        found += [_gap(part, field, f"no post with {name}", strict) for name in names if name not in told_values]
    return found


def _gap(part: str, key: str, message: str, level: str) -> Fault:
    return Fault(part, 0, key, message, "write some", "error" if level == "error" else "warning")


def check(corpus: Corpus) -> Finding:
    """Empty rows of the coverage tables, of each part that has posts."""
    found: list[Fault] = []
    made: list[Table] = []
    for part in ("test", "train"):
        if posts := corpus.part(part):
            found += gaps(posts, part)
            made += tables(posts, part)
    finding = of_faults("coverage", found, "hazard, voice, register, moment, places")
    return Finding(finding.name, finding.ok, finding.told, finding.figures, finding.faults, tuple(made))
