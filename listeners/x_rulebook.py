"""The rules that one stream has at X, and the filters that they stand for."""

from __future__ import annotations

import logging
from collections.abc import Collection
from threading import Lock
from typing import TYPE_CHECKING

import tweepy

from listeners import x_rules
from listeners.x_memory import Memory

if TYPE_CHECKING:
    from config.world import World

log = logging.getLogger(__name__)


class Rulebook:
    """Keeps X's rules those of a configuration. ``world`` is the one whose rules are in force, None before the first.

    ``unheard`` are the filters that want the stream and have no rule, since X refuses them or has no room.
    """

    def __init__(self, source: str, memory: Memory, most_rules: int) -> None:
        self.source, self.most_rules = source, most_rules
        self.world: World | None = None
        self.unheard: tuple[str, ...] = ()
        self._memory = memory
        self._filters: dict[str, tuple[str, ...]] = {}
        self._lock = Lock()

    def recall(self) -> None:
        """Takes the rules as they were before a restart."""
        self._filters = self._memory.filters()

    def sync(self, client: tweepy.StreamingClient, world: World) -> int:
        """Makes the rules at X those of ``world``, and gives how many there are.

        Raises x_rules.TooManyRules, x_rules.Strange, tweepy's and requests' exceptions, and those of the store.
        """
        with self._lock:
            rules = x_rules.compiled(world, at_most=self.most_rules)
            synced = x_rules.synchronise(client, rules, at_most=self.most_rules)
            for fault in (*rules.faults, *(f"X refused {value[:80]}: {why}" for value, why in synced.refused.items())):
                log.warning("%s: %s", self.source, fault)
            self._filters = {
                tag: rules.filters[tag] for tag, value in rules.values.items() if value not in synced.refused
            }
            heard = {name for names in self._filters.values() for name in names}
            self.unheard = tuple(one.id for one in world.bundle.filters if one.stream and one.id not in heard)
            self.world = world
            self._memory.keep_rules(self._filters)
            return len(self._filters)

    def sought(self, tags: Collection[str]) -> tuple[str, ...]:
        """The filters that the rules with these tags stand for."""
        return tuple(dict.fromkeys(name for tag in tags for name in self._filters.get(tag, ())))

    def filters(self) -> tuple[str, ...]:
        """Every filter that has a rule."""
        return tuple(sorted({name for names in self._filters.values() for name in names}))
