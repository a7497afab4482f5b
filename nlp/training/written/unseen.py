"""Hazards that only the test part shows: no training post may be about them or use their words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from config.faults import Fault
from nlp.automaton import LEXICON, Lexicon, Term
from nlp.text import fold, without_links
from nlp.training.written.finding import Finding, of_faults
from nlp.training.written.read import CORPUS, Corpus


@dataclass(frozen=True, slots=True)
class Unseen:
    """The hazards, and by language the lexicon's terms that training posts may use all the same, each with why."""

    hazards: frozenset[str]
    ambiguous: Mapping[str, Mapping[str, str]]


@cache
def unseen(path: Path = CORPUS / "unseen.yaml") -> Unseen:
    """What ``unseen.yaml`` declares."""
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Unseen(frozenset(told["hazards"]), told["ambiguous"])


@cache
def terms(lang: str) -> Lexicon:
    """The words of these hazards in one language that no training post may use."""
    listed = yaml.safe_load((LEXICON / "hazards.yaml").read_text(encoding="utf-8"))
    allowed = unseen().ambiguous.get(lang, {})
    return Lexicon(
        [
            Term(fold(text.removesuffix("*")).text, hazard, hazard=True, prefix=text.endswith("*"))
            for hazard in sorted(unseen().hazards)
            for texts in listed[hazard].get(lang, {}).values()
            for text in texts
            if text not in allowed
        ]
    )


def words(text: str, lang: str) -> list[tuple[str, str]]:
    """The forbidden words in a text with the hazard of each: ``[("avalanche", "avalanche")]``."""
    folded = without_links(fold(text).text)
    return [(folded[hit.start : hit.end], hit.term.concept) for hit in terms(lang).find(folded)]


def faults(corpus: Corpus) -> Iterator[Fault]:
    """Training posts and sheets that show an unseen hazard, by label or by word."""
    for one in corpus.part("train"):
        for key, hazard in (("hazard", one.hazard), ("group", one.group)):
            if hazard in unseen().hazards:
                yield one.fault(key, f"{hazard} is for the test part only", "move the pair, or write about another")
        for word, hazard in words(one.text, one.lang):
            advice = (
                "choose another word; if it means something else, list it in nlp/corpus/unseen.yaml with the reason"
            )
            yield one.fault("text", f'"{word}" is a word of {hazard}, which only the test part shows', advice)


def check(corpus: Corpus) -> Finding:
    """Whether the training part is silent on the unseen hazards, and the test part shows each of them."""
    found = list(faults(corpus))
    shown = {one.hazard for one in corpus.part("test")}
    if shown:
        missing = sorted(unseen().hazards - shown)
        found += [Fault("test", 0, "hazard", f"no post of {name}", "the test part shows it") for name in missing]
    return of_faults("unseen hazards", found, f"{len(unseen().hazards)} hazards that training must not show")
