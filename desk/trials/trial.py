"""What a trial is, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a fault did to Vigie.

    ``fault`` says it for people; ``survived`` of ``tried`` times all was as it must be. ``lost`` and ``doubled`` count
    posts, decisions and messages. ``longest_recovery_s``: seconds from the fault until the work went on, None where
    nothing stopped. ``said``: what the desk or the log told of it.
    """

    fault: str
    tried: int
    survived: int
    lost: int = 0
    doubled: int = 0
    longest_recovery_s: float | None = None
    said: str = ""

    @property
    def good(self) -> bool:
        """Whether nothing was lost or doubled, and every try survived."""
        return self.survived == self.tried and not self.lost and not self.doubled


Run = Callable[[Random, Path], Outcome]


@dataclass(frozen=True, slots=True)
class Trial:
    """``run`` takes all its chances from a Random and all its room from an empty folder.

    ``slow`` ones take more than half a minute, and are left out of a quick look.
    """

    name: str
    run: Run
    slow: bool = False
