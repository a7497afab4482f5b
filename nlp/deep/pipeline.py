"""The pipelines: blank French and English with our components, built once; what they find corrects the fast path."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import spacy
from spacy.language import Language

from nlp.automaton import Hit
from nlp.deep import (  # noqa: F401 - importing them registers their factories
    hearsay,
    moment,
    negation,
    quantities,
    stance,
    threat,
    voice,
)
from nlp.deep.findings import Findings, found
from nlp.deep.french import French
from nlp.fast import MAX_ODDS
from nlp.reading import Reading
from store.records import Quantity

NAMES = (
    "vigie_negation",
    "vigie_hearsay",
    "vigie_when",
    "vigie_quantities",
    "vigie_voice",
    "vigie_stance",
    "vigie_threat",
)
LANGS = frozenset({"fr", "en"})
LONGEST = 3000
"""Folded characters that are read deeply; what a post says after that is left to the fast path."""
HARM = ("injured", "dead", "missing", "trapped", "evacuated", "damage", "blocked", "rescue")
"""What a claim that is a rumour is about, where it names no hazard."""
WHEN_SHIFT = {"past": -1.5, "hypothetical": -1.5, "exercise": -3.0, "imminent": 0.0, "now": 0.15}


@cache
def pipeline(lang: str, names: tuple[str, ...] = NAMES) -> Language:
    """The pipeline of a language; it can be saved with ``to_disk`` and loaded where :mod:`nlp.deep` is imported."""
    nlp = French() if lang == "fr" else spacy.blank(lang)
    for name in names:
        nlp.add_pipe(name)
    return nlp


def examined(plain: str, hits: Sequence[Hit], lang: str, names: tuple[str, ...] = NAMES) -> Findings:
    """What the components find in a folded text of French or English."""
    nlp = pipeline(lang, names)
    doc = nlp.make_doc(plain[:LONGEST])
    found(doc).hits = [hit for hit in hits if hit.end <= LONGEST]
    return found(nlp(doc))


def read_deeply(reading: Reading) -> None:
    """Run the components over a post of a supported language and correct its reading."""
    if reading.known and reading.lang in LANGS:
        correct(reading, examined(reading.plain, reading.hits, reading.lang))
    reading.depth = "full"


def correct(reading: Reading, findings: Findings) -> None:
    """Bring what was found into the reading: fields are set, log-odds move by a fixed step for each finding."""
    odds = reading.odds
    about = odds["about"] > -1.7 or bool(findings.hazards())
    reading.quantities = tuple(_original(reading, quantity) for quantity in findings.quantities)
    if not about:
        odds["public_order_threat"] += min(findings.threat, 0.0)
        odds["rumour"] -= 2.0
        return
    when = findings.when if not (reading.drill and findings.when == "exercise") else "now"
    reading.when, reading.refuted, reading.stance = when, findings.refuted, findings.stance
    reading.source = findings.voice or reading.source
    odds["emerging_incident"] += WHEN_SHIFT.get(when or "", 0.0) - 2.5 * findings.refuted
    odds["public_order_threat"] += findings.threat - 2.0 * (when == "exercise")
    odds["rumour"] += _rumour_shift(findings)
    for head, value in odds.items():
        odds[head] = max(-MAX_ODDS, min(MAX_ODDS, value))


def _rumour_shift(findings: Findings) -> float:
    if findings.refuted:
        return -3.0
    if not (findings.hazards() or findings.has(*HARM)):
        return -2.0
    if findings.hearsay:
        return -0.5 if findings.sourced else 2.0
    return -1.5 if findings.voice in ("eyewitness", "authority", "media", "relative") else -1.2


def _original(reading: Reading, quantity: Quantity) -> Quantity:
    start, end = reading.folded.span(quantity.start, quantity.end)
    return Quantity(quantity.kind, quantity.op, quantity.value, start, end)
