"""Learns the second look: linear heads on what a post means, on the posts that the fast path leaves in doubt.

Every post of the corpus teaches, and of the other sources those that the fast path cannot rule out: they are what the
heads will see, and reading a hundred thousand posts as a whole would take an hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from nlp.deep.fields import Fields
from nlp.deep.pipeline import shifts
from nlp.encoder import Encoder
from nlp.fast import log_odds
from nlp.features import Floats
from nlp.heads import BINARY, CALIBRATED
from nlp.language import HOME
from nlp.second import GATE, Second
from nlp.training import fit
from nlp.training.fields import FAMILIES, examine, fit_families
from nlp.training.prior import at_prior
from nlp.training.sources import Example

ONE_IN = {"crisislex_t26": 3, "crisislex_t6": 8, "disaster_messages": 8, "pheme": 4}
"""Of the posts in doubt of a source, one in so many is read, by hash."""
C, FIELDS_C, TOLERANCE, ROUNDS = 0.001, 0.003, 1e-3, 400
NEIGHBOURS, CRISES, RELEVANT = 0.0625, 0.3, 0.25
"""How much an ordinary post of the corpus (for relevance, the last), and a post of a real crisis, counts beside what
it counts in the fast heads. Neighbours teach those to tell alike words apart; here, counted as much, they drowned the
street, and recall at 0.3 % false alarms fell from .85 to .70. Real crises have taught the fast heads already."""
LEARNT = {family: silent for family, silent in FAMILIES.items() if family != "hazard"}
"""What a post means names no hazard well: the layers that are kept see that something burns, not what."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Posts to learn from: ``rows`` of the data, their ``vectors`` (rows, width), how many posts each ``stands`` for,
    and whether the fast path leaves it in ``doubt``."""

    rows: npt.NDArray[np.int64]
    vectors: Floats
    stands: Floats
    doubt: npt.NDArray[np.bool_]

    def scaled(self) -> tuple[Doubt, Floats, Floats]:
        """The same with vectors about 0 and as wide as 1, the centre and the spread that they had."""
        centre, spread = self.vectors.mean(0), self.vectors.std(0) + 1e-6
        return replace(self, vectors=(self.vectors - centre) / spread), centre, spread


def fit_second(
    data: fit.Data, read: Doubt, odds: Mapping[str, fit.Array], *, seed: int = 0
) -> tuple[Second, dict[str, fit.Array]]:
    """The second look without thresholds, and head → the log-odds of every example after it, by a model that had not
    seen its event. ``odds``: the fast path's, likewise."""
    some, centre, spread = read.scaled()
    columns, bias, lines = [], [], []
    decided = {head: values.copy() for head, values in odds.items()}
    for head in BINARY:
        weights, intercept = fit_head(data, some, head, np.arange(len(some.rows)), seed)
        columns.append(weights)
        bias.append(intercept)
        scores = out_of_fold(data, some, head, seed)
        lines.append([line(data, some, head, lang, scores, odds[head]) for lang in CALIBRATED])
        for lang, one in zip(CALIBRATED, lines[-1], strict=True):
            here = some.doubt & of_language(data, lang)[some.rows]
            at = some.rows[here]
            decided[head][at] = one[0] * scores[here] + one[1] * odds[head][at] + one[2]
    corpus = [i for i, at in enumerate(some.rows) if data.examples[at].source == "corpus"]
    posts = [data.examples[at] for at in some.rows[corpus]]
    names, classes, shares = fit_families(posts, some.vectors[corpus], families=LEARNT, strength=FIELDS_C, seed=seed)
    weights = np.hstack([np.stack(columns, axis=1), classes]) / spread[:, None]
    shift = np.concatenate([bias, shares]) - centre @ weights
    told = np.array(lines, np.float32).transpose(1, 0, 2)
    return Second((*BINARY, *names), weights.astype(np.float32), shift.astype(np.float32), told, {}), decided


