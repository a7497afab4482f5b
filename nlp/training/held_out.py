"""Measures on events that a model was not fitted on: the fast path, and where that is in doubt the second look.

Posts are told apart in a few parts, an event in one of them, and each part is read by models fitted on the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nlp.heads import BINARY, Heads
from nlp.second import Second
from nlp.training import fit
from nlp.training.encoder import Making
from nlp.training.second import decided, lesson, out_of_fold, read_doubt, taken
from nlp.training.tuning import Report


@dataclass(frozen=True, slots=True)
class Held:
    """The data, and head → the calibrated log-odds of each post by models that had not seen its event; NaN where a
    second look is due to a post of the share that is not read (:data:`nlp.training.second.ONE_IN`)."""

    data: fit.Data
    heads: Heads
    second: Second
    odds: dict[str, fit.Array]


def hold(
    data: fit.Data,
    heads: Heads,
    second: Second,
    maker: Making,
    *,
    seed: int = 0,
    report: Report = lambda _: None,
) -> Held:
    """Read every part with models fitted on the others, calibrated as the shipped ones; takes most of an hour."""
    odds = {}
    for head in BINARY:
        lines = np.array([heads.line(head, lang) for lang in data.langs])
        odds[head] = fit.out_of_fold(data, head, seed=seed) * lines[:, 0] + lines[:, 1]
    read = read_doubt(data, odds, maker)
    scores = out_of_fold(data, read, lesson(data, read), maker.layers(), seed=seed, report=report)
    found = decided(data, read, second, scores, odds)
    passed_over = [not taken(one) for one in data.examples]
    for values in found.values():
        values[passed_over] = np.nan
    return Held(data, heads, second, found)
