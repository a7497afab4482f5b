"""Streets, quarters, buildings and natural places named in a post: known by name only, so without a position."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nlp.reading import Reading
from store.records import Location

KINDS = {
    "street": "rue|avenue|av|bd|bld|boulevard|quai|chemin|impasse|allee|cours|square|venelle|esplanade|ruelle|"
    "place|faubourg",
    "district": "quartier|lotissement|hameau|lieu-dit|lieu dit|cite|residence|zac|faubourg",
    "poi": "gare|lycee|college|ecole|hopital|clinique|chu|mairie|stade|centre commercial|zone industrielle|zi|"
    "zone artisanale"
    "|usine|aeroport|aerodrome|eglise|cathedrale|piscine|musee|caserne|pont|camping|salle|theatre|parc|barrage|"
    "port|tour"
    "|pharmacie|restaurant|universite|fac|entrepot|raffinerie|station|centrale|ehpad|marche|tunnel|viaduc",
    "natural": "foret|lac|massif|col|mont|ile|etang|plage|falaise|bois|riviere|plan d'eau|vallee|pinede|gorges|baie",
}
LEVEL = {kind: level for level, kinds in KINDS.items() for kind in kinds.split("|")}
FRENCH = re.compile(
    r"(?<![\w'-])(\d{1,4}(?: ?(?:bis|ter))?,? )?(?:le |la |l')?("
    + "|".join(sorted(LEVEL, key=len, reverse=True))
    + r")s?\s+"
)
LINK = r"(?:(?:de la|de l'|des|de|du|d'|la|le|les|aux|au|l'|saint|st|ste|sainte)[ -]?)"
PROPER = re.compile(
    rf"{LINK}{{0,2}}['’]?(?:(?:[A-ZÀ-Þ0-9][\w'’-]*)(?:\s+(?:(?:de la|des|de|du|d'|la|le|les|et|"
    rf"aux)\s)?[A-ZÀ-Þ][\w'’-]*){{0,3}})"
)
LOWER = re.compile(r"(?:(?:de la|de l'|des|de|du|d')\s?)?[a-zà-ÿ'’-]{3,}")
ENGLISH = re.compile(
    r"\b((?:[A-Z][\w'-]+ ){1,3})(Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Square|Bridge|Station|Hospital|School|"
    r"Park|Airport"
    r"|Stadium|Mall|Church|University|College|Estate|Forest|Lake|River|Beach|Hill)\b"
)
ENGLISH_LEVEL = {
    **dict.fromkeys(("Street", "St", "Road", "Rd", "Avenue", "Ave", "Lane", "Drive", "Square"), "street"),
    "Estate": "district",
    **dict.fromkeys(("Forest", "Lake", "River", "Beach", "Hill"), "natural"),
}
LOWER_KINDS = frozenset({"rue", "avenue", "boulevard", "bd", "quai", "quartier", "impasse", "faubourg"})
NOT_NAMES = frozenset(
    {"est", "qui", "dans", "avec", "pour", "sur", "sous", "les", "des", "une", "pietonne", "principale", "ou"}
)


def named_places(reading: Reading) -> Iterator[Location]:
    """Named streets, quarters, buildings and natural places, in order, none inside another."""
    last = 0
    if reading.lang in ("en", "es", "it", "pt"):
        yield from _english(reading)
        return
    for match in FRENCH.finditer(reading.plain):
        begin = match.start(1) if match[1] else match.start(2)
        end = _name_end(reading, match)
        if end is not None and begin >= last:
            last = end
            yield _place(reading, begin, end, LEVEL[match[2]])


def _english(reading: Reading) -> Iterator[Location]:
    for match in ENGLISH.finditer(reading.text):
        level = ENGLISH_LEVEL.get(match[2], "poi")
        yield Location(match[0], match.start(), match.end(), match[0], level, confidence=0.6)


def _name_end(reading: Reading, match: re.Match[str]) -> int | None:
    """Where the name after a kind of place ends in the folded text; None where no name follows."""
    if match.end() >= len(reading.plain):
        return None
    first, _ = reading.folded.span(match.end(), match.end() + 1)
    found = None if reading.text.isupper() else PROPER.match(reading.text, first)
    if found is None and match[2] in LOWER_KINDS:
        found = LOWER.match(reading.text.lower(), first)
        if found and found[0].split()[-1] in NOT_NAMES:
            found = None
    if found is None or found.end() == first:
        return None
    return match.end() + (found.end() - first) if reading.folded.offsets is None else _folded_at(reading, found.end())


def _folded_at(reading: Reading, original: int) -> int:
    offsets = reading.folded.offsets or ()
    return next((index for index, offset in enumerate(offsets) if offset >= original), len(offsets))


def _place(reading: Reading, begin: int, end: int, level: str) -> Location:
    first, last = reading.folded.span(begin, end)
    text = reading.text[first:last].rstrip(" '’-")
    return Location(text, first, first + len(text), text, level, confidence=0.6)
