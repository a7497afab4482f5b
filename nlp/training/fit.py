"""Fits the heads: balanced by language, split by event, calibrated on posts of events they have not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression

from nlp.automaton import lexicon
from nlp.features import Vocabulary, matrix
from nlp.language import KNOWN, Languages
from nlp.text import fold, without_links
from nlp.training.sources import Example

Array = npt.NDArray[np.float64]
SHARE = {"fr": 0.45, "en": 0.4}
OTHER_SHARE = 0.05
MAX_WEIGHT = 100.0
STRENGTH = {"corpus": 4.0, "disaster_messages": 0.3}
OWN_STRENGTH = {("relevance", "crisislex_t26"): 3.0}
C, TOLERANCE, ROUNDS = 4.0, 3e-5, 300
"""With scikit-learn's usual tolerance the fit stops after a dozen rounds, and a third of the recall is lost."""


@dataclass(frozen=True, slots=True)
class Data:
    """Examples as a matrix, with their languages and groups, in the same order."""

    examples: list[Example]
    features: csr_matrix
    langs: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]


def prepare(examples: Sequence[Example], languages: Languages) -> Data:
    """Read every example once; those in a language that is not scored are left out."""
    vocabulary, words = Vocabulary(), lexicon()
    kept, seen, langs = [], [], []
    for example in examples:
        folded = without_links(fold(example.text).text)
        lang = example.lang if example.source == "corpus" else languages.identify(example.text, folded, example.lang)
        if lang in KNOWN:
            kept.append(example)
            langs.append(lang)
            seen.append(vocabulary.see(folded, words.find(folded)))
    groups = np.array([example.group for example in kept])
    return Data(kept, matrix(vocabulary, seen), np.array(langs), groups)


def targets(data: Data, head: str) -> npt.NDArray[np.int8]:
    """1, 0 or -1 (the source does not say) for each example."""
    return np.fromiter((example.labels.get(head, -1) for example in data.examples), np.int8, len(data.examples))


def weights(data: Data, wanted: npt.NDArray[np.int8], rows: npt.NDArray[np.int64], head: str = "") -> Array:
    """Sample weights under which each language has as many positives as negatives, and its declared share."""
    langs, labels = data.langs[rows], wanted[rows]
    told = (data.examples[row].source for row in rows)
    strength = np.array([OWN_STRENGTH.get((head, source), STRENGTH.get(source, 1.0)) for source in told])
    found = np.zeros(len(rows))
    for lang in np.unique(langs):
        for label in (0, 1):
            here = (langs == lang) & (labels == label)
            if here.any():
                share = SHARE.get(str(lang), OTHER_SHARE) * len(rows) / 2
                found[here] = np.minimum(strength[here] * share / strength[here].sum(), MAX_WEIGHT)
    return found


def fit(data: Data, head: str, rows: npt.NDArray[np.int64], *, seed: int = 0) -> tuple[Array, float]:
    """Coefficients of shape (SIZE,) and intercept of one head, from the given rows (silent ones skipped)."""
    return fit_labels(data, targets(data, head), rows, head=head, seed=seed)


def fit_labels(
    data: Data,
    wanted: npt.NDArray[np.int8],
    rows: npt.NDArray[np.int64] | None = None,
    *,
    head: str = "",
    seed: int = 0,
) -> tuple[Array, float]:
    """As :func:`fit`, for targets of 1, 0 and -1 (skipped) given as an array."""
    rows = np.flatnonzero(wanted >= 0) if rows is None else rows[wanted[rows] >= 0]
    features = data.features[rows]
    rare = rarity(features)
    model = LogisticRegression(C=C, max_iter=ROUNDS, tol=TOLERANCE, random_state=seed)
    model.fit(features @ diags(rare), wanted[rows], sample_weight=weights(data, wanted, rows, head))
    return model.coef_[0] * rare, float(model.intercept_[0])


def rarity(features: csr_matrix) -> npt.NDArray[np.float32]:
    """How much each feature counts while a head is fitted, about 1: the log of how seldom it is (inverse document
    frequency). It is part of the weights afterwards."""
    posts = np.bincount(features.indices, minlength=features.shape[1]) + 1.0
    found = np.maximum(np.log(max(features.shape[0], 2) / posts), 0)
    rare: npt.NDArray[np.float32] = (found / max(float(found.mean()), 1e-9)).astype(np.float32)
    return rare


def out_of_fold(data: Data, head: str, *, folds: int = 4, seed: int = 0) -> Array:
    """Raw score of every example by a model that saw nothing of its group."""
    scores = np.zeros(len(data.examples))
    part = parts(data, folds=folds, seed=seed)
    for fold_index in range(folds):
        coefficients, intercept = fit(data, head, np.flatnonzero(part != fold_index), seed=seed)
        here = np.flatnonzero(part == fold_index)
        scores[here] = raw_scores(data, here, coefficients, intercept)
    return scores


def parts(data: Data, *, folds: int = 4, seed: int = 0) -> npt.NDArray[np.int64]:
    """The part, 0 to ``folds`` - 1, of each example; a group is in one part."""
    names = np.unique(data.groups)
    fold_of = {name: index % folds for index, name in enumerate(np.random.default_rng(seed).permutation(names))}
    return np.array([fold_of[group] for group in data.groups])


def raw_scores(data: Data, rows: npt.NDArray[np.int64], coefficients: Array, intercept: float) -> Array:
    """Scores before calibration."""
    scores: Array = data.features[rows] @ coefficients + intercept
    return scores


def calibrate(scores: Array, wanted: npt.NDArray[np.int8], sample: Array) -> tuple[float, ...]:
    """Platt's line: log-odds are the columns of ``scores``, each times its value, and the last value, under the given
    sample weights."""
    known = (wanted >= 0) & (sample > 0)
    model = LogisticRegression(C=1e4)
    model.fit(scores[known], wanted[known], sample_weight=sample[known])
    return *(float(one) for one in model.coef_[0]), float(model.intercept_[0])
