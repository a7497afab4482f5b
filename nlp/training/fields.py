"""Learns what the deep path tells of a post from the project's corpus; rarer classes of a family weigh more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from nlp.automaton import lexicon
from nlp.deep.clues import SIZE, clues
from nlp.deep.fields import NONE, Fields
from nlp.deep.findings import Findings
from nlp.deep.pipeline import RULES, examined, pipeline
from nlp.fast import NO_NEED
from nlp.features import Floats
from nlp.text import fold, without_links
from nlp.training.fit import Array
from nlp.training.sources import Example

FAMILIES = {
    "when": NONE, "stance": NONE, "refuted": "false", "source": "unknown", "need": NO_NEED, "hazard": None,
}  # fmt: skip
"""What is learnt, with the class of a post that does not say; None where nothing is learnt from such a post."""
C, ROUNDS, TOLERANCE = 30.0, 300, 1e-3


def fit_fields(posts: Sequence[Example], features: csr_matrix, *, seed: int = 0) -> Fields:
    """A linear model of each family. ``features``: what :func:`matrix` makes of the posts, in the same order."""
    names: list[str] = []
    columns: list[Array] = []
    bias: list[float] = []
    for family, silent in FAMILIES.items():
        told = [one.names.get(family, silent) for one in posts]
        rows = [row for row, name in enumerate(told) if name]
        model = _fit([name for name in told if name], features[rows], seed)
        names += (f"{family}:{name}" for name in model.classes_)
        columns += _each(model.coef_)
        bias += (float(one) for one in _each(model.intercept_))
    return Fields(tuple(names), np.stack(columns, axis=1).astype(np.float32), np.array(bias, np.float32))


def _fit(wanted: Sequence[str], features: csr_matrix, seed: int) -> LogisticRegression:
    counts = Counter(wanted)
    sample = np.array([len(wanted) / len(counts) / counts[one] for one in wanted])
    model = LogisticRegression(C=C, max_iter=ROUNDS, tol=TOLERANCE, random_state=seed)
    return model.fit(features, wanted, sample_weight=sample)


def _each(values: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """One row a class, also where scikit-learn keeps one for two."""
    return [-values[0], values[0]] if len(values) == 1 else list(values)


def examine(texts: Iterable[tuple[str, str]]) -> Iterator[Findings]:
    """What the components but the learnt one find in texts, each with its language, French or English."""
    for text, lang in texts:
        plain = without_links(fold(text).text)
        yield examined(plain, lexicon().find(plain), pipeline(lang, RULES))


def matrix(findings: Iterable[Findings]) -> csr_matrix:
    """The clues of each post, of shape (posts, :data:`SIZE`)."""
    rows = [clues(one) for one in findings]
    ends = np.cumsum([0, *map(len, rows)])
    indices = np.fromiter((at for row in rows for at in row), np.int32, int(ends[-1]))
    values: Floats = np.fromiter((value for row in rows for value in row.values()), np.float32, int(ends[-1]))
    return csr_matrix((values, indices, ends), shape=(len(rows), SIZE))
