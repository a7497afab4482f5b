"""Places named in a post, looked up in the shipped gazetteer, homonyms ranked, alternatives listed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from config.gazetteer import Toponym, distance_m, gazetteer
from nlp.reading import Reading
from nlp.roads import roads
from nlp.stopwords import stopwords
from nlp.streets import named_places
from store.records import Location

COMMON = Path(__file__).parent / "models" / "common_names.txt"
WORD = re.compile(r"[^\W_]+")
LONGEST = 6
HERE = frozenset(["a", "aux", "au", "in", "at", "near", "pres", "sur", "vers", "chez", "from", "entre"])
OF = frozenset(["de", "d", "du", "des", "of", "l", "la", "le", "les", "en", "dans"])
TOWN = re.compile(
    r"(?:ville|commune|village|bourg|town|city|secteur|agglo|agglomeration|mairie|pompiers|habitants) (?:de |d'|of )$"
)
CODE = re.compile(r"\(? ?\b(0[1-9]|[1-8]\d|9[0-5]|2[ab]|97[1-6])\b ?\)?")
IN_CODE = re.compile(r"\b(?:dans le|dept|departement|dans l'|le) (0[1-9]|[1-8]\d|9[0-5]|2[ab]|97[1-6])(?=[\s.,;!?)]|$)")
DIRECTION = re.compile(r"(?:sens|direction|vers|towards|train de|train pour|bus pour|vol pour|route de) $")
ABROAD = {"fr": 0.6, "en": 2.4}
SPREAD = 1.2
NEAR_M = 60_000.0
CUED = 0.6
SHOWN = 3
SAINTS = {"st": "saint", "ste": "sainte"}


@dataclass(frozen=True, slots=True)
class Mention:
    """A name found in the folded text, how surely it names a place at all, and the places of that name."""

    start: int
    end: int
    sure: float
    toponyms: tuple[Toponym, ...]
    departement: str | None = None
    goal: bool = False


@cache
def common_names() -> frozenset[str]:
    """Place names that are ordinary words, found in lower case in ordinary posts."""
    return frozenset(COMMON.read_text(encoding="utf-8").split("\n"))


@cache
def _openings() -> dict[str, int]:
    """First word of a name → how many words the longest such name has."""
    longest: dict[str, int] = {}
    for name in gazetteer().names():
        first, _, rest = name.partition(" ")
        longest[first] = min(LONGEST, max(longest.get(first, 0), 1 + rest.count(" ") + bool(rest)))
    return longest


def locate(reading: Reading, home: frozenset[str] = frozenset()) -> tuple[Location, ...]:
    """The places of a post in order. ``home``: the départements of the agency's own areas, which homonyms lean to."""
    exact = [*roads(reading), *named_places(reading)]
    taken = [(place.start, place.end) for place in exact]
    mentions = [m for m in _mentions(reading, home) if not _overlaps(reading.folded.span(m.start, m.end), taken)]
    found = [_location(reading, mention, mentions, home) for mention in mentions]
    codes = [
        place for place in _codes(reading) if not _overlaps((place.start, place.end), [(f.start, f.end) for f in found])
    ]
    return tuple(sorted([*exact, *found, *codes], key=lambda place: place.start))


def _overlaps(span: tuple[int, int], taken: list[tuple[int, int]]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in taken)


def _mentions(reading: Reading, home: frozenset[str]) -> list[Mention]:
    found_words = WORD.finditer(reading.plain, 0, 4000)
    words = [(SAINTS.get(match[0], match[0]), match.start(), match.end()) for match in found_words]
    names, openings = gazetteer().names(), _openings()
    found: list[Mention] = []
    index = 0
    while index < len(words):
        step = 1
        longest = openings.get(words[index][0])
        if longest and not _plainly_no_name(reading, words, index):
            for size in range(min(longest, len(words) - index), 0, -1):
                name = " ".join([word for word, _, _ in words[index : index + size]])
                if name in names and (mention := _mention(reading, words, index, size, name, home)):
                    found.append(mention)
                    step = size
                    break
        index += step
    return found


def _plainly_no_name(reading: Reading, words: list[tuple[str, int, int]], index: int) -> bool:
    """A function word in lower case with no word of place before it opens no name."""
    word, start, end = words[index]
    if word not in stopwords() or (index and words[index - 1][0] in HERE):
        return False
    return reading.original(start, end).islower()


def _mention(
    reading: Reading, words: list[tuple[str, int, int]], index: int, size: int, name: str, home: frozenset[str]
) -> Mention | None:
    start, end = words[index][1], words[index + size - 1][2]
    if size > 1 and "  " in reading.plain[start:end]:
        return None
    sure = _sureness(reading, start, end, words[index - 1][0] if index else "", name)
    if sure < 0.3:
        return None
    code = CODE.match(reading.plain, end + 1) if reading.plain[end : end + 1] in (" ", "(") else None
    goal = DIRECTION.search(reading.plain, max(0, start - 20), start) is not None
    departement = code[1].upper() if code and (code[0].startswith("(") or code[0].endswith(")")) else None
    toponyms = _of_level(gazetteer().lookup(name), reading.plain[max(0, start - 8) : start])
    if not toponyms or (sure < CUED and departement is None and not _well_known(toponyms, home)):
        return None
    return Mention(start, end, sure, toponyms, departement, goal)


