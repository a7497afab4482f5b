"""How far probabilities can be believed: on the frozen test and on ordinary posts, at two shares of crises.

Posts weigh so that positives are the declared share, and of the others one in five is a neighbour written in the words
of a crisis, four are ordinary. At another share log-odds move by the difference of the shares' log-odds: a service that
sees half as many crises as declared takes that off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.fast import log_odds
from nlp.heads import BINARY
from nlp.training.figures import Figure
from nlp.training.prior import PRIOR
from nlp.training.written.post import Written
from store.records import TAGS, Annotation

NEIGHBOURS = 0.2
TIMES = (1.0, 0.5)
"""The shares of positives that are tried, as multiples of the declared one."""
FROM, BINS = 0.3, 8


@dataclass(frozen=True, slots=True)
class Reliability:
    """What was said and what was so: ``points`` are (mean probability, share of positives), bins of equal mass."""

    head: str
    lang: str
    times: float
    error: float
    n: int
    points: tuple[tuple[float, float], ...]

    def figure(self) -> Figure:
        """The error as a figure."""
        at = "declared share" if self.times == 1 else f"{self.times:g} of it"
        return Figure("calibration, p >= 0.3", self.lang, f"{self.head} error, {at}", self.error, self.n)


def reliabilities(
    read: Sequence[tuple[Written, Annotation]], ordinary: Sequence[Annotation], lang: str
) -> Iterator[Reliability]:
    """One for each head and share, of one language's written and ordinary posts."""
    made = [annotation for _, annotation in read] + list(ordinary)
    written = np.arange(len(made)) < len(read)
    for head in BINARY:
        p = np.clip([_p(one, head) for one in made], 1e-4, 1 - 1e-4)
        so = np.array([_so(post, head) for post, _ in read] + [False] * len(ordinary))
        for times in TIMES:
            yield _reliability(head, lang, times, p, so, written)


def _reliability(head: str, lang: str, times: float, p: np.ndarray, so: np.ndarray, written: np.ndarray) -> Reliability:
    prior = PRIOR[head] * times
    weights = np.zeros(len(p))
    for here, mass in (
        (so, prior),
        (~so & written, (1 - prior) * NEIGHBOURS),
        (~written, (1 - prior) * (1 - NEIGHBOURS)),
    ):
        weights[here] = mass / max(here.sum(), 1)
    odds = np.log(p / (1 - p)) + log_odds(prior) - log_odds(PRIOR[head])
    p = 1 / (1 + np.exp(-odds))
    order = np.flatnonzero(p >= FROM)
    order = order[np.argsort(p[order], kind="stable")]
    told, error = [], 0.0
    reached = np.cumsum(weights[order]) / max(weights[order].sum(), 1e-12)
    for one in range(BINS):
        part = order[(reached > one / BINS) & (reached <= (one + 1) / BINS)]
        if len(part):
            said, was = (float(np.average(values[part], weights=weights[part])) for values in (p, so))
            told.append((said, was))
            error += abs(said - was) * float(weights[part].sum() / weights[order].sum())
    return Reliability(head, lang, times, error, len(order), tuple(told))


def _p(one: Annotation, head: str) -> float:
    told = one.tags[head] if head in TAGS else getattr(one, head)
    return float(told or 0.0)


def _so(post: Written, head: str) -> bool:
    return head in post.tags if head in TAGS else bool(getattr(post, head))
