"""Component ``vigie_when``: whether what a post tells is now, imminent, past, hypothetical or an exercise."""

from __future__ import annotations

import re

from spacy.language import Language

from nlp.deep.findings import Component, Findings

FUTURE = re.compile(
    r"\b(?:va|vont|devrait|devraient|sera|seront) (?:\w+ )?(?:ceder|deborder|passer|arriver|toucher|frapper|"
    r"exploser|tomber|"
    r"atteindre|balayer|tuer|bruler|cramer|casser|piller|attaquer|sauter)|\b(?:will|going to|gonna|expected to|"
    r"about to) "
    r"(?:\w+ )?(?:hit|reach|make|burst|flood|collapse|burn|kill|shoot|attack|blow|rise|strike|peak)"
)
YEARS_AGO = re.compile(
    r"\b(?:il y a|voila) (?:\w+ )?(?:un|deux|trois|quatre|cinq|dix|quinze|vingt|trente|\d+) (?:ans?|mois|siecles?|"
    r"decennies?)\b|"
    r"\b(?:\d+|one|two|three|five|ten|twenty|thirty|fifty) (?:years|months|decades) (?:ago|on|since)\b|"
    r"\b(?:1[89]\d\d|20[01]\d)\b|\b(?:ans|annees) (?:apres|plus tard)\b"
)
IF = re.compile(
    r"^(?:et )?si (?:jamais |un jour )?|\bwhat if\b|\bque faire (?:si|en cas)|\bimagin|\bau cas ou\b|\bin case of\b"
)
FRESH = re.compile(
    r"\bil y a (?:\d+|cinq|dix|quinze|vingt|quelques) ?(?:min|minutes?|sec|secondes?|h|heures?)\b|\b\d+ ?(?:min|"
    r"minutes|hours?) ago\b"
)
PRESENT = re.compile(
    r"\b(?:brule|deborde|monte|tire|tirent|s'effondre|coule|fuit|attaque|menace|crient|courent|explose|arrivent|"
    r"evacuent|evacue|"
    r"sent|tremble|est en cours|sont en cours|vient de|viennent de|is burning|are burning|is rising|is flooding|"
    r"are trapped|"
    r"en cours|y a|ya)\b|\b\w+ing\b.*\bnow\b"
)


@Language.factory("vigie_when")
class Moment(Component):
    """Sets ``when`` from cues, strongest first: exercise, hypothetical, past, imminent, now."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        findings.when = _when(findings.text, findings)


def _when(text: str, findings: Findings) -> str | None:
    fresh = findings.has("here_now") or FRESH.search(text) is not None
    if findings.has("exercise"):
        return "exercise"
    if IF.search(text) or (findings.has("hypothetical") and not fresh and "?" in text):
        return "hypothetical"
    if not fresh and (YEARS_AGO.search(text) or findings.has("past")):
        return "past"
    if FUTURE.search(text) or (findings.has("imminent") and not fresh and not findings.has("dead", "injured")):
        return "imminent"
    if (
        fresh
        or PRESENT.search(text)
        or findings.has("help_call", "trapped", "caution", "news", "rescue", "injured", "smoke")
    ):
        return "now"
    return "now" if findings.hazards() else None
