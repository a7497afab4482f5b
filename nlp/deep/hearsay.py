"""Component ``vigie_hearsay``: claims passed on (``il paraît que``, the press's conditional) and named sources."""

from __future__ import annotations

from spacy.language import Language
from spacy.matcher import Matcher

from nlp.deep.findings import Component, Findings

CONDITIONAL = {"TEXT": {"IN": ["aurait", "auraient", "serait", "seraient"]}}
PARTICIPLE = {"TEXT": {"REGEX": r".{2,}(?:e|es|ee|ees|i|is|u|us|t|ts|mort|morts)$"}}
SOURCES = {
    "IN": [
        "prefecture", "prefet", "pompiers", "sdis", "police", "gendarmerie", "mairie", "maire", "samu", "ars",
        "procureur", "parquet", "afp", "ministre", "ministere", "meteo", "vigicrues", "sncf", "enedis", "officials",
        "authorities", "fire", "mayor", "council", "spokesperson", "reuters", "bbc", "department", "service",
        "governor",
    ]
}  # fmt: skip
SAYS = {
    "IN": ["confirme", "confirment", "annonce", "indique", "say", "says", "said", "confirm", "confirmed", "confirms"]
}
ARTICLE = {"TEXT": {"IN": ["la", "le", "les", "l'", "un"]}, "OP": "?"}
SOURCED = (
    [{"TEXT": {"IN": ["selon", "d'apres", "apres"]}}, ARTICLE, {"TEXT": SOURCES}],
    [{"TEXT": "according"}, {"TEXT": "to"}, {"OP": "?"}, {"OP": "?"}, {"TEXT": SOURCES}],
    [{"TEXT": SOURCES}, {"TEXT": SAYS}],
)


@Language.factory("vigie_hearsay")
class Hearsay(Component):
    """Marks a document as ``hearsay`` when a claim is passed on, ``sourced`` when an institution is named for it."""

    def __init__(self, nlp: Language, name: str) -> None:
        super().__init__(nlp, name)
        self._conditional = Matcher(self.vocab)
        self._conditional.add("CONDITIONAL", [[CONDITIONAL, {"OP": "?"}, PARTICIPLE]])
        self._sourced = Matcher(self.vocab)
        self._sourced.add("SOURCED", list(SOURCED))

    def read(self, findings: Findings) -> None:
        """Note it."""
        findings.sourced = bool(self._sourced(findings.doc))
        press = findings.has("conditional") and bool(self._conditional(findings.doc))
        claim = bool(findings.hazards()) or findings.has("injured", "dead", "missing")
        findings.hearsay = findings.has("hearsay") or (press and claim)
