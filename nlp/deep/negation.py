"""Component ``vigie_negation``: harm that is denied (``pas d'incendie``, ``no injuries``), and claims refuted."""

from __future__ import annotations

import re

from spacy.language import Language
from spacy.tokens import Doc

from nlp.automaton import Hit
from nlp.deep.findings import Component, Findings

REACH = 4
NEGATIONS = frozenset(
    [
        "pas",
        "aucun",
        "aucune",
        "ni",
        "jamais",
        "nul",
        "nulle",
        "no",
        "not",
        "never",
        "n't",
        "neither",
        "isnt",
        "wasnt",
        "arent",
        "didnt",
        "none",
        "nothing",
    ]
)
STOPS = frozenset([".", "!", "?", ";", ",", ":", "mais", "but", "car"])
NOT_YET = frozenset({"encore", "yet", "only", "seulement"})
HELPLESS = re.compile(
    r"\b(?:pompiers?|secours|ambulances?|samu|police|gendarmes|depanneurs?|personne|nobody|no one|help|medics|rescuers?"
    r"|fire ?(?:men|fighters|brigade|service|engines?))\b[^.!?;]{0,12}?(?:\bn'|\bne |\b(?:toujours|still) (?:pas|not)\b"
    r"|\b(?:not|never)\b|\b(?:is|are|has|have|wo|does|do|did)n'?t\b|\b(?:comes|answers|came)\b)"
)
"""What is denied is that somebody helps."""
ABSENCES = frozenset({"power_cut", "water_cut", "telecom_cut"})


@Language.factory("vigie_negation")
class Negation(Component):
    """Marks a document ``negated`` when every hazard in it is denied, ``refuted`` when a claim of harm is."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        hazards = [hit for hit in findings.hazards() if hit.term.concept not in ABSENCES]
        strong = [hit for hit in hazards if hit.term.strong] or hazards
        findings.negated = bool(strong) and all(_denied(findings.doc, hit) for hit in strong)
        helpless = HELPLESS.search(findings.text) is not None and not findings.negated
        findings.spared = _only_about_people(findings.hits) or (helpless and not findings.has("denial"))
        denied = findings.has("denial") and not findings.has("hearsay", "question")
        findings.refuted = findings.negated or (denied and bool(hazards) and not findings.spared)


def _denied(doc: Doc, hit: Hit) -> bool:
    """Whether a negation stands just before the term, in the same clause."""
    span = doc.char_span(hit.start, hit.end, alignment_mode="expand")
    if span is None:
        return False
    for token in reversed(doc[max(0, span.start - REACH) : span.start]):
        if token.text in STOPS:
            return False
        if token.text in NEGATIONS:
            following = doc[token.i + 1].text if token.i + 1 < len(doc) else ""
            return following not in NOT_YET
    return False


def _only_about_people(hits: list[Hit]) -> bool:
    """``aucun blessé`` denies casualties, not the event."""
    denials = {hit.term.text for hit in hits if hit.term.concept == "denial"}
    return bool(denials) and denials <= {
        "pas de victime",
        "aucun blesse",
        "aucune",
        "aucun danger",
        "aucun risque",
        "no danger",
    }
