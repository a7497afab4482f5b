"""Component ``vigie_voice``: who speaks, from person, mood and formulas."""

from __future__ import annotations

import re

from spacy.language import Language

from nlp.deep.findings import Component, Findings

FIRST = re.compile(
    r"\b(?:je|j'|j|mon|ma|mes|moi|on|nous|notre|chez moi|me|jsuis|chui|i|i'm|im|my|we|we're|our|us|me)\b"
)
SEES = re.compile(
    r"\b(?:je vois|on voit|j'entends|on entend|je viens de|on vient|devant (?:moi|chez|nous)|sous (?:mes|nos)|"
    r"ma fenetre|ma rue|"
    r"mon immeuble|chez moi|chez nous|on est (?:bloques|coinces|evacues|dehors)|ca (?:brule|sent|tire|tremble|pue|"
    r"explose|caillasse|"
    r"monte|craque)|y a|ya|i can (?:see|hear|smell)|just (?:saw|heard|felt)|we(?:'re| are) (?:stuck|trapped|out)|"
    r"our street|"
    r"my (?:street|window|house|building)|outside|la maintenant|a l'instant|right now|regardez|look at)\b"
)
FORMAL = re.compile(
    r"\b(?:evitez|confinez|fermez|ne (?:prenez|buvez|sortez|restez|relayez)|restez|montez|appelez le|composez|"
    r"merci de|priere de|"
    r"residents|please|do not|avoid|stay|move to|seek shelter|arrete de peril|perimetre|levee de l'alerte|"
    r"vigilance|niveau rouge|"
    r"dementi|aucun \w+ n'a|is closed|are advised|evacuation order|check your)\b"
)
HEADLINE = re.compile(
    r"^(?:info|flash|alerte info|breaking|update|urgent|direct|video|just in|[\w' -]{3,40} ?: )|selon (?:un|la|le|"
    r"les|nos)|according to|"
    r"bilan|a declare|\b(?:plusieurs|nombreux) blesses|\| |via @"
)
HELP = re.compile(
    r"\b(?:benevoles?|collecte|dons?|cagnotte|je peux (?:heberger|aider|preter)|volunteers?|donate|donations?|"
    r"poste de secours|battue)\b"
)
MARGIN = 1.0


@Language.factory("vigie_voice")
class Voice(Component):
    """Sets ``voice`` when one reading is clearly ahead."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        scores = sorted(_scores(findings.text, findings).items(), key=lambda item: -item[1])
        (first, best), (_, second) = scores[0], scores[1]
        if best >= 1.5 and best - second >= MARGIN:
            findings.voice = first


def _scores(text: str, findings: Findings) -> dict[str, float]:
    first, sees, formal = (pattern.search(text) is not None for pattern in (FIRST, SEES, FORMAL))
    headline, help_ = HEADLINE.search(text) is not None, HELP.search(text) is not None
    family = findings.has("family")
    return {
        "eyewitness": 1.0 * first
        + 1.5 * sees
        + 0.5 * findings.has("here_now", "panic")
        - 1.0 * formal
        - 2.0 * findings.hearsay,
        "relative": 3.0 * (family and findings.has("missing", "trapped", "help_call", "injured", "question", "rescue")),
        "authority": 1.5 * formal + 0.5 * findings.has("caution") + 0.5 * findings.has("denial") - 1.5 * first,
        "media": 1.5 * headline
        + 0.7 * findings.has("injured", "dead")
        + 0.5 * findings.sourced
        - 1.5 * first
        - 0.7 * sees,
        "volunteer": 2.0 * help_ + 0.5 * findings.has("donation"),
        "other": 2.5 * findings.hearsay,
    }
