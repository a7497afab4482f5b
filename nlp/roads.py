"""Spots on roads and named streets, as people write them. They get no position of their own: nobody measured one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.reading import Reading
from store.records import Location, Road

REF = re.compile(
    r"(?<![\w#@])(?:autoroute |nationale |departementale |l')?([andm]|rn|rd|rocade )[ -]?(\d{1,4})([a-z])?(?![\w'])"
)
ENGLISH = re.compile(r"(?<![\w#@])(?:interstate |i-|highway |hwy |route |us-)(\d{1,3})\b")
SENS = re.compile(r"\b(?:sens|direction|dir|vers|en direction de|towards|(north|south|east|west)bound)\s*(?:de\s|d')?")
NAME = re.compile(r"[\w'’-]+(?:[ -](?:(?:sur|sous|les|en|de|la|le|du)[ -])?(?!PR|PK)[A-ZÀ-Þ][\w'’-]+){0,2}")
PR = re.compile(r"\b(?:pr|pk|km|point kilometrique|borne)\s*(\d{1,3}(?:[+.,]\d{1,4})?)\b")
EXIT = re.compile(r"\b(?:sortie|echangeur|exit|junction|jct|j)\s*(?:n°|no|n)?\s*(\d{1,2}[a-z]?)\b")
BETWEEN = re.compile(r"\b(?:entre|between)\s+")
AND = re.compile(r"\s+(?:et|and)\s+")
COMPANY = re.compile(
    r"\b(?:accident|bouchon|autoroute|route|sens|direction|pr|pk|sortie|echangeur|circulation|voie|carambolage|coupee|"
    r"motorway|junction|exit|lane|traffic|crash|lorry|car|camion|voiture|bretelle|peage|aire|fermee|closed|sur l'|"
    r"sur la)\b"
)
NAMES = {"rn": "N", "rd": "D"}
NEAR = 60


def roads(reading: Reading) -> Iterator[Location]:
    """Each road named with company that says a road is meant, with what is told of the spot."""
    folded = reading.plain
    for match in REF.finditer(folded):
        letter = match[1].strip()
        if letter == "rocade" or not _meant(folded, match):
            continue
        ref = f"{NAMES.get(letter, letter.upper())}{match[2]}{(match[3] or '').upper()}"
        yield _road(reading, ref, match.start(1), match.end())
    for match in ENGLISH.finditer(folded):
        yield _road(reading, f"I-{match[1]}" if folded[match.start()] == "i" else match[1], match.start(), match.end())


def _meant(folded: str, match: re.Match[str]) -> bool:
    around = folded[max(0, match.start() - NEAR) : match.start()] + " " + folded[match.end() : match.end() + NEAR]
    return bool(COMPANY.search(around))


def _road(reading: Reading, ref: str, start: int, end: int) -> Location:
    folded = reading.plain
    rest = folded[end : end + NEAR]
    pr, exit_ = PR.search(rest), EXIT.search(rest) or EXIT.search(folded[max(0, start - 25) : start])
    origin, goal = _between(reading, end)
    road = Road(ref, pr[1] if pr else None, exit_[1] if exit_ else None, _direction(reading, end), origin, goal)
    first, last = reading.folded.span(start, end)
    return Location(reading.text[first:last], first, last, ref, "road", confidence=0.85, road=road)


def _direction(reading: Reading, end: int) -> str | None:
    match = SENS.search(reading.plain, end, end + NEAR)
    if match is None:
        return None
    return match[1] or _name_at(reading, match.end())


def _between(reading: Reading, end: int) -> tuple[str | None, str | None]:
    match = BETWEEN.search(reading.plain, end, end + NEAR)
    if match is None:
        return None, None
    second = AND.search(reading.plain, match.end(), match.end() + NEAR)
    return _name_at(reading, match.end()), _name_at(reading, second.end()) if second else None


def _name_at(reading: Reading, start: int) -> str | None:
    """The name that begins at ``start`` of the folded text, in the post's own letters."""
    if start >= len(reading.plain):
        return None
    first, _ = reading.folded.span(start, start + 1)
    match = NAME.match(reading.text, first)
    return match[0] if match and not match[0].isdigit() else None
