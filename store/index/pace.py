"""When to do what: a cluster that is away is left in peace, and what is done now and then has its turn."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 10.0


@dataclass(slots=True)
class Pause:
    """How long to leave a cluster in peace; ``ticks`` gives seconds that never go back."""

    ticks: Callable[[], float]
    chance: random.Random
    _until: float = 0.0
    _longest: float = FIRST_PAUSE_S

    def lasts(self) -> bool:
        """Whether it is still to be left in peace."""
        return self.ticks() < self._until

    def begin(self) -> None:
        """Up to twice as long as the last time, by chance, so that not all who wait come back together."""
        self._until = self.ticks() + self._longest * (0.5 + 0.5 * self.chance.random())
        self._longest = min(LONGEST_PAUSE_S, 2 * self._longest)

    def over(self) -> None:
        """It takes what it is sent."""
        self._until, self._longest = 0.0, FIRST_PAUSE_S


@dataclass(slots=True)
class Turns:
    """What is done every so many seconds, and again at once where it failed."""

    ticks: Callable[[], float]
    _next: dict[str, float] = field(default_factory=dict)

    def take(self, name: str, every: float, action: Callable[[], int]) -> int:
        """What ``action`` gives, 0 where it is not its turn. Raises what it raises."""
        if self.ticks() < self._next.get(name, 0.0):
            return 0
        done = action()
        self._next[name] = self.ticks() + every
        return done

    def at_once(self, name: str) -> None:
        """Let it be its turn."""
        self._next.pop(name, None)
