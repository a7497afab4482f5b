"""The filter language: which of the declared filters want a post.

One automaton (Aho-Corasick) finds every keyword and every place name of all filters in one pass over the key of the
text (:func:`config.text.key`), so accents, case, hyphens and line breaks do not matter and words match whole. The words
inside hashtags count as words too: ``#IncendieCholet`` holds ``incendie`` and ``Cholet``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import ahocorasick

from config.areas import Areas
from config.bundle import Area, Bundle, Filter
from config.gazetteer import gazetteer
from config.lexicon import common_words
from config.text import hashtag_words, key
from store.records import Geo

_KEYWORD, _WITH, _WITHOUT, _PLACE = range(4)
SHORTEST_PLACE = 4
ELSEWHERE_M = 50_000


@dataclass(frozen=True, slots=True)
class _Rule:
    """A filter as the matcher needs it."""

    id: str
    wants_with: bool
    languages: frozenset[str]
    areas: tuple[str, ...]
    where: str


class Matcher:
    """Which filters of a bundle want a post; built once, asked often. Safe to use from several threads."""

    def __init__(self, bundle: Bundle, areas: Areas) -> None:
        self._areas = areas
        self._rules = tuple(_rule(f, bundle) for f in bundle.filters)
        self._automaton = _automaton(bundle, areas)

    def match(self, text: str, *, lang: str | None = None, geo: Geo | None = None) -> tuple[str, ...]:
        """The ids of the filters that want this post, in the bundle's order.

        ``lang`` is the platform's guess (``fr``); without one, or ``und``, a filter's languages do not exclude.
        """
        found = self._find(text)
        if not found:
            return ()
        return tuple(rule.id for index, rule in enumerate(self._rules) if self._holds(index, rule, found, lang, geo))

    def _find(self, text: str) -> set[tuple[int, int]]:
        """Every (filter, part) of which a word stands in the text; empty where no keyword does."""
        found: set[tuple[int, int]] = set()
        if self._automaton is None:
            return found
        inside = hashtag_words(text)
        for _, hits in self._automaton.iter(f" {key(f'{text} | {inside}' if inside else text)} "):
            found.update(hits)
        return found

    def _holds(self, index: int, rule: _Rule, found: set[tuple[int, int]], lang: str | None, geo: Geo | None) -> bool:
        if (index, _KEYWORD) not in found or (index, _WITHOUT) in found:
            return False
        if rule.wants_with and (index, _WITH) not in found:
            return False
        if rule.languages and lang and lang != "und" and lang[:2].lower() not in rule.languages:
            return False
        return not rule.areas or self._located(index, rule, found, geo)

    def _located(self, index: int, rule: _Rule, found: set[tuple[int, int]], geo: Geo | None) -> bool:
        if rule.where != "tagged" and (index, _PLACE) in found:
            return True
        if rule.where == "named" or geo is None or (geo.radius_m or 0) > ELSEWHERE_M:
            return False
        return any(self._areas.contains(area, geo.lat, geo.lon) for area in rule.areas)


def place_names(area_id: str, bundle: Bundle, areas: Areas) -> set[str]:
    """The keys under which a text names an area: its names, those of areas inside it, its départements and communes.

    Names of communes that are ordinary words (``Brain``, ``Marans``) or shorter than four letters are left out.
    """
    names = {key(name) for area in bundle.areas if areas.inside(area.id, area_id) for name in _names(area)}
    whole = next(area for area in bundle.areas if area.id == area_id)
    names.update(key(place.name) for code in whole.departements if (place := gazetteer().departement(code)))
    found = gazetteer().keys_of(areas.communes(area_id))
    names.update(name for name in found if len(name) >= SHORTEST_PLACE and name not in common_words())
    return names


def _names(area: Area) -> tuple[str, ...]:
    return area.name.fr, area.name.en, *area.also


def _rule(declared: Filter, bundle: Bundle) -> _Rule:
    everywhere = {area.id for area in bundle.areas if area.world}
    areas = () if declared.where == "anywhere" or everywhere.intersection(declared.areas) else declared.areas
    return _Rule(declared.id, bool(declared.with_), frozenset(declared.languages), areas, declared.where)


def _automaton(bundle: Bundle, areas: Areas) -> ahocorasick.Automaton | None:
    patterns: dict[str, set[tuple[int, int]]] = {}
    for index, declared in enumerate(bundle.filters):
        for part, terms in _parts(declared, bundle, areas):
            for term in terms:
                patterns.setdefault(term, set()).add((index, part))
    patterns.pop("", None)
    if not patterns:
        return None
    automaton = ahocorasick.Automaton()
    for term, hits in patterns.items():
        automaton.add_word(f" {term} ", tuple(hits))
    automaton.make_automaton()
    return automaton


def _parts(declared: Filter, bundle: Bundle, areas: Areas) -> Iterator[tuple[int, Iterable[str]]]:
    yield _KEYWORD, map(term_key, declared.keywords)
    yield _WITH, map(term_key, declared.with_)
    yield _WITHOUT, map(term_key, declared.without)
    if declared.where in ("named", "either"):
        for area in declared.areas:
            yield _PLACE, place_names(area, bundle, areas)


def term_key(term: str) -> str:
    """The key of a keyword; a hashtag stands for the words in it: ``#feuDeForêt`` is ``feu de foret``."""
    return key(hashtag_words(term) or term)
