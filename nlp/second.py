"""The second look: what the fast path leaves in doubt is read as a whole, by what it means (:mod:`nlp.encoder`).

The fast path knows words, and a word stands in ordinary posts too; the few posts in a hundred that it cannot rule out
are worth a hundredth of a second. A linear head on the encoder's vector and the fast path's log-odds decide together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import orjson

from nlp import hazard
from nlp.encoder import encoder
from nlp.fast import MAX_ODDS, probability
from nlp.features import Floats
from nlp.heads import (
    BINARY,
    CALIBRATED,
    FOLDER,
    families,
    read_weights,
    rounded,
    row,
    shared,
    write_weights,
)
from nlp.reading import Reading

GATE = {"emerging_incident": 0.07, "public_order_threat": 0.07, "about": 0.3}
"""How likely the fast path must find a post to be one of these for a second look."""


@dataclass(frozen=True, slots=True)
class Second:
    """``weights`` (width of the vector, names) and ``bias`` (names,): the binary heads, then ``family:class``.
    ``lines`` of shape (:data:`CALIBRATED`, heads, 3) are what the head's score, the fast path's log-odds and 1 count
    in the log-odds at the declared prior; ``thresholds`` as in :class:`nlp.heads.Heads`."""

    names: tuple[str, ...]
    weights: Floats
    bias: Floats
    lines: Floats
    thresholds: Mapping[str, Mapping[str, float]]

    def look(self, reading: Reading) -> None:
        """Decide anew on a post whose language is scored; what it means is noted for the deep path."""
        scores = self.scores(encoder().vectors([reading.text])[0])
        for line, head, score in zip(self.lines[row(reading.lang)].tolist(), BINARY, scores.tolist(), strict=False):
            odds = line[0] * score + line[1] * reading.odds[head] + line[2]
            reading.odds[head] = max(-MAX_ODDS, min(MAX_ODDS, odds))
        reading.meant = self.meant(scores)
        reading.hazard = hazard.choose(reading, probability(reading.odds["about"]))

    def scores(self, vector: Floats) -> Floats:
        """The score of a vector (width,) under each name."""
        found: Floats = vector @ self.weights + self.bias
        return found

    def meant(self, scores: Floats) -> dict[str, dict[str, float]]:
        """Family → class → probability, of the scores of a post."""
        return {family: shared(scores, columns) for family, columns in families(self.names).items()}

    def threshold(self, head: str, lang: str) -> float:
        """The probability from which a post in ``lang`` carries the label after a second look."""
        return self.thresholds[head][CALIBRATED[row(lang)]]


def in_doubt(reading: Reading) -> bool:
    """Whether the fast path could not rule a post out."""
    return reading.known and any(probability(reading.odds[head]) >= least for head, least in GATE.items())


def save(second: Second, folder: Path) -> None:
    """Write ``second.npz`` (weights of half precision) and ``second.json``; the same model gives the same bytes."""
    write_weights(second.weights, folder / "second.npz")
    told = {
        "names": second.names,
        "bias": rounded(second.bias),
        "lines": {
            lang: [rounded(head) for head in lines] for lang, lines in zip(CALIBRATED, second.lines, strict=True)
        },
        "thresholds": second.thresholds,
    }
    (folder / "second.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


@cache
def second(folder: Path = FOLDER) -> Second:
    """The shipped model."""
    told = orjson.loads((folder / "second.json").read_bytes())
    lines = np.array([told["lines"][lang] for lang in CALIBRATED], np.float32)
    weights = read_weights(folder / "second.npz").astype(np.float32)
    return Second(tuple(told["names"]), weights, np.array(told["bias"], np.float32), lines, told["thresholds"])
