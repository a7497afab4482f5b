"""Three months of invented posts, drawn with a seed, as they stand in the database once they were understood.

Words follow Zipf's law over the words of the project's own texts and made-up ones beside them; lengths are log-normal;
time has nights, and crises that each bring a burst of posts about one hazard at one place; places are French communes,
the large ones more often.
"""

import math
import re
from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from config.gazetteer import Toponym, gazetteer
from config.vocabulary import HAZARDS
from desk.bench._posts import texts
from store import annotations, incidents, posts
from store.database import Database
from store.records import Annotation, Geo, Incident, Location, Place, Post, Scored

START = datetime(2026, 1, 5, tzinfo=UTC)
DAYS = 90
AT_ONCE = 5_000
COINED = 30_000
TOWNS = 2_000
CRISES = 120
IN_CRISIS, CRISIS_LIKE = 0.08, 0.07
"""Shares of the posts that tell of a crisis, and that only sound like it."""
T = TypeVar("T")
SYLLABLES = ("ba", "cor", "dé", "fou", "gra", "lin", "mar", "né", "pon", "ri", "sal", "ten", "vu", "zé", "chou", "bre")


class Wheel(Generic[T]):
    """Draws one of the keys, as often as its weight says."""

    def __init__(self, weighted: Mapping[T, float]) -> None:
        self._keys, self._bounds = list(weighted), list(accumulate(weighted.values()))

    def __call__(self, draw: Random) -> T:
        return self._keys[bisect(self._bounds, draw.random() * self._bounds[-1])]


HOURS = Wheel(dict(enumerate((3, 2, 1, 1, 1, 2, 4, 7, 9, 9, 9, 10, 11, 10, 9, 9, 10, 11, 12, 12, 11, 9, 7, 5))))
SOURCES = Wheel({"x-flux": 80, "x-recherche": 15, "hand": 1, "file": 4})
FILTERS = Wheel[tuple[str, ...]](
    {(): 5, ("incendie",): 30, ("crue",): 25, ("transport",): 20, ("crue", "incendie"): 5, ("ordre",): 15}
)
LANGUAGES = Wheel[str | None]({"fr": 74, "en": 18, None: 8})
VOICES = Wheel({"unknown": 40, "eyewitness": 25, "media": 20, "other": 10, "authority": 5})
NEEDS = Wheel[str | None]({None: 68, "infrastructure_and_utility_damage": 20, "injured_or_dead_people": 12})


@dataclass(frozen=True, slots=True)
class Crisis:
    """What happens, where, from when on: half of what is said of it comes within ``half_h`` hours."""

    hazard: str
    town: Toponym
    at: datetime
    half_h: float


