"""Component ``vigie_stance``: what a post does with a claim: supports, denies, asks or comments."""

from __future__ import annotations

import re

from spacy.language import Language

from nlp.deep.findings import Component, Findings

CONFIRMS = re.compile(
    r"\b(?:je confirme|c'est (?:vrai|confirme)|c'est bien vrai|i (?:can )?confirm|it's true|confirmed)\b"
)


@Language.factory("vigie_stance")
class Stance(Component):
    """Sets ``stance``; None for a plain report."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        if findings.refuted:
            findings.stance = "denies"
        elif findings.has("question") or "?" in findings.text:
            findings.stance = "asks"
        elif findings.hearsay or CONFIRMS.search(findings.text):
            findings.stance = "supports"
        elif findings.has("sympathy", "politics", "thanks") and not findings.has("help_call"):
            findings.stance = "comments"
