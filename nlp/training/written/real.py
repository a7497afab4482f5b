"""Written and real posts: can a model tell them apart, and would knowing it help to find crises?

That written posts can be told from real ones is no fault by itself: they are about other things. It is one where it
carries the answer: a model could then take *written* for *crisis*, and would do better on real posts once it knew
which is which. So this is asked, with heads as ``vigie train`` fits them:

1. ``writer``: a linear model on the features of the heads, written French posts against ordinary French ones of the
   seen half; every post's score comes from folds that left its group out. Its AUC is told.
2. ``plain``: the score of ``about``, out of fold by event, on French posts of real events.
3. ``helped``: a second fit of ``about`` on ``plain`` and ``writer`` together, learnt on written and real training
   posts, and applied to real events that neither had seen.

Recall of both is taken at 0.3 % false alarms on the unseen half of the background. Knowing the writer *helps* where
the gain in recall, over real posts drawn anew, is above one point at the lower end of its 95 % interval; that fails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from nlp.training import fit
from nlp.training.written.curve import FALSE_ALARMS, Material
from nlp.training.written.finding import Finding, share

FOLDS = 3
HELPS = 0.01
ROUNDS = 300
Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Told:
    """What was measured: ``auc`` of written against real; recall without and with the writer's score on ``posts`` real
    posts; the gain and its 95 % interval."""

    auc: float
    plain: float
    helped: float
    posts: int
    low: float
    high: float


def check(made: Material, *, seed: int = 0) -> Finding:
    """Whether a model that tells written from real would help on real events."""
    told = measured(made, seed=seed)
    gain = told.helped - told.plain
    figures = {name: round(getattr(told, name), 4) for name in ("auc", "plain", "helped", "posts", "low", "high")}
    line = f"told apart with AUC {told.auc:.2f}; knowing it changes recall on real events by {gain:+.3f} "
    line += f"[{told.low:+.3f}, {told.high:+.3f}] (lower end at most {HELPS:+.2f})"
    return Finding("written or real", told.low <= HELPS, line, figures)


def measured(made: Material, *, seed: int = 0) -> Told:
    """The figures. Takes some minutes."""
    data = made.data
    learnt = made.rows("base", *made.rounds)
    folds = _folds(data.groups, seed)
    writer, auc = _writer(made, learnt, folds, seed)
    plain = np.full(len(data.examples), np.nan)
    helped = plain.copy()
    cuts: list[tuple[float, float]] = []
    wanted, calm = fit.targets(data, "about"), _calm(made)
    kept: list[tuple[Rows, Floats, Floats]] = []
    for fold in range(FOLDS):
        inside = learnt[folds[learnt] != fold]
        outside = learnt[folds[learnt] == fold]
        one, both = _stack(data, inside, wanted, writer, seed)
        cuts.append((_cut(one[calm]), _cut(both[calm])))
        kept.append((outside, one, both))
        plain[outside], helped[outside] = one[outside] - cuts[-1][0], both[outside] - cuts[-1][1]
    real = _real(made, learnt, wanted)
    first, second = plain[real] > 0, helped[real] > 0
    low, high = _gain(first, second, seed)
    return Told(auc, share(int(first.sum()), len(real)), share(int(second.sum()), len(real)), len(real), low, high)


def _folds(groups: npt.NDArray[np.str_], seed: int) -> Rows:
    names = np.unique(groups)
    of = dict(zip(np.random.default_rng(seed).permutation(names), np.arange(len(names)) % FOLDS, strict=True))
    return np.array([of[group] for group in groups], np.int64)


def _calm(made: Material) -> Rows:
    rows: Rows = made.rows("background")
    here: Rows = rows[made.data.langs[rows] == "fr"]
    return here


def _cut(scores: Floats) -> float:
    return float(np.quantile(scores, 1 - FALSE_ALARMS))


def _writer(made: Material, learnt: Rows, folds: Rows, seed: int) -> tuple[Floats, float]:
    """The score of *written* for every text, out of fold where it was learnt from, and its AUC on French posts."""
    data = made.data
    source = np.array([one.source for one in data.examples])
    french = data.langs == "fr"
    labels = np.full(len(source), -1, np.int8)
    labels[learnt] = np.where((source == "corpus") & french, 1, np.where(source == "background_fr", 0, -1))[learnt]
    scores = np.zeros(len(source))
    for fold in range(FOLDS):
        rows = np.flatnonzero((folds != fold) & (labels >= 0))
        here = np.flatnonzero(folds == fold)
        coefficients, intercept = fit.fit_labels(data, labels, rows, seed=seed)
        scores[here] = data.features[here] @ coefficients + intercept
    known = labels >= 0
    return scores, float(roc_auc_score(labels[known], scores[known]))


def _stack(
    data: fit.Data, rows: Rows, wanted: npt.NDArray[np.int8], writer: Floats, seed: int
) -> tuple[Floats, Floats]:
    """Scores of all texts by ``about`` alone, and by it with the writer's score, both learnt on ``rows``: the head on
    one half of the groups, the second fit on the other."""
    half = _folds(data.groups, seed + 1) == 0
    coefficients, intercept = fit.fit(data, "about", rows[~half[rows]], seed=seed)
    everything = np.arange(len(data.examples))
    plain = fit.raw_scores(data, everything, coefficients, intercept)
    upper = rows[half[rows] & (wanted[rows] >= 0)]
    both = np.stack([plain, writer], axis=1)
    second = LogisticRegression(C=10.0).fit(
        both[upper], wanted[upper], sample_weight=fit.weights(data, wanted, upper, "about")
    )
    return plain, second.decision_function(both)


def _real(made: Material, learnt: Rows, wanted: npt.NDArray[np.int8]) -> Rows:
    """French posts of real events that are about a harmful situation."""
    sources = ("crisislex_t26", "crisislex_t6", "disaster_messages")
    told = np.array([one.source in sources for one in made.data.examples])
    home = made.data.langs == "fr"
    found: Rows = learnt[(told & home & (wanted == 1))[learnt]]
    return found


def _gain(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_], seed: int) -> tuple[float, float]:
    """The middle 95 % of the gain in recall over posts drawn anew."""
    draw = np.random.default_rng(seed)
    change = second.astype(float) - first.astype(float)
    gains = [change[draw.integers(0, len(change), len(change))].mean() for _ in range(ROUNDS)]
    low, high = np.quantile(gains, (0.025, 0.975))
    return float(low), float(high)
