"""Measures a head on events that it was not fitted on: the fast path, and where that is in doubt the second look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.encoder import Encoder
from nlp.heads import Heads, row
from nlp.second import GATE, Second
from nlp.training import fit
from nlp.training.second import Doubt, fit_head, read_doubt, taken


@dataclass(frozen=True, slots=True)
class Held:
    """The data, the posts of it that were looked at again, and the shipped calibration."""

    data: fit.Data
    some: Doubt
    heads: Heads
    second: Second
    seed: int

    def odds(self, head: str, groups: Sequence[str | Sequence[str]]) -> fit.Array:
        """Calibrated log-odds of the posts of each group by a head fitted without that group; NaN elsewhere, and where
        a second look is due to a post of the share that is not read (:data:`nlp.training.second.ONE_IN`)."""
        found = np.full(len(self.data.examples), np.nan)
        for group in groups:
            here = np.isin(self.data.groups, [group] if isinstance(group, str) else list(group))
            found[here] = _fast(self.data, self.heads, head, here, self.seed)
            self._look(head, here, found)
        found[[not taken(one) for one in self.data.examples]] = np.nan
        return found

    def _look(self, head: str, here: np.ndarray, found: fit.Array) -> None:
        some, at = self.some, self.some.rows
        weights, intercept = fit_head(self.data, some, head, np.flatnonzero(~here[at]), self.seed)
        ours = here[at] & some.doubt
        scores = some.vectors[ours] @ weights + intercept
        column = self.second.names.index(head)
        lines = np.array([self.second.lines[row(lang), column] for lang in self.data.langs[at[ours]]])
        told = np.stack([scores, found[at[ours]], np.ones(len(scores))], axis=1)
        found[at[ours]] = (told * lines.reshape(-1, 3)).sum(axis=1)


def hold(data: fit.Data, heads: Heads, second: Second, encoder: Encoder, *, seed: int = 0) -> Held:
    """Look again at the posts that a fast path which had not seen their event leaves in doubt; takes minutes."""
    odds = {}
    for head in GATE:
        lines = _lines(data, heads, head)
        odds[head] = fit.out_of_fold(data, head, seed=seed) * lines[:, 0] + lines[:, 1]
    some, *_ = read_doubt(data, odds, encoder).scaled()
    return Held(data, some, heads, second, seed)


def _fast(data: fit.Data, heads: Heads, head: str, here: np.ndarray, seed: int) -> fit.Array:
    coefficients, intercept = fit.fit(data, head, np.flatnonzero(~here), seed=seed)
    raw = fit.raw_scores(data, np.flatnonzero(here), coefficients, intercept)
    lines = _lines(data, heads, head)[here]
    odds: fit.Array = raw * lines[:, 0] + lines[:, 1]
    return odds


def _lines(data: fit.Data, heads: Heads, head: str) -> fit.Array:
    return np.array([heads.line(head, lang) for lang in data.langs])
