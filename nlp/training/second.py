"""Learns the second look: the encoder's last layers and a head on them, on posts that the fast path leaves in doubt.

Every post of the corpus teaches, and of the other sources those that the fast path cannot rule out: they are what the
head will see, and reading a hundred thousand posts as a whole would take an hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nlp.deep.fields import Fields
from nlp.deep.pipeline import shifts
from nlp.fast import log_odds
from nlp.features import Floats
from nlp.heads import BINARY, CALIBRATED
from nlp.language import HOME
from nlp.second import GATE, Second
from nlp.training import fit
from nlp.training.encoder import Layer, Making
from nlp.training.fields import FAMILIES, examine
from nlp.training.prior import at_prior
from nlp.training.sources import Example
from nlp.training.tuning import Lesson, Report, teach

ONE_IN = {"crisislex_t26": 3, "crisislex_t6": 8, "disaster_messages": 8, "pheme": 4}
"""Of the posts in doubt of a source, one in so many is read, by hash."""
FOLDS = 3
"""In so many parts the posts are told apart, to see what a model does with events it was not taught."""
NEIGHBOURS, CRISES, RELEVANT = 0.0625, 0.3, 0.25
"""How much an ordinary post of the corpus (for relevance, the last), and a post of a real crisis, counts beside what
it counts in the fast heads. Neighbours teach those to tell alike words apart; here, counted as much, they drowned the
street, and recall at 0.3 % false alarms fell from .85 to .70. Real crises have taught the fast heads already."""
LEARNT = {family: silent for family, silent in FAMILIES.items() if family != "hazard"}
"""What a post means names no hazard well: the layers that are kept see that something burns, not what."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Posts to learn from: ``rows`` of the data, the ``states`` that the encoder's lower layers make of them, how many
    posts each ``stands`` for, and whether the fast path leaves it in ``doubt``."""

    rows: npt.NDArray[np.int64]
    states: Sequence[npt.NDArray[np.float16]]
    stands: Floats
    doubt: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Learnt:
    """The second look without thresholds, the encoder's last ``layers``; by models that had not seen their event, the
    ``scores`` of the posts read (posts, names) and, for each head, the ``odds`` of every example."""

    second: Second
    layers: list[Layer]
    scores: Floats
    odds: dict[str, fit.Array]


def fit_second(
    data: fit.Data,
    read: Doubt,
    odds: Mapping[str, fit.Array],
    layers: Sequence[Layer],
    *,
    seed: int = 0,
    report: Report = lambda _: None,
) -> Learnt:
    """Teach ``layers`` and a head on them. ``odds``: the fast path's log-odds of every example, out of fold."""
    whole = lesson(data, read)
    scores = out_of_fold(data, read, whole, layers, seed=seed, report=report)
    taught = teach(layers, whole, np.arange(len(read.rows)), seed=seed, report=report)
    told = [
        [line(data, read, head, lang, scores[:, at], odds[head]) for at, head in enumerate(BINARY)]
        for lang in CALIBRATED
    ]
    lines = np.array(told, np.float32)
    made = Second((*BINARY, *whole.names), taught.weights, taught.bias, lines, {})
    return Learnt(made, taught.layers, scores, decided(data, read, made, scores, odds))


def out_of_fold(
    data: fit.Data,
    read: Doubt,
    whole: Lesson,
    layers: Sequence[Layer],
    *,
    seed: int = 0,
    report: Report = lambda _: None,
) -> Floats:
    """The scores of each post read, by layers and a head that were taught nothing of its group."""
    part = fit.parts(data, folds=FOLDS, seed=seed)[read.rows]
    scores = np.zeros((len(read.rows), whole.width), np.float32)
    for one in range(FOLDS):
        taught = teach(layers, whole, np.flatnonzero(part != one), seed=seed, report=report)
        here = np.flatnonzero(part == one).tolist()
        scores[here] = taught.scores([read.states[row] for row in here])
        report(f"second look without part {one + 1} of {FOLDS} taught")
    return scores


