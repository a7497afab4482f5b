"""The learning curve: what the heads make of growing shares of the corpus' rounds, on posts that they never saw.

Heads are fitted as ``vigie train`` does it, on every other source and on the first rounds of the training part. The
operating point of a head is the score that 0.3 % of the ordinary French posts of the unseen half of ``background_fr``
reach, and 0.3 % of the English ones of the unseen half of ``hate_threat``, so figures of different points are compared
at the same number of false alarms. Measured there:

- ``unseen``: recall on posts of the frozen test part about hazards that no training post shows;
- ``seen``: the same on its other hazards;
- ``pairs``: share of the test part's pairs whose crisis post is above and whose ordinary neighbour is below;
- ``disaster_messages``: recall of ``about`` on its French originals, by a head fitted without that source;
- ``crisislex_t26``: macro F1 of ``relevance`` by language, each event by a head fitted without it, at even odds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from nlp.language import languages
from nlp.training import fit, sources
from nlp.training.figures import Figure, share
from nlp.training.sources import Example
from nlp.training.written.lists import LANGS
from nlp.training.written.post import Written
from nlp.training.written.read import CORPUS, groups, written
from nlp.training.written.unseen import unseen

FALSE_ALARMS = 0.003
HEADS = ("about", "emerging_incident")
FOLDS = 3
LEAST = 20
"""Posts below which nothing is measured."""
ROUND, TEST, ORDINARY = "corpus:", "test:", "ordinary"
Report = Callable[[str], None]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Material:
    """All that a curve is made of: every text as features, once. ``origin`` (texts,): ``base`` for other sources, the
    name of a round, ``test`` or ``background``; ``test`` the posts of the test part by text."""

    data: fit.Data
    origin: npt.NDArray[np.str_]
    test: tuple[Written, ...]
    rounds: tuple[str, ...]

    def rows(self, *origins: str) -> Rows:
        """The rows that come from one of ``origins``."""
        return np.flatnonzero(np.isin(self.origin, origins)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Point:
    """The figures after some rounds: their names, how many posts they hold, what was measured."""

    rounds: tuple[str, ...]
    posts: int
    figures: tuple[Figure, ...]


def round_of(one: Written) -> str:
    """The round of a training post, from the name of its file: ``r01``; stories are a round of their own."""
    name = Path(one.file).name
    return name.split("-")[0].removesuffix(".jsonl")


def material(data: Path, folder: Path = CORPUS) -> Material:
    """Read every text once; takes some minutes. Raises FileNotFoundError and CorpusError."""
    train, test = written("train", folder), written("test", folder)
    group = groups(train)
    told: list[tuple[Example, str]] = [(one, "base") for one in sources.others(data)]
    told += [(sources.example(one, f"{ROUND}{group[one.id]}"), round_of(one)) for one in train]
    told += [(sources.example(one, f"{TEST}{one.id}"), "test") for one in test]
    told += [(one, "background") for one in sources.background(data, half="unseen")]
    told += [(one, "background") for one in sources.hate(data, half="unseen") if one.lang == "en"]
    prepared = fit.prepare([one for one, _ in told], languages())
    origins = {id(one): origin for one, origin in told}
    origin = np.array([origins[id(one)] for one in prepared.examples])
    return Material(prepared, origin, tuple(test), tuple(sorted({round_of(one) for one in train})))


def curve(
    made: Material, steps: Sequence[int] | None = None, *, seed: int = 0, report: Report = lambda _: None
) -> Iterator[Point]:
    """A point for each number of first rounds in ``steps`` (default: none, one, … all)."""
    for step in range(len(made.rounds) + 1) if steps is None else steps:
        rounds = made.rounds[:step]
        figures = tuple(measured(made, rounds, seed=seed, report=report))
        yield Point(rounds, len(made.rows(*rounds)) if rounds else 0, figures)


def measured(
    made: Material, rounds: Sequence[str], *, seed: int = 0, report: Report = lambda _: None
) -> Iterator[Figure]:
    """Every figure after these rounds."""
    learnt = made.rows("base", *rounds)
    for head in HEADS:
        scores, cuts = scored(made, head, learnt, seed)
        report(f"{len(rounds)} rounds: {head} fitted")
        yield from _on_test(made, head, scores, cuts)
        if head == "about":
            yield from _originals(made, learnt, seed)
    yield from _events(made, learnt, seed)
    report(f"{len(rounds)} rounds: relevance on crisislex_t26 measured")


def scored(made: Material, head: str, rows: Rows, seed: int) -> tuple[fit.Array, dict[str, float]]:
    """The raw scores of all texts by a head fitted on ``rows``, and the operating point of each language: what 0.3 %
    of its posts that are about no harm reach. The English ones are hostile, for want of others."""
    coefficients, intercept = fit.fit(made.data, head, rows, seed=seed)
    scores = fit.raw_scores(made.data, np.arange(len(made.origin)), coefficients, intercept)
    calm = made.rows("background")
    langs = made.data.langs[calm]
    return scores, {lang: _reached(scores[calm[langs == lang]]) for lang in LANGS}


def _reached(scores: fit.Array) -> float:
    return float(np.quantile(scores, 1 - FALSE_ALARMS)) if len(scores) else float("inf")


def _on_test(made: Material, head: str, scores: fit.Array, cuts: Mapping[str, float]) -> Iterator[Figure]:
    told = {made.data.examples[row].group.removeprefix(TEST): row for row in made.rows("test")}
    found = {name: bool(scores[row] > cuts[str(made.data.langs[row])]) for name, row in told.items()}
    posts = [one for one in made.test if one.id in found]
    by_id = {one.id: one for one in posts}
    for lang in LANGS:
        ours = [one for one in posts if one.lang == lang]
        wanted = [one for one in ours if (one.crisis if head == "about" else head in one.tags)]
        for name, shown in (("unseen", True), ("seen", False)):
            some = [found[one.id] for one in wanted if (one.hazard in unseen().hazards) == shown]
            yield from _share(f"test, {name} hazards", lang, f"{head} recall", some)
        pairs = [(one, by_id[one.neighbour]) for one in ours if one.crisis and one.neighbour in by_id]
        both = [found[one.id] and not found[other.id] for one, other in pairs if not other.crisis]
        yield from _share("test, pairs", lang, f"{head} both right", both)
        calm = [found[one.id] for one in ours if not one.about]
        yield from _share("test, ordinary", lang, f"{head} false alarms", calm)


def _share(task: str, lang: str, measure: str, hits: Sequence[bool]) -> Iterator[Figure]:
    if len(hits) >= LEAST:
        yield share(task, lang, measure, sum(hits), len(hits))


def _originals(made: Material, learnt: Rows, seed: int) -> Iterator[Figure]:
    """Recall on the French originals of ``disaster_messages``, learnt without them."""
    told = np.array([one.source == "disaster_messages" for one in made.data.examples])
    scores, cuts = scored(made, "about", learnt[~told[learnt]], seed)
    wanted = fit.targets(made.data, "about")
    original = np.array([one.lang is None for one in made.data.examples])
    here = told & original & (made.data.langs == "fr") & (wanted == 1)
    yield from _share("disaster_messages, originals", "fr", "about recall", (scores[here] > cuts["fr"]).tolist())


def _events(made: Material, learnt: Rows, seed: int) -> Iterator[Figure]:
    """Macro F1 of relevance on ``crisislex_t26``, a third of its events left out at a time."""
    data = made.data
    told = np.array([one.source == "crisislex_t26" for one in data.examples])
    events = np.unique(data.groups[told])
    wanted, scores = fit.targets(data, "relevance"), np.full(len(data.examples), np.nan)
    for fold in range(FOLDS):
        here = told & np.isin(data.groups, events[fold::FOLDS])
        coefficients, intercept = fit.fit(data, "relevance", learnt[~here[learnt]], seed=seed)
        rows = np.flatnonzero(here)
        scores[rows] = fit.raw_scores(data, rows, coefficients, intercept)
    for lang in LANGS:
        here = told & (data.langs == lang) & (wanted >= 0)
        if here.sum() >= LEAST:
            value = float(f1_score(wanted[here], scores[here] > 0, average="macro"))
            yield Figure("crisislex_t26, events left out", lang, "relevance macro F1", value, int(here.sum()))
