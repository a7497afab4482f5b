"""Every check of the corpus, as one list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from config.faults import Fault
from nlp.training.written import copies, coverage, curve, freeze, growth, privacy, real, style, unseen
from nlp.training.written.finding import Finding, of_faults
from nlp.training.written.read import CORPUS, Corpus, read_corpus
from nlp.training.written.rules import RULES


def forms(corpus: Corpus) -> Finding:
    """Whether every line could be read."""
    return of_faults("form", corpus.faults, f"{len(corpus.posts):,} posts, {len(corpus.sheets):,} sheets read")


def agreements(corpus: Corpus) -> Finding:
    """Whether labels agree with each other and with the guide, and pairs are complete."""
    found: list[Fault] = [fault for rule in RULES for fault in rule(corpus)]
    return of_faults("labels and pairs", found, "labels that agree, pairs that are complete")


def check(folder: Path = CORPUS, data: Path | None = None, *, models: bool = False, seed: int = 0) -> Iterator[Finding]:
    """The findings, one after the other as they are made. ``data``: the folder of the shared data, None where there is
    none; what needs it is then not looked at, and says so. ``models``: fit heads too, which takes some minutes."""
    corpus = read_corpus(folder)
    yield forms(corpus)
    yield agreements(corpus)
    yield unseen.check(corpus)
    yield coverage.check(corpus)
    yield copies.check(corpus)
    yield privacy.check(corpus)
    yield freeze.check(folder)
    yield style.check(corpus, seed=seed)
    yield growth.check(corpus, growth.background(data), seed=seed)
    if models and data is not None:
        yield real.check(curve.material(data, folder), seed=seed)
    else:
        why = "no real posts (VIGIE_SHARED_DATA)" if models else "only with --models: it takes some minutes"
        yield Finding("written or real", None, f"not looked at: {why}")
