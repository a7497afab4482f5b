"""The linear heads: weights, calibration and thresholds as plain data, and how they turn a post into probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

from nlp.features import Floats
from nlp.language import HOME

FOLDER = Path(__file__).parent / "models"
BINARY = ("about", "relevance", "emerging_incident", "public_order_threat", "rumour")
"""Heads with a calibrated probability of their own; the others are classes that share one."""
CALIBRATED = (*HOME, "other")
"""Languages with probabilities and thresholds of their own; the last stands for all others that are scored."""


@dataclass(frozen=True, slots=True)
class Heads:
    """``weights`` is (SIZE, heads) float32, ``names`` its columns; ``bias`` (heads,) the intercepts; ``scale`` and
    ``shift`` of shape (:data:`CALIBRATED`, heads) turn a raw score into log-odds at the declared prior; ``thresholds``:
    head → language → the probability from which a post carries the label."""

    names: tuple[str, ...]
    weights: Floats
    bias: Floats
    scale: Floats
    shift: Floats
    thresholds: Mapping[str, Mapping[str, float]]

    def columns(self, prefix: str) -> list[int]:
        """The columns of one family of classes, such as ``need:``."""
        return [index for index, name in enumerate(self.names) if name.startswith(prefix)]

    def log_odds(self, raw: Floats, langs: Sequence[str]) -> Floats:
        """Calibrated log-odds of raw scores (posts, heads), each post in its language."""
        rows = [row(lang) for lang in langs]
        odds: Floats = (raw + self.bias) * self.scale[rows] + self.shift[rows]
        return odds

    def line(self, head: str, lang: str) -> tuple[float, float]:
        """Scale and shift of one head in a language, for scores that hold the intercept."""
        at = row(lang), self.names.index(head)
        return float(self.scale[at]), float(self.shift[at])

    def threshold(self, head: str, lang: str) -> float:
        """The probability from which a post in ``lang`` carries the label."""
        return self.thresholds[head][CALIBRATED[row(lang)]]


def row(lang: str) -> int:
    """Where a language stands in :data:`CALIBRATED`."""
    return HOME.index(lang) if lang in HOME else len(HOME)


@cache
def families(names: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Family → class → column, of columns named ``family:class``; others are of no family."""
    found: dict[str, dict[str, int]] = {}
    for column, name in enumerate(names):
        family, colon, each = name.partition(":")
        if colon:
            found.setdefault(family, {})[each] = column
    return found


def shared(scores: Floats, columns: Mapping[str, int]) -> dict[str, float]:
    """The classes of a family, which share one probability."""
    values = scores[list(columns.values())]
    shares = np.exp(values - values.max())
    return dict(zip(columns, (shares / shares.sum()).tolist(), strict=True))


def save(heads: Heads, folder: Path) -> None:
    """Write ``heads.npz`` (weights of half precision) and ``heads.json``; the same heads give the same bytes."""
    write_weights(heads.weights, folder / "heads.npz")
    told = {
        "names": list(heads.names),
        "bias": rounded(heads.bias),
        **{key: dict(zip(CALIBRATED, map(rounded, getattr(heads, key)), strict=True)) for key in ("scale", "shift")},
        "thresholds": heads.thresholds,
    }
    (folder / "heads.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


def write_weights(weights: Floats, file: Path) -> None:
    """Write weights in half precision, whole or not at all; the same weights give the same bytes."""
    fresh = file.with_name(f"{file.name}.new")
    with fresh.open("wb") as out:
        np.savez_compressed(out, weights=weights.astype(np.float16))
    fresh.replace(file)


def read_weights(file: Path) -> npt.NDArray[np.float16]:
    """What :func:`write_weights` wrote, as it stands there."""
    with np.load(file, allow_pickle=False) as packed:
        weights: npt.NDArray[np.float16] = packed["weights"]
    return weights


def rounded(values: Floats) -> list[float]:
    """Values as they are kept in JSON."""
    return [round(float(value), 5) for value in values]


@cache
def heads(folder: Path = FOLDER) -> Heads:
    """The shipped heads."""
    told = orjson.loads((folder / "heads.json").read_bytes())
    weights = read_weights(folder / "heads.npz").astype(np.float32)
    lines = {key: np.array([told[key][lang] for lang in CALIBRATED], np.float32) for key in ("scale", "shift")}
    return Heads(
        tuple(told["names"]), weights, np.array(told["bias"], np.float32), **lines, thresholds=told["thresholds"]
    )
