"""The linear heads: weights, calibration and thresholds as plain data, and how they turn a post into probabilities."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import orjson

from nlp.features import Floats

FOLDER = Path(__file__).parent / "models"
BINARY = ("about", "relevance", "emerging_incident", "public_order_threat", "rumour")
"""Heads with a calibrated probability of their own; the others are classes that share one."""


@dataclass(frozen=True, slots=True)
class Heads:
    """``weights`` is (SIZE, heads) float32, ``names`` its columns; ``bias`` the intercepts; ``scale`` and ``shift``
    turn a raw score into log-odds at the declared prior; ``steps`` is added to a head's raw score where the lexicon
    names a hazard outright, which carries over to hazards and languages that training shows seldom."""

    names: tuple[str, ...]
    weights: Floats
    bias: Floats
    scale: Floats
    shift: Floats
    thresholds: dict[str, float]
    steps: dict[str, float] = field(default_factory=dict)

    def columns(self, prefix: str) -> list[int]:
        """The columns of one family of classes, such as ``need:``."""
        return [index for index, name in enumerate(self.names) if name.startswith(prefix)]

    def log_odds(self, raw: Floats, named: Floats) -> Floats:
        """Calibrated log-odds of raw scores (posts, heads); ``named`` (posts,) is 1 where a hazard is named."""
        step = np.array([self.steps.get(name, 0.0) for name in self.names], np.float32)
        odds: Floats = (raw + self.bias + named[:, None] * step) * self.scale + self.shift
        return odds


def save(heads: Heads, folder: Path) -> None:
    """Write ``heads.npz`` (weights of half precision) and ``heads.json``; the same heads give the same bytes."""
    fresh = folder / "heads.npz.new"
    with fresh.open("wb") as file:
        np.savez_compressed(file, weights=heads.weights.astype(np.float16))
    fresh.replace(folder / "heads.npz")
    told = {
        "names": list(heads.names),
        **{key: [round(float(value), 5) for value in getattr(heads, key)] for key in ("bias", "scale", "shift")},
        "thresholds": heads.thresholds,
        "steps": heads.steps,
    }
    (folder / "heads.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


@cache
def heads(folder: Path = FOLDER) -> Heads:
    """The shipped heads."""
    told = orjson.loads((folder / "heads.json").read_bytes())
    with np.load(folder / "heads.npz", allow_pickle=False) as packed:
        weights = packed["weights"].astype(np.float32)
    arrays = {key: np.array(told[key], np.float32) for key in ("bias", "scale", "shift")}
    return Heads(tuple(told["names"]), weights, thresholds=told["thresholds"], steps=told["steps"], **arrays)