def read_doubt(data: fit.Data, odds: Mapping[str, fit.Array], encoder: Encoder) -> Doubt:
    """The corpus, and of the other sources the share that is read of what is in doubt."""
    doubt = np.any([odds[head] >= log_odds(least) for head, least in GATE.items()], axis=0)
    rows = np.array(
        [i for i, one in enumerate(data.examples) if one.source == "corpus" or (doubt[i] and taken(one))], np.int64
    )
    told = [data.examples[row] for row in rows]
    stands = np.array([ONE_IN.get(one.source, 1) for one in told], np.float32)
    return Doubt(rows, encoder.vectors([one.text for one in told]), stands, doubt[rows])


def taken(one: Example) -> bool:
    """Whether a post belongs to the share of its source that is read."""
    digest = hashlib.blake2b(one.text.encode("utf-8", "replace"), digest_size=2).digest()
    return int.from_bytes(digest) % ONE_IN.get(one.source, 1) == 0


def fit_head(data: fit.Data, some: Doubt, head: str, part: npt.NDArray[np.int64], seed: int) -> tuple[fit.Array, float]:
    """Weights (width,) and intercept of a head, from a part of the posts read (those that do not say skipped)."""
    wanted = fit.targets(data, head)
    part = part[wanted[some.rows[part]] >= 0]
    sample = _counts(data, wanted, some.rows[part], head)
    model = LogisticRegression(C=C, max_iter=ROUNDS, tol=TOLERANCE, random_state=seed)
    model.fit(some.vectors[part], wanted[some.rows[part]], sample_weight=sample)
    return model.coef_[0], float(model.intercept_[0])


def _counts(data: fit.Data, wanted: npt.NDArray[np.int8], rows: npt.NDArray[np.int64], head: str) -> fit.Array:
    """The weights of the fast heads, lighter for neighbours and real crises; what a language and label count stays."""
    sample, langs, labels = fit.weights(data, wanted, rows, head), data.langs[rows], wanted[rows]
    source = np.array([data.examples[row].source for row in rows])
    lighter = np.where(np.isin(source, list(ONE_IN)), CRISES, 1.0)
    lighter[(source == "corpus") & (labels == 0)] = RELEVANT if head == "relevance" else NEIGHBOURS
    for lang in np.unique(langs):
        for label in (0, 1):
            here = (langs == lang) & (labels == label)
            total = sample[here].sum()
            sample[here] *= lighter[here]
            sample[here] *= total / max(sample[here].sum(), 1e-9)
    return sample


def out_of_fold(data: fit.Data, some: Doubt, head: str, seed: int) -> fit.Array:
    """The score of each post read by a head that saw nothing of its group; the parts are those of the fast heads."""
    part = fit.parts(data, seed=seed)[some.rows]
    scores = np.zeros(len(some.rows))
    for one in np.unique(part):
        weights, intercept = fit_head(data, some, head, np.flatnonzero(part != one), seed)
        scores[part == one] = some.vectors[part == one] @ weights + intercept
    return scores


def line(data: fit.Data, some: Doubt, head: str, lang: str, scores: fit.Array, odds: fit.Array) -> tuple[float, ...]:
    """What a head's score, the fast path's log-odds and 1 count in a language, at the declared prior."""
    wanted, sample = at_prior(data, head, lang)
    counts = np.where(some.doubt, sample[some.rows] * some.stands, 0.0)
    return fit.calibrate(np.stack([scores, odds[some.rows]], axis=1), wanted[some.rows], counts)


def deep_shifts(
    data: fit.Data, rows: npt.NDArray[np.int64], vectors: Floats, found: Second, made: Fields
) -> Iterator[dict[str, float]]:
    """Head → what the deep path adds to the log-odds of French and English posts that were looked at again."""
    texts = ((data.examples[row].text, str(data.langs[row])) for row in rows)
    for findings, vector in zip(examine(texts), vectors, strict=True):
        findings.meant = found.meant(found.scores(vector))
        findings.chances = made.of(findings)
        yield shifts(findings)


def of_language(data: fit.Data, lang: str) -> npt.NDArray[np.bool_]:
    """Which examples have the probabilities of a language."""
    found: npt.NDArray[np.bool_] = data.langs == lang if lang in HOME else ~np.isin(data.langs, HOME)
    return found
