"""Component ``vigie_quantities``: numbers of people and things, each with how exact it is."""

from __future__ import annotations

import re

from spacy.language import Language

from nlp.deep.findings import Component, Findings
from store.records import Quantity

WORDS = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9,
    "dix": 10,
    "onze": 11, "douze": 12, "treize": 13, "quatorze": 14, "quinze": 15, "seize": 16, "vingt": 20, "trente": 30,
    "quarante": 40, "cinquante": 50, "soixante": 60, "septante": 70, "nonante": 90, "cent": 100, "mille": 1000,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "thirteen": 13, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
}  # fmt: skip
ROUND = {
    "dizaine": 10, "douzaine": 12, "quinzaine": 15, "vingtaine": 20, "trentaine": 30, "quarantaine": 40,
    "cinquantaine": 50,
    "soixantaine": 60, "centaine": 100, "millier": 1000, "dozen": 12, "hundred": 100, "thousand": 1000,
}  # fmt: skip
MANY = {
    "dizaines": 20,
    "centaines": 200,
    "milliers": 2000,
    "dozens": 24,
    "hundreds": 200,
    "thousands": 2000,
    "scores": 40,
}
KINDS = {
    "injured": r"blesse[es]*|brules?|intoxique[es]*|hospitalise[es]*|injured|wounded|hurt|casualties|"
    "(?:personnes )?brulees?",
    "dead": r"morte?s?|tue[es]*|deces|decede[es]*|victimes mortelles|dead|deaths?|killed|fatalities|bodies|corps",
    "missing": r"disparu[es]*|portee?s? disparue?s?|missing|unaccounted",
    "evacuated": r"evacue[es]*|reloge[es]*|deplace[es]*|evacuated|evacuees|displaced|sinistre[es]*|homeless",
    "trapped": r"coince[es]*|bloque[es]*|piege[es]*|enseveli[es]*|trapped|stranded|stuck|buried",
    "people": r"personnes?|habitants?|riverains?|eleves|enfants?|passagers?|salaries|people|residents|children|"
    "passengers|workers",
    "households": r"foyers?|clients?|abonnes|logements|households|homes|customers|houses|maisons?|familles?|families",
    "vehicles": r"voitures?|vehicules?|camions?|poids lourds|cars?|vehicles?|lorries|trucks",
    "firefighters": r"pompiers|sapeurs-pompiers|firefighters",
    "hectares": r"hectares?|ha|acres?",
    "speed_kmh": r"km/h|kmh",
    "water_m": r"m d'eau|metres? d'eau",
    "water_cm": r"cm d'eau|centimetres? d'eau|cm",
}
NUMBER = (
    r"(?P<number>\d{1,3}(?:[ .,\u202f]\d{3})+|\d+(?:[.,]\d+)?|"
    + "|".join(sorted({*WORDS, *ROUND, *MANY}, key=len, reverse=True))
    + r")"
)
KIND = "|".join(f"(?P<{kind}>{words})" for kind, words in KINDS.items())
COUNT = re.compile(
    rf"(?<![\w,.:/-]){NUMBER}(?: ?(?:a|-|to|ou|or|et|and) ?(?P<upper>\d+))?(?: (?:de|d'|of))? ?"
    rf"(?:(?:personnes?|people|enfants|children|autres|jeunes|more|nouveaux|ouvriers|hommes|femmes|civils|salaries)"
    rf"(?: (?:ont ete|sont|are|were|have been|gravement|legerement))? )?(?:{KIND})(?![\w'])"
)
OPS = (
    (
        "at_least",
        re.compile(r"(?:au moins|minimum|plus d'|plus de|deja|at least|more than|over|min)(?: (?:une?|des|a))? ?$"),
    ),
    (
        "at_most",
        re.compile(
            r"(?:au plus|au maximum|jusqu'a|moins de|at most|up to|fewer than|less than|under|max)(?: une?)? ?$"
        ),
    ),
    (
        "about",
        re.compile(
            r"(?:environ|autour de|pres de|a peu pres|quelque|about|around|nearly|almost|some|~|±)(?: (?:une?|a))? ?$"
        ),
    ),
)
MAGNITUDE = re.compile(r"\bmagnitude(?: de| of)? (?P<number>\d(?:[.,]\d)?)")


@Language.factory("vigie_quantities")
class Quantities(Component):
    """Reads ``au moins 2 blessés``, ``une trentaine d'évacués``, ``3 à 5 morts`` (two bounds), ``magnitude 4,9``."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        read = findings.quantities
        for match in COUNT.finditer(findings.text):
            read.extend(_counted(findings.text, match))
        for match in MAGNITUDE.finditer(findings.text):
            value = float(match["number"].replace(",", "."))
            read.append(Quantity("magnitude", "exactly", value, match.start("number"), match.end()))


def _counted(text: str, match: re.Match[str]) -> list[Quantity]:
    kind = next(name for name in KINDS if match[name])
    number, start, end = match["number"], match.start(), match.end()
    if match["upper"]:
        bounds = (("at_least", _value(number)), ("at_most", float(match["upper"])))
        return [Quantity(kind, op, value, start, end) for op, value in bounds]
    before = text[max(0, start - 20) : start]
    op = next((name for name, pattern in OPS if pattern.search(before)), None)
    if number in MANY:
        return [Quantity(kind, "at_least", float(MANY[number]), start, end)]
    if op is None:
        op = "about" if number in ROUND else "exactly"
    return [Quantity(kind, op, _value(number), start, end)]


def _value(number: str) -> float:
    if number in WORDS or number in ROUND:
        return float(WORDS.get(number) or ROUND[number])
    if re.fullmatch(r"\d{1,3}(?:[ .,\u202f]\d{3})+", number):
        return float(re.sub(r"\D", "", number))
    return float(number.replace(",", "."))
