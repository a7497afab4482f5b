"""Krippendorff's alpha: how far readers agree beyond what chance would give.

Source: K. Krippendorff, *Computing Krippendorff's Alpha-Reliability* (2011), whose worked examples the tests repeat.
Alpha is 1 where readers always agree, 0 where they agree as chance would have it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MISSING = -1
Distance = Callable[[Sequence[Hashable], Floats], Floats]
"""From the values, in order, and how often each was given: squared differences of shape (values, values)."""


def nominal(values: Sequence[Hashable], often: Floats) -> Floats:
    """Values are the same or not."""
    del often
    return 1.0 - np.eye(len(values))


def ordinal(values: Sequence[Hashable], often: Floats) -> Floats:
    """Values are steps of a ladder: they differ by how many answers lie between them."""
    del values
    up_to = np.cumsum(often)
    middle = up_to - often / 2
    return (middle[:, None] - middle[None, :]) ** 2


def coded(units: Sequence[Sequence[Hashable | None]]) -> tuple[Codes, list[Hashable]]:
    """Answers of shape (units, readers) as numbers, MISSING for None, and the values in order."""
    values = sorted({one for unit in units for one in unit if one is not None}, key=lambda v: (str(type(v)), v))
    index = {value: code for code, value in enumerate(values)}
    codes = [[MISSING if one is None else index[one] for one in unit] for unit in units]
    return np.array(codes, np.int64).reshape(len(units), -1), list(values)


def coincidences(codes: Codes, values: int) -> Floats:
    """How often each pair of values was given to one unit, a unit of m answers counting m."""
    found = np.zeros((values, values))
    told = (codes != MISSING).sum(axis=1)
    for one in range(codes.shape[1]):
        for other in range(codes.shape[1]):
            both = (codes[:, one] != MISSING) & (codes[:, other] != MISSING)
            if one != other and both.any():
                np.add.at(found, (codes[both, one], codes[both, other]), 1.0 / (told[both] - 1))
    return found


def alpha_of(codes: Codes, values: Sequence[Hashable], distance: Distance = nominal) -> float:
    """Alpha of coded answers; NaN where there is nothing to differ in (fewer than two values, or no pair)."""
    pairs = coincidences(codes, len(values))
    often = pairs.sum(axis=1)
    total = float(often.sum())
    squared = distance(values, often)
    expected = float((often[:, None] * often[None, :] * squared).sum())
    if total < 2 or expected == 0:
        return float("nan")
    return 1.0 - (total - 1) * float((pairs * squared).sum()) / expected


def alpha(units: Sequence[Sequence[Hashable | None]], distance: Distance = nominal) -> float:
    """Alpha of the answers of shape (units, readers), None where a reader gave none."""
    codes, values = coded(units)
    return alpha_of(codes, values, distance)


def interval(
    codes: Codes, values: Sequence[Hashable], distance: Distance = nominal, *, owners: Codes | None = None,
    rounds: int = 200, seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """The middle 95 % of alpha over units drawn anew; ``owners`` (units,): the post of each, which is drawn whole."""
    draw = np.random.default_rng(seed)
    owners = np.arange(len(codes)) if owners is None else owners
    rows_of = _rows(owners)
    found = []
    for _ in range(rounds):
        chosen = draw.integers(0, len(rows_of), len(rows_of))
        rows = np.concatenate([rows_of[one] for one in chosen])
        found.append(alpha_of(codes[rows], values, distance))
    known = [one for one in found if not np.isnan(one)]
    if not known:
        return float("nan"), float("nan")
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


def _rows(owners: Codes) -> list[Codes]:
    order = np.argsort(owners, kind="stable")
    cuts = np.flatnonzero(np.diff(owners[order])) + 1
    return [part.astype(np.int64) for part in np.split(order, cuts)]