def _well_known(toponyms: tuple[Toponym, ...], home: frozenset[str]) -> bool:
    """Whether a bare name is likelier a place than a person: a large one, or one of the agency's own."""
    least = {"commune": 25_000, "district": 25_000}
    return any(
        t.departement in home or t.population >= (least.get(t.level, 0) if t.country == "FR" else 150_000)
        for t in toponyms[:3]
    )


def _sureness(reading: Reading, start: int, end: int, previous: str, name: str) -> float:
    """How likely a string of letters that is a place's name is meant as one here, from letters and company."""
    first, last = reading.folded.span(start, end)
    written = reading.text[first:last]
    shouted = reading.text.isupper()
    capital = written[:1].isupper() and not shouted
    tag = start > 0 and reading.plain[start - 1] == "#"
    here = previous in HERE or (start > 0 and TOWN.search(reading.plain, 0, start) is not None)
    common = name in common_names() or (" " not in name and len(name) <= 3)
    opening = not reading.text[:first].strip(" \"'«#@([-–:.!?") or reading.text[:first].rstrip()[-1:] in ".!?:\n"
    sure = 0.15 + 0.35 * capital + 0.3 * here + 0.3 * tag + 0.1 * (previous in OF)
    sure += 0.2 * (" " in name and len(name) > 7) + 0.1 * ("-" in written) + 0.1 * shouted
    sure -= 0.15 * (capital and opening and not here) + (0.1 if previous in ("monsieur", "madame", "mr", "mme") else 0)
    if common:
        sure -= 0.3 if capital and here else 0.55
    return sure


def _of_level(toponyms: tuple[Toponym, ...], before: str) -> tuple[Toponym, ...]:
    """``en Mayenne`` and ``dans le Nord`` name a département, a région or a country; ``à Mayenne`` a commune."""
    wide = [t for t in toponyms if t.level != "commune"]
    if wide and len(wide) < len(toponyms):
        article = re.search(r"\b(?:en|la|le|les|dans le|dans la|du|l') ?$", before) is not None
        if article or wide[0].level == "country":
            return (*wide, *(t for t in toponyms if t.level == "commune"))
        return (*(t for t in toponyms if t.level == "commune"), *wide)
    return toponyms


def _location(reading: Reading, mention: Mention, all_: list[Mention], home: frozenset[str]) -> Location:
    anchors = [other.toponyms[0] for other in all_ if other is not mention and len(other.toponyms) == 1]
    code = mention.departement or next((other.departement for other in all_ if other.departement), None)
    ranked = sorted(
        enumerate(mention.toponyms[:40]), key=lambda pair: (-_weight(reading, pair[1], anchors, code, home), pair[0])
    )
    best = [toponym for _, toponym in ranked[: SHOWN + 1]]
    weights = [math.exp(_weight(reading, toponym, anchors, code, home) / SPREAD) for toponym in best]
    if best[0].level != mention.toponyms[0].level:
        best.sort(key=lambda toponym: toponym.level != mention.toponyms[0].level)
    confidence = min(0.95, 0.4 + 0.6 * mention.sure) * weights[0] / sum(weights)
    first, last = reading.folded.span(mention.start, mention.end)
    place = _of(best[0], reading.text[first:last], first, last)
    others = tuple(_alternative(toponym) for toponym in best[1:])
    role = "direction" if mention.goal else "event"
    return replace(place, confidence=round(max(0.05, confidence), 2), alternatives=others, role=role)


def _weight(
    reading: Reading, toponym: Toponym, anchors: list[Toponym], code: str | None, home: frozenset[str]
) -> float:
    """How likely a place of that name is meant: many people, the expected country, the département told, company."""
    weight = math.log10(toponym.population + 10)
    weight += {"commune": 0.0, "district": -1.0}.get(toponym.level, -0.5)
    if toponym.country == "FR":
        weight += 3.0 - ABROAD.get(reading.lang, 2.0)
    if code is not None:
        weight += 5.0 if toponym.departement == code else 0.0
    if toponym.departement in home:
        weight += 2.0
    spots = [(a.lat, a.lon) for a in anchors] + ([reading.near] if reading.near else [])
    if any(distance_m(toponym.lat, toponym.lon, *spot) < NEAR_M for spot in spots):
        weight += 2.5
    return weight


def _of(toponym: Toponym, text: str, start: int, end: int) -> Location:
    return Location(
        text, start, end, toponym.name, toponym.level, "event", toponym.lat, toponym.lon, toponym.radius_m,
        toponym.country,
        toponym.admin1, toponym.departement, toponym.insee,
    )  # fmt: skip


def _alternative(toponym: Toponym) -> dict[str, object]:
    return {
        "name": toponym.name, "level": toponym.level, "lat": toponym.lat, "lon": toponym.lon,
        "country": toponym.country,
        "departement": toponym.departement, "insee": toponym.insee,
    }  # fmt: skip


def _codes(reading: Reading) -> Iterator[Location]:
    """``dans le 49``: the département of that number."""
    for match in IN_CODE.finditer(reading.plain):
        toponym = gazetteer().departement(match[1].upper())
        if (
            toponym
            and reading.lang == "fr"
            and not re.match(r"\s*(?:e|h|ans|min|euros|%|€)", reading.plain[match.end() :])
        ):
            first, last = reading.folded.span(match.start(1), match.end(1))
            yield replace(_of(toponym, reading.text[first:last], first, last), confidence=0.7)
