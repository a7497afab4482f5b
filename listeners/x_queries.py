"""Filters → queries of X's recent search, which sees no accents and gives no reposts to keywords."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from listeners.x_places import places
from listeners.x_text import TooLong, compose

if TYPE_CHECKING:
    from config.world import World

LONGEST = 512
MOST_NAMES = 30
MOST_BOXES = 4
"""Half as many characters as for a rule, and 450 requests in 15 minutes: queries name fewer places than rules do."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query: ``key`` names it for ever, as long as its text stays; ``filters`` are those it is for."""

    key: str
    text: str
    filters: tuple[str, ...]


def compiled(world: World, *, longest: int = LONGEST) -> tuple[tuple[Query, ...], tuple[str, ...]]:
    """The queries for every filter of ``world`` that wants search, and a sentence for each filter left out."""
    found: dict[str, tuple[str, ...]] = {}
    faults: list[str] = []
    for one in world.bundle.filters:
        if not one.search:
            continue
        try:
            terms = places(one, world, accents=False, most_names=MOST_NAMES, most_boxes=MOST_BOXES)
            for text in compose(one, terms, longest=longest, accents=False, retweets=True):
                found[text] = (*found.get(text, ()), one.id)
        except TooLong as error:
            faults.append(str(error))
    return tuple(Query(_key(text), text, names) for text, names in found.items()), tuple(faults)


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
