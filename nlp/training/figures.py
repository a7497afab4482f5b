"""A measured figure, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import beta


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: ``value`` of ``n`` cases, between ``low`` and ``high`` with 95 % confidence where it is a
    share of cases (Clopper-Pearson), else None."""

    task: str
    lang: str
    measure: str
    value: float
    n: int
    low: float | None = None
    high: float | None = None


def share(task: str, lang: str, measure: str, hits: int, n: int) -> Figure:
    """A share with its Clopper-Pearson interval."""
    low = float(beta.ppf(0.025, hits, n - hits + 1)) if hits else 0.0
    high = float(beta.ppf(0.975, hits + 1, n - hits)) if hits < n else 1.0
    return Figure(task, lang, measure, hits / max(n, 1), n, low, high)