def lesson(data: fit.Data, read: Doubt) -> Lesson:
    """What the posts read are told to be: the heads of the data, and of the corpus the families."""
    labels, counts = zip(*(_labels(data, read, head) for head in BINARY), strict=True)
    examples = [data.examples[row] for row in read.rows]
    classes = {}
    for family, silent in LEARNT.items():
        told = [one.names.get(family, silent) if one.source == "corpus" else None for one in examples]
        names = tuple(sorted({name for name in told if name}))
        classes[family] = names, np.array([names.index(name) if name else -1 for name in told])
    return Lesson(read.states, np.stack(labels, 1), np.stack(counts, 1).astype(np.float32), classes)


def _labels(data: fit.Data, read: Doubt, head: str) -> tuple[npt.NDArray[np.int8], fit.Array]:
    wanted = fit.targets(data, head)
    told = np.flatnonzero(wanted[read.rows] >= 0)
    counts = np.zeros(len(read.rows))
    counts[told] = _counts(data, wanted, read.rows[told], head)
    return wanted[read.rows], counts


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


def decided(
    data: fit.Data, read: Doubt, made: Second, scores: Floats, odds: Mapping[str, fit.Array]
) -> dict[str, fit.Array]:
    """Head → the log-odds of every example, after the second look where it was in doubt."""
    found = {head: values.copy() for head, values in odds.items()}
    for at, head in enumerate(BINARY):
        for place, lang in enumerate(CALIBRATED):
            here = read.doubt & of_language(data, lang)[read.rows]
            rows, one = read.rows[here], made.lines[place, at]
            found[head][rows] = one[0] * scores[here, at] + one[1] * odds[head][rows] + one[2]
    return found


def read_doubt(data: fit.Data, odds: Mapping[str, fit.Array], maker: Making) -> Doubt:
    """The corpus, and of the other sources the share that is read of what is in doubt."""
    doubt = np.any([odds[head] >= log_odds(least) for head, least in GATE.items()], axis=0)
    rows = np.array(
        [i for i, one in enumerate(data.examples) if one.source == "corpus" or (doubt[i] and taken(one))], np.int64
    )
    told = [data.examples[row] for row in rows]
    stands = np.array([ONE_IN.get(one.source, 1) for one in told], np.float32)
    return Doubt(rows, maker.states(one.text for one in told), stands, doubt[rows])


def taken(one: Example) -> bool:
    """Whether a post belongs to the share of its source that is read."""
    digest = hashlib.blake2b(one.text.encode("utf-8", "replace"), digest_size=2).digest()
    return int.from_bytes(digest) % ONE_IN.get(one.source, 1) == 0


def line(data: fit.Data, some: Doubt, head: str, lang: str, scores: Floats, odds: fit.Array) -> tuple[float, ...]:
    """What a head's score, the fast path's log-odds and 1 count in a language, at the declared prior."""
    wanted, sample = at_prior(data, head, lang)
    counts = np.where(some.doubt, sample[some.rows] * some.stands, 0.0)
    return fit.calibrate(np.stack([scores, odds[some.rows]], axis=1), wanted[some.rows], counts)


def deep_shifts(
    data: fit.Data, rows: npt.NDArray[np.int64], scores: Floats, found: Second, made: Fields
) -> Iterator[dict[str, float]]:
    """Head → what the deep path adds to the log-odds of French and English posts that were looked at again."""
    texts = ((data.examples[row].text, str(data.langs[row])) for row in rows)
    for findings, told in zip(examine(texts), scores, strict=True):
        findings.meant = found.meant(told)
        findings.chances = made.of(findings)
        yield shifts(findings)


def of_language(data: fit.Data, lang: str) -> npt.NDArray[np.bool_]:
    """Which examples have the probabilities of a language."""
    found: npt.NDArray[np.bool_] = data.langs == lang if lang in HOME else ~np.isin(data.langs, HOME)
    return found