class Archive:
    """``number`` posts of ``seed``; the same two give the same posts."""

    def __init__(self, number: int, seed: int) -> None:
        self.number, self._seed = number, seed
        self._draw = draw = Random(f"archive {seed}")
        self.towns = _towns(draw)
        self._by_people = list(accumulate(town.population + 100 for town in self.towns))
        names = draw.sample(sorted(HAZARDS), len(HAZARDS))
        self.crises = [
            Crisis(
                names[min(int(draw.expovariate(0.25)), len(names) - 1)], self.town(draw),
                START + timedelta(days=draw.uniform(0, DAYS - 2)), draw.uniform(1, 12),
            )
            for _ in range(CRISES)
        ]  # fmt: skip
        self._by_size = list(accumulate(1 / (rank + 1) for rank in range(CRISES)))

    def town(self, draw: Random) -> Toponym:
        """One of the towns, the large ones more often."""
        return self.towns[bisect(self._by_people, draw.random() * self._by_people[-1])]

    @cached_property
    def words(self) -> tuple[list[str], list[float]]:
        """The vocabulary, the most frequent first, with its cumulated weights: 1/(rank + 2.7), after Mandelbrot."""
        said = Counter(word for kind in texts() for text in kind for word in re.findall(r"[^\W\d_]+", text.lower()))
        draw = Random(f"words {self._seed}")
        coined = {"".join(draw.choices(SYLLABLES, k=draw.randint(2, 5))) for _ in range(COINED)} - said.keys()
        ranked = [word for word, _ in said.most_common()] + sorted(coined, key=lambda word: (len(word), word))
        return ranked, list(accumulate(1 / (rank + 2.7) for rank in range(len(ranked))))

    def batches(self) -> Iterator[tuple[list[Post], list[Annotation], dict[int, list[str]]]]:
        """Posts in the order of their times, what was understood of them, and which crisis each belongs to."""
        draw, crisis_texts = Random(f"posts {self._seed}"), texts()[0]
        moments = self._moments(draw)
        for first in range(0, self.number, AT_ONCE):
            told, read = [], []
            of_crisis: dict[int, list[str]] = {}
            for n, (at, crisis) in enumerate(moments[first : first + AT_ONCE], first):
                town = self.crises[crisis].town if crisis is not None else self.town(draw)
                like = crisis is not None or draw.random() < CRISIS_LIKE
                post = self._post(n, at, town, draw.choice(crisis_texts) if like else None, draw)
                told.append(post)
                read.append(_read(post, self.crises[crisis] if crisis is not None else None, like, town, draw))
                if crisis is not None:
                    of_crisis.setdefault(crisis, []).append(post.id)
            yield told, read, of_crisis

    def _moments(self, draw: Random) -> list[tuple[datetime, int | None]]:
        """When each post is written, and of which crisis it tells: the first crises are the largest."""
        found: list[tuple[datetime, int | None]] = []
        for _ in range(self.number):
            if draw.random() < IN_CRISIS:
                of = bisect(self._by_size, draw.random() * self._by_size[-1])
                hours = draw.expovariate(math.log(2) / self.crises[of].half_h)
                found.append((self.crises[of].at + timedelta(hours=hours), of))
            else:
                hour = HOURS(draw)
                found.append((START + timedelta(days=draw.randrange(DAYS), hours=hour + draw.random()), None))
        return sorted(found, key=lambda one: one[0])

    def _post(self, n: int, at: datetime, town: Toponym, beginning: str | None, draw: Random) -> Post:
        words, weights = self.words
        length = min(60, max(3, round(draw.lognormvariate(2.8, 0.5))))
        said = draw.choices(words, cum_weights=weights, k=length if beginning is None else length // 3)
        if draw.random() < 0.3:
            said.append(f"#{town.name.replace(' ', '')}")
        geo = Geo(*_near(town, draw), 5000.0, town.name) if draw.random() < 0.04 else None
        return Post(
            id=f"x:{n}", source=SOURCES(draw), text=" ".join([beginning, *said] if beginning else said),
            created_at=at, received_at=at + timedelta(seconds=2), lang=LANGUAGES(draw),
            author=f"hmac-{int(draw.paretovariate(0.6)) % 200_000}", geo=geo, filters=FILTERS(draw),
            departement=town.departement,
        )  # fmt: skip


def fill(db: Database, archive: Archive) -> None:
    """Write all of it, through the functions that Vigie itself writes with."""
    with db.write() as conn:
        incidents.put(conn, [_incident(n, one) for n, one in enumerate(archive.crises)])
    for told, read, of_crisis in archive.batches():
        with db.write() as conn:
            posts.add(conn, told)
            annotations.put(conn, read)
            for crisis, ids in of_crisis.items():
                incidents.link(conn, incident_id(crisis), ids)


def incident_id(crisis: int) -> str:
    """The incident that the posts of a crisis belong to."""
    return f"inc-{crisis}"


def _towns(draw: Random) -> list[Toponym]:
    """Communes of every département of the mainland, drawn by how many people live there."""
    all_of_them = [
        one for code in range(1, 96) if code != 20 for one in gazetteer().communes(f"{code:02d}") if one.population
    ]
    keyed = sorted(all_of_them, key=lambda one: (-(draw.random() ** (1 / one.population)), one.name))
    return keyed[:TOWNS]


def _near(town: Toponym, draw: Random) -> tuple[float, float]:
    return round(town.lat + draw.gauss(0, 0.02), 5), round(town.lon + draw.gauss(0, 0.03), 5)


def _read(post: Post, crisis: Crisis | None, like: bool, town: Toponym, draw: Random) -> Annotation:
    sure = draw.betavariate(8, 2) if crisis else draw.betavariate(3, 3) if like else draw.betavariate(1, 12)
    hazard = crisis.hazard if crisis else sorted(HAZARDS)[draw.randrange(len(HAZARDS))] if like and sure > 0.5 else None
    tags = {"rumour": round(draw.betavariate(1, 15), 3), "emerging_incident": round(sure * draw.uniform(0.6, 1), 3)}
    threat = draw.random() < 0.001
    labels = [tag for tag, p in tags.items() if p >= 0.5] + ["public_order_threat"] * threat
    place: tuple[Location, ...] = ()
    if draw.random() < (0.8 if like else 0.25):
        lat, lon = _near(town, draw)
        place = (Location(town.name, 0, 5, town.name, "commune", "event", lat, lon, 4000.0, confidence=0.8),)
    return Annotation(
        post_id=post.id, lang=post.lang or "fr", depth="full" if sure > 0.5 else "fast", about=round(sure, 3),
        relevance=round(sure * draw.uniform(0.5, 1), 3), tags={**tags, "public_order_threat": 0.9 if threat else None},
        labels=tuple(labels), hazard=Scored(hazard, 0.8) if hazard else None,
        need=Scored(need, 0.6) if hazard and (need := NEEDS(draw)) else None, urgency=round(sure, 2),
        source=VOICES(draw), locations=place,
    )  # fmt: skip


def _incident(n: int, crisis: Crisis) -> Incident:
    place = Place(crisis.town.name, crisis.town.lat, crisis.town.lon, departement=crisis.town.departement)
    return Incident(
        incident_id(n), "Test", "closed", crisis.at, crisis.at, crisis.at, hazard=crisis.hazard, place=place
    )


def drawn(archive: Archive, seed: int, number: int) -> Sequence[Crisis]:
    """Crises to ask for, the large ones more often."""
    draw = Random(f"asked {seed}")
    return draw.choices(archive.crises, [1 / (rank + 1) for rank in range(CRISES)], k=number)
