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
    """One query: ``key`` names it for ever, as long as its text stays; ``filters`` are those it is for. What a
    ``shared`` one brings counts for none of them."""

    key: str
    text: str
    filters: tuple[str, ...]
    shared: bool = False


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


def smaller_places(world: World, *, longest: int = LONGEST) -> tuple[Query, ...]:
    """Queries for the places that :func:`compiled` leaves out and rules name: by name alone, for all filters together,
    since few write of them; the local matcher sorts out what comes. Six requests stand for five hundred."""
    found: dict[str, tuple[str, ...]] = {}
    for one in world.bundle.filters:
        named = one.model_copy(update={"keywords": (), "with_": (), "without": (), "where": "named"})
        terms = places(named, world, accents=False)[MOST_NAMES:] if one.where in ("named", "either") else []
        for text in (
            compose(named, terms, longest=longest, accents=False, retweets=True) if one.search and terms else ()
        ):
            found[text] = (*found.get(text, ()), one.id)
    return tuple(Query(_key(text), text, names, shared=True) for text, names in found.items())


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
