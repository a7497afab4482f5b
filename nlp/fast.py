"""The fast path: every post, a batch at a time: fold, language, lexicon, hashed features, linear heads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from nlp import hazard
from nlp.automaton import Lexicon, lexicon
from nlp.features import Scorer, Vocabulary
from nlp.heads import BINARY, Heads, heads
from nlp.language import KNOWN, NOTHING, Languages, languages
from nlp.reading import EMPTY_ODDS, Reading
from nlp.text import fold, without_links
from store.records import Geo, Scored

MAX_VOCABULARY = 200_000
NEED_FLOOR = 0.3
SOURCE_FLOOR = 0.45
MAX_ODDS = 7.0
NO_NEED = "not_humanitarian"
"""The need of a post that gives nothing a service could use."""


class Readable(Protocol):
    """What the annotator needs of a post."""

    @property
    def id(self) -> str:
        """The post's id."""

    @property
    def text(self) -> str:
        """The post's words."""

    @property
    def lang(self) -> str | None:
        """The language that the platform states."""

    @property
    def geo(self) -> Geo | None:
        """The position that the platform gives."""


def probability(odds: float) -> float:
    """The probability of log-odds."""
    return 1 / (1 + math.exp(-odds))


def log_odds(p: float) -> float:
    """The log-odds of a probability between 0 and 1, neither included."""
    return math.log(p / (1 - p))


class FastPath:
    """Reads posts with the shipped models; keeps the words it has met."""

    def __init__(
        self, model: Heads | None = None, words: Lexicon | None = None, langs: Languages | None = None
    ) -> None:
        self.heads = model or heads()
        self._lexicon = words or lexicon()
        self._languages = langs or languages()
        self._binary = [self.heads.names.index(head) for head in BINARY]
        self._need = self.heads.columns("need:")
        self._source = self.heads.columns("source:")
        self._forget()

    def _forget(self) -> None:
        self.vocabulary = Vocabulary()
        self.scorer = Scorer(self.vocabulary, self.heads.weights)

    def read(self, posts: Sequence[Readable]) -> list[Reading]:
        """A reading of each post, in order."""
        if len(self.vocabulary) > MAX_VOCABULARY:
            self._forget()
        readings = [self._open(post) for post in posts]
        seen = [self.vocabulary.see(reading.plain, reading.hits) for reading in readings]
        langs = [reading.lang for reading in readings]
        odds = np.clip(self.heads.log_odds(self.scorer.scores(seen), langs), -MAX_ODDS, MAX_ODDS)
        for reading, post_odds, one in zip(readings, odds.tolist(), seen, strict=True):
            if reading.known:
                self._score(reading, post_odds, bool(one.words))
        return readings

    def pulls(self, words: Sequence[str], column: int) -> list[float]:
        """How much each word, or concept's key, adds to a head, before scaling by the post's length."""
        return self.scorer.pulls([self.vocabulary.id_of(word) for word in words], column)

    def _open(self, post: Readable) -> Reading:
        folded = fold(post.text)
        plain = without_links(folded.text)
        lang = self._languages.identify(post.text, plain, post.lang)
        known = lang in KNOWN or lang == NOTHING
        hits = self._lexicon.find(plain) if known else []
        near = (post.geo.lat, post.geo.lon) if post.geo else None
        drill = getattr(post, "status", "Actual") != "Actual"
        return Reading(post.id, post.text, folded, plain, lang, known, hits, near=near, drill=drill)

    def _score(self, reading: Reading, odds: list[float], worded: bool) -> None:
        if not worded and not reading.hits:
            reading.odds = dict.fromkeys(BINARY, EMPTY_ODDS)
            return
        reading.odds = {head: odds[column] for head, column in zip(BINARY, self._binary, strict=True)}
        about = probability(reading.odds["about"])
        reading.hazard = hazard.choose(reading, about)
        if about > NEED_FLOOR:
            reading.need = self._best(odds, self._need, about, NEED_FLOOR)
            if source := self._best(odds, self._source, about, SOURCE_FLOOR):
                reading.source = source.name

    def _best(self, odds: list[float], columns: list[int], about: float, floor: float) -> Scored | None:
        """The likeliest class of a family: one against the rest, shared out, and no likelier than the post's topic."""
        chances = [probability(odds[column]) for column in columns]
        if not chances:
            return None
        first = max(range(len(chances)), key=chances.__getitem__)
        p = about * chances[first] / max(sum(chances), 1e-9)
        name = self.heads.names[columns[first]].partition(":")[2]
        return Scored(name, round(p, 3)) if p >= floor and name != NO_NEED else None
