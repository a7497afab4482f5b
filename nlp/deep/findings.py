"""What the deep components leave on a document for the correction step."""

from __future__ import annotations

from dataclasses import dataclass, field

from spacy.language import Language
from spacy.tokens import Doc

from nlp.automaton import Hit
from store.records import Quantity


@dataclass(slots=True)
class Findings:
    """Filled in by the components. ``hits`` are the lexicon's, with offsets into ``text``, the document's folded text
    (kept here, because a document puts its text together anew each time it is asked); ``spared``: all that is denied is
    that people were hurt, or that help comes; ``meant``: family → class → probability, by a second look."""

    doc: Doc
    text: str
    hits: list[Hit] = field(default_factory=list)
    negated: bool = False
    refuted: bool = False
    spared: bool = False
    hearsay: bool = False
    sourced: bool = False
    when: str | None = None
    quantities: list[Quantity] = field(default_factory=list)
    voice: str | None = None
    stance: str | None = None
    threat: float = 0.0
    meant: dict[str, dict[str, float]] | None = None
    chances: dict[str, dict[str, float]] = field(default_factory=dict)

    def has(self, *concepts: str) -> bool:
        """Whether a term of one of these concepts was found."""
        return any(hit.term.concept in concepts for hit in self.hits)

    def hazards(self) -> list[Hit]:
        """The terms that name a hazard."""
        return [hit for hit in self.hits if hit.term.hazard]


_KEY = "vigie_findings"
"""Where a document keeps its findings: spaCy's extensions take three times as long to look one up."""


def found(doc: Doc, text: str | None = None) -> Findings:
    """The findings of a document, made when first asked for; ``text`` is the document's, where it is at hand."""
    findings: Findings | None = doc.user_data.get(_KEY)
    if findings is None:
        findings = doc.user_data[_KEY] = Findings(doc, doc.text if text is None else text)
    return findings


class Component:
    """A step of the pipeline, made by spaCy from its name: reads a document and notes what it finds."""

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name
        self.vocab = nlp.vocab

    def __call__(self, doc: Doc) -> Doc:
        """Note the findings on the document."""
        self.read(found(doc))
        return doc

    def read(self, findings: Findings) -> None:
        """What the component adds to the findings."""
        raise NotImplementedError
