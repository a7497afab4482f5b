"""The prior that probabilities are calibrated at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from nlp.language import HOME
from nlp.training import fit

PRIOR = {"about": 0.3, "relevance": 0.45, "emerging_incident": 0.11, "public_order_threat": 0.05, "rumour": 0.1}
"""Declared share of positives among the posts that filters keep."""


def at_prior(data: fit.Data, head: str, lang: str) -> tuple[npt.NDArray[np.int8], fit.Array]:
    """What a head should say of each example and how much it counts, at the declared prior in ``lang``: in all
    languages together, each counting the same, where that has no probabilities of its own."""
    wanted = fit.targets(data, head)
    if lang in HOME:
        wanted = np.where(data.langs == lang, wanted, -1).astype(np.int8)
    sample = np.zeros(len(wanted))
    known = np.flatnonzero(wanted >= 0)
    sample[known] = fit.weights(data, wanted, known)
    for label, mass in ((1, PRIOR[head]), (0, 1 - PRIOR[head])):
        here = wanted == label
        sample[here] *= mass * len(wanted) / max(sample[here].sum(), 1e-9)
    return wanted, sample
