"""Nobody real in the corpus: no person's name, no telephone number, no street address with a number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.faults import Fault
from config.lexicon import common_words, given_names
from config.person import names_in
from config.text import fold
from nlp.training.written.finding import Finding, of_faults
from nlp.training.written.post import Written
from nlp.training.written.read import Corpus

PHONE = re.compile(r"(?<![\w/.#-])(?:\+|00)?\d(?:[ .\-/()]{0,2}\d){7,14}(?![\w/%])")
_STREETS_FR = (
    "rue|avenue|av|boulevard|bd|quai|place|chemin|allees?|allée|impasse|route|cours|sentier|ruelle|passage|square|"
    "faubourg|montée|venelle|lotissement|résidence"
)
_STREETS_EN = "Street|St|Road|Rd|Lane|Ln|Avenue|Ave|Close|Terrace|Drive|Dr|Crescent|Court|Way|Gardens|Row|Square"
ADDRESS = (
    re.compile(
        rf"\b\d{{1,4}}(?: ?(?:bis|ter|quater|[A-D]))?,? (?i:{_STREETS_FR}) "
        r"(?:(?:de|du|des|la|le|les)\b|[dl]['’]|[A-ZÉÈ])"
    ),
    re.compile(rf"\b\d{{1,4}}[a-d]? (?:[A-Z][\w'’-]+ ){{1,3}}(?:{_STREETS_EN})\b"),
)
_AMOUNT = re.compile(r"[1-9]\d{0,2}([ .]\d{3})+|\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}")
"""An amount in groups of three, or a day."""
MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}")
_SPACED = re.compile(r"[ -]+")
_PERHAPS = re.compile(r"[A-ZÀ-Ý][\w.]*[ -]+[A-ZÀ-Ý]")
"""Two words with a capital side by side: without them there is no name to look for."""


def faults(one: Written) -> Iterator[Fault]:
    """What in a post could lead to a real person."""
    for name in _names(one):
        yield one.fault("text", f'"{name}" reads as a person\'s name', "a given name alone, or none")
    for match in PHONE.finditer(one.text):
        if sum(map(str.isdigit, match[0])) >= 8 and not _AMOUNT.fullmatch(match[0]):
            yield one.fault("text", f'"{match[0]}" reads as a telephone number', "leave it out")
    for pattern in ADDRESS:
        for match in pattern.finditer(one.text):
            yield one.fault("text", f'"{match[0]}" reads as an address', "name the street without the number")
    for match in MAIL.finditer(one.text):
        yield one.fault("text", f'"{match[0]}" is a mail address', "leave it out")


def _names(one: Written) -> Iterator[str]:
    """Given name and surname, both with a capital and side by side, outside of the places that are marked."""
    hidden = list(one.text)
    for place in one.locations:
        hidden[place.start : place.end] = "," * (place.end - place.start)
    text = "".join(hidden)
    if text.isupper() or not _PERHAPS.search(text):
        return
    for name in names_in(text):
        parts = _SPACED.split(name)
        side_by_side = len(parts) > 1 and name in text and all(part[:1].isupper() for part in parts)
        ordinary = all(fold(part) in common_words() or fold(part) in given_names() for part in parts[1:])
        if side_by_side and not ordinary and len(parts[-1]) > 2:
            yield name


def check(corpus: Corpus) -> Finding:
    """Names, numbers and addresses in all posts."""
    found = [fault for one in corpus.posts for fault in faults(one)]
    return of_faults("nobody real", found, "persons' names, telephone numbers, addresses")
