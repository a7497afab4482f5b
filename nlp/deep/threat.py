"""Component ``vigie_threat``: violence announced against somebody, and what shows that it is none."""

from __future__ import annotations

import re

from spacy.language import Language

from nlp.deep.findings import Component, Findings

WILL = (
    r"(?:je vais|j'vais|jvais|on va|nous allons|faut|il faut|allons|on|ils vont|je|i will|i'll|i'm going to|gonna|"
    r"we will|we'll|"
    r"we're|let's|lets|we)"
)
HARM = (
    r"(?:tuer|buter|planter|egorger|fumer|descendre|cramer|bruler|casser|defoncer|exploser|massacrer|lyncher|"
    r"poignarder|tirer|"
    r"ecraser|foncer|piller|crame|brule|casse|demonte|pete|kill|shoot|stab|burn|torch|smash|bomb|lynch|loot|attack|"
    r"hang|run over)"
)
ANNOUNCED = re.compile(rf"\b{WILL} (?:(?:le|la|les|leur|te|vous|tout|tous|them|him|her|you|all|me|lui) )*{HARM}\b")
MEANS = re.compile(
    r"\b(?:mortiers?|cocktails? molotov|essence|bidons?|petrol|fusil|kalach|couteau|lame|machette|surin|cutter|"
    r"battes?|barres? de fer|"
    r"cagoules?|bombe|explosifs?|calibres?|masses?|pieds? de biche|crowbars?|rifle|gun|knife|bats|fuel|masks|"
    r"device|balles)\b"
)
PLAN = re.compile(
    r"\b(?:rdv|rendez-vous|ce soir|demain|samedi|dimanche|lundi|mardi|mercredi|jeudi|vendredi|\d{1,2} ?h(?:\d\d)?|"
    r"minuit|midi|cette nuit|"
    r"ramenez|venez|prenez|amenez|tonight|tomorrow|meet|bring|\d{1,2} ?[ap]m|monday|saturday)\b"
)
TARGET = re.compile(
    r"\b(?:commissariat|mairie|prefecture|pref|lycee|college|ecole|bahut|mosquee|synagogue|eglise|gens|flics|keufs|"
    r"police|maire|depute|"
    r"chauffeur|foule|passants|school|council|police|mosque|church|hostel|crowd|mayor|station|permanence|depot|"
    r"magasin|centre commercial)\b"
)
UNSERIOUS = ("joke", "fiction", "sport", "figurative", "advert")


@Language.factory("vigie_threat")
class Threat(Component):
    """Sets ``threat``: above 0 for announced violence with means, plan or target; below 0 for jest, lyrics or a "
    "report."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        findings.threat = _weight(findings.text, findings)


def _weight(text: str, findings: Findings) -> float:
    announced = ANNOUNCED.search(text) is not None or findings.has("threat")
    concrete = sum(pattern.search(text) is not None for pattern in (MEANS, PLAN, TARGET))
    if findings.has("self") or (findings.has("report") and not concrete > 1):
        return -3.0
    unserious = sum(findings.has(cue) for cue in UNSERIOUS)
    if unserious:
        return -3.0 * unserious
    if not announced:
        return 0.2 if concrete == 3 else -0.6
    return {0: -0.3, 1: -0.2, 2: 0.5, 3: 0.8}[concrete]
