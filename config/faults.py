"""Faults: what is wrong in a bundle, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong. ``line`` counts from 1 (0: the file); ``key`` is a path such as ``filters[2].areas[0]``."""

    file: str
    line: int
    key: str
    message: str
    advice: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = f"{self.key}: {self.message}" if self.key else self.message
        return f"{where}: {self.level}: {what}\n    → {self.advice}"


class BundleError(ValueError):
    """A bundle that cannot be used; ``faults`` says everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


def dotted(path: Iterable[str | int]) -> str:
    """A key path as people write it: ``("filters", 2, "areas", 0)`` is ``filters[2].areas[0]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """``did you mean "x"? `` where a known name is close, else what may be written, as far as that is short."""
    names = sorted(map(str, known))
    if close := difflib.get_close_matches(name, names, n=1, cutoff=0.6):
        return f'did you mean "{close[0]}"?'
    if not names:
        return "none is declared yet"
    shown = ", ".join(names[:12])
    return f"known: {shown}{', …' if len(names) > 12 else ''}"
