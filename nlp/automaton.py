"""One pass over a folded post finds every term of the lexicon: hazards and cues, with their spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ahocorasick
import yaml

from nlp.text import fold

LEXICON = Path(__file__).parent / "lexicon"
HASHTAG_TERM = 6
"""Shortest term that may be found inside a hashtag such as ``#incendiecholet``."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the lexicon: what it means, whether it is a prefix, and how strongly it speaks for a hazard."""

    text: str
    concept: str
    hazard: bool = False
    strong: bool = False
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A term found in a folded text, from ``start`` to ``end`` (the whole word where the term is a prefix)."""

    term: Term
    start: int
    end: int


class Lexicon:
    """All terms in one Aho-Corasick automaton."""

    def __init__(self, terms: list[Term]) -> None:
        by_text: dict[str, list[Term]] = {}
        for term in terms:
            by_text.setdefault(term.text, []).append(term)
        self._automaton = ahocorasick.Automaton()
        for text, same in by_text.items():
            self._automaton.add_word(text, tuple(same))
        self._automaton.make_automaton()

    def find(self, folded: str) -> list[Hit]:
        """Every hit on word boundaries, by start; what a figure of speech covers is no longer read literally."""
        hits = [hit for end, terms in self._automaton.iter(folded) for hit in _bounded(folded, end + 1, terms)]
        figures = [(hit.start, hit.end) for hit in hits if hit.term.concept == "figurative"]
        if figures:
            hits = [hit for hit in hits if hit.term.concept == "figurative" or not _inside(hit, figures)]
        return hits


def _inside(hit: Hit, spans: list[tuple[int, int]]) -> bool:
    return any(start <= hit.start < end or start < hit.end <= end for start, end in spans)


def _bounded(folded: str, end: int, terms: tuple[Term, ...]) -> Iterator[Hit]:
    start = end - len(terms[0].text)
    inside = start > 0 and folded[start - 1].isalnum() and folded[start].isalnum()
    if inside and not (len(terms[0].text) >= HASHTAG_TERM and _in_hashtag(folded, start)):
        return
    stop = end
    while stop < len(folded) and folded[stop].isalnum():
        stop += 1
    tail = folded[end:stop] if folded[end - 1].isalnum() else ""
    for term in terms:
        if (
            not tail
            or term.prefix
            or tail in ("s", "x", "es", "e")
            or (len(term.text) >= HASHTAG_TERM and _in_hashtag(folded, start))
        ):
            yield Hit(term, start, stop if tail else end)


def _in_hashtag(folded: str, start: int) -> bool:
    while start > 0 and folded[start - 1].isalnum():
        start -= 1
    return start > 0 and folded[start - 1] == "#"


@cache
def lexicon() -> Lexicon:
    """The shipped lexicon."""
    hazards = _read("hazards.yaml")
    cues = _read("cues.yaml")
    terms = [
        _term(text, hazard, hazard=True, strong=strength == "strong")
        for hazard, languages in hazards.items()
        for strengths in languages.values()
        for strength, texts in strengths.items()
        for text in texts
    ]
    terms += [_term(text, cue) for cue, languages in cues.items() for texts in languages.values() for text in texts]
    return Lexicon(terms)


def _term(text: str, concept: str, *, hazard: bool = False, strong: bool = False) -> Term:
    return Term(fold(text.removesuffix("*")).text, concept, hazard, strong, text.endswith("*"))


def _read(name: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml.load((LEXICON / name).read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return read
