"""The pipelines: blank French and English with our components, built once; what they find corrects the fast path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import spacy
from spacy.language import Language

from nlp.automaton import Hit
from nlp.deep import (  # noqa: F401 - importing them registers their factories
    fields,
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
from nlp.fast import MAX_ODDS, NO_NEED, probability
from nlp.hazard import FLOOR
from nlp.reading import Reading
from store.records import Quantity, Scored

RULES = (
    "vigie_negation",
    "vigie_hearsay",
    "vigie_when",
    "vigie_quantities",
    "vigie_voice",
    "vigie_stance",
    "vigie_threat",
)
NAMES = (*RULES, "vigie_fields")
Meant = dict[str, dict[str, float]]
LANGS = frozenset({"fr", "en"})
LONGEST = 3000
"""Folded characters that are read deeply; what a post says after that is left to the fast path."""
ABOUT = 0.15
"""How likely a post must be about harm for its need and hazard to be told."""
INSTEAD, AT_ALL = 0.5, 0.3
"""How likely a hazard that no word names outright must be: to replace one that words hint at, to be told at all."""


@cache
def pipeline(lang: str, names: tuple[str, ...] = NAMES) -> Language:
    """The pipeline of a language; it can be saved with ``to_disk`` and loaded where :mod:`nlp.deep` is imported."""
    nlp = French() if lang == "fr" else spacy.blank(lang)
    for name in names:
        nlp.add_pipe(name)
    return nlp


def examined(plain: str, hits: Sequence[Hit], nlp: Language, meant: Meant | None = None) -> Findings:
    """What the components of a pipeline find in a folded text of its language; ``meant``: what a second look found."""
    doc = nlp.make_doc(text := plain[:LONGEST])
    findings = found(doc, text)
    findings.hits, findings.meant = [hit for hit in hits if hit.end <= LONGEST], meant
    nlp(doc)
    return findings


def read_deeply(reading: Reading) -> None:
    """Run the components over a post of a supported language and correct its reading."""
    if reading.known and reading.lang in LANGS:
        correct(reading, examined(reading.plain, reading.hits, pipeline(reading.lang), reading.meant))
    reading.depth = "full"


def correct(reading: Reading, findings: Findings) -> None:
    """Bring what was found into the reading: fields are set, log-odds move a step for what is likely."""
    reading.quantities = tuple(_original(reading, quantity) for quantity in findings.quantities)
    if reading.drill:
        _as_if_real(findings)
    reading.when, reading.refuted, reading.stance = findings.when, findings.refuted, findings.stance
    reading.source = findings.voice or reading.source
    if (about := probability(reading.odds["about"])) >= ABOUT:
        reading.need = _likeliest(findings.chances["need"], about)
        reading.hazard = _hazard(reading, findings, about)
    for head, shift in shifts(findings).items():
        reading.odds[head] = max(-MAX_ODDS, min(MAX_ODDS, reading.odds[head] + shift))


def _as_if_real(findings: Findings) -> None:
    """A post that itself belongs to an exercise tells of it as of something real."""
    chances = findings.chances["when"]
    chances["now"], chances["exercise"] = chances["now"] + chances["exercise"], 0.0
    findings.when = "now" if findings.when == "exercise" else findings.when


def _hazard(reading: Reading, findings: Findings, about: float) -> Scored | None:
    """What words name outright; else what is learnt, where it is likely enough."""
    chances = findings.chances["hazard"]
    outright = reading.hazard and any(hit.term.strong for hit in findings.hazards())
    if outright or max(chances.values()) < (INSTEAD if reading.hazard else AT_ALL):
        return reading.hazard
    found = _likeliest(chances, about)
    return found if found and found.p >= FLOOR else reading.hazard


def _likeliest(chances: Mapping[str, float], about: float) -> Scored | None:
    """The likeliest class, no likelier than that the post is about harm at all."""
    name = max(chances, key=chances.__getitem__)
    return None if name == NO_NEED else Scored(name, round(chances[name] * about, 3))


def shifts(findings: Findings) -> dict[str, float]:
    """Head → change of its log-odds. Larger steps, and weights learnt from all of this, told fewer of the crises at as
    many false alarms."""
    when, taken, source = (findings.chances[family] for family in ("when", "stance", "source"))
    refuted, exercise = findings.chances["refuted"]["true"], when["exercise"]
    witnessed = sum(source[name] for name in ("eyewitness", "relative", "authority", "media"))
    return {
        "emerging_incident": -(when["past"] + when["hypothetical"]) - 2 * exercise - 2 * refuted,
        "public_order_threat": findings.threat - 2 * exercise,
        "rumour": 0.5 * findings.hearsay - 2 * refuted - witnessed - taken["asks"],
    }


def _original(reading: Reading, quantity: Quantity) -> Quantity:
    start, end = reading.folded.span(quantity.start, quantity.end)
    return Quantity(quantity.kind, quantity.op, quantity.value, start, end)
