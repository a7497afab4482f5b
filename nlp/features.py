"""What the linear heads see of a post: hashed words, word pairs and letter groups, and the lexicon's concepts.

Concepts are the same in every language. Function words count: in training crisis and ordinary posts of a language weigh
alike, so that they tell *who saw what where*, not which language it is. Words repeat, so each is hashed once and kept;
a head's answer for a post is then a sum over its words' answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nlp.automaton import Hit

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

SIZE = 1 << 18
TOKEN = re.compile(r"[^\W_]+")
MAX_TOKENS = 400
MAX_CONCEPTS = 12
Meant = frozenset[tuple[str, bool, bool]]
"""What a post's terms mean: concept, whether it is a hazard, whether it names it outright."""
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Seen:
    """One post as the heads see it: ids of its words in order, and of its concepts, in a :class:`Vocabulary`."""

    words: list[int]
    concepts: list[int]


class Vocabulary:
    """Words and concepts met so far, each with its feature indices below ``SIZE``."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self.features: list[tuple[int, ...]] = []
        self._meant: dict[Meant, list[int]] = {}

    def __len__(self) -> int:
        return len(self.features)

    def see(self, folded: str, hits: Sequence[Hit]) -> Seen:
        """The ids of a post's words (at most ``MAX_TOKENS``; each once) and concepts."""
        ids = self._ids
        words = []
        for token in dict.fromkeys(TOKEN.findall(folded, 0, 8000)[:MAX_TOKENS]):
            known = ids.get(token)
            if known is None:
                known = self._learn(token, word_features(token))
            if known >= 0:
                words.append(known)
        return Seen(
            words, self._concepts(frozenset((hit.term.concept, hit.term.hazard, hit.term.strong) for hit in hits))
        )

    def _concepts(self, meant: Meant) -> list[int]:
        """The ids of the concepts of a post, kept for the next post that means the same."""
        known = self._meant.get(meant)
        if known is None:
            ids = self._ids
            known = [ids[key] if key in ids else self._learn(key, (hashed(key),)) for key in _concept_keys(meant)]
            self._meant[meant] = known
        return known

    def id_of(self, key: str) -> int:
        """The id of a word, or of a concept's key, that was met; -1 for an unknown one."""
        return self._ids.get(key, -1)

    def _learn(self, key: str, features: tuple[int, ...]) -> int:
        self._ids[key] = known = len(self.features) if features else -1
        if features:
            self.features.append(features)
        return known


def word_features(token: str) -> tuple[int, ...]:
    """The indices of a word and of its letter groups; () for a single letter."""
    if len(token) < 2 and token.isascii() and not token.isdigit():
        return ()
    if token.isdigit():
        return (hashed("w:" + "0" * min(len(token), 4)),)
    padded = f" {token[:24]} "
    grams = {padded[start : start + size] for size in (3, 4, 5) for start in range(len(padded) - size + 1)}
    return (hashed("w:" + token), *(hashed("g:" + gram) for gram in sorted(grams)))


def concept_keys(hit: Hit) -> tuple[str, str]:
    """The keys of what one lexicon term stands for."""
    term = hit.term
    return "c:" + _name(term.concept, term.strong), "k:" + _kind(term.concept, term.hazard, term.strong)


def _concept_keys(meant: Meant) -> Iterable[str]:
    names = sorted({_name(concept, strong) for concept, _, strong in meant})[:MAX_CONCEPTS]
    kinds = sorted({_kind(*one) for one in meant})[:MAX_CONCEPTS]
    yield from ("c:" + name for name in names)
    yield from ("k:" + kind for kind in kinds)
    yield from (f"p:{first}&{second}" for index, first in enumerate(kinds) for second in kinds[index + 1 :])
    yield f"n:{min(len(kinds), 6)}"


def _name(concept: str, strong: bool) -> str:
    return f"{concept}!" if strong else concept


def _kind(concept: str, hazard: bool, strong: bool) -> str:
    """Hazards share one kind by strength, so that a hazard never seen in training still speaks."""
    if not hazard:
        return concept
    return "hazard!" if strong else "hazard"


def hashed(key: str, size: int = SIZE) -> int:
    """The index of a key below ``size``, a power of two."""
    return crc32(key.encode("utf-8", "replace")) & (size - 1)


def _pairs(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    mixed: npt.NDArray[np.int64] = (first * 1_000_003 + second * 8_191 + 77) & (SIZE - 1)
    return mixed


def matrix(vocabulary: Vocabulary, posts: Sequence[Seen]) -> csr_matrix:
    """The posts as counts of shape (posts, SIZE), each row divided by the root of its number of features."""
    from scipy.sparse import csr_matrix  # half a second, which only training needs

    rows = [_row(vocabulary, post) for post in posts]
    lengths = np.fromiter((len(row) for row in rows), np.int64, len(rows))
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.fromiter((index for row in rows for index in row), np.int32, int(starts[-1]))
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths).astype(np.float32)
    counted = csr_matrix((values, columns, starts), shape=(len(rows), SIZE))
    counted.sum_duplicates()
    return counted


def _row(vocabulary: Vocabulary, post: Seen) -> list[int]:
    features = vocabulary.features
    row = [index for word in post.words for index in features[word]]
    row += (
        (features[first][0] * 1_000_003 + features[second][0] * 8_191 + 77) & (SIZE - 1)
        for first, second in pairwise(post.words)
    )
    row += (features[concept][0] for concept in post.concepts)
    return row


class Scorer:
    """Applies ``weights`` of shape (SIZE, heads) to posts, a batch at a time."""

    def __init__(self, vocabulary: Vocabulary, weights: Floats) -> None:
        self._vocabulary = vocabulary
        self._weights = weights
        self._table = np.zeros((1024, weights.shape[1]), np.float32)
        self._first = np.zeros(1024, np.int64)
        self._lengths = np.zeros(1024, np.int64)
        self._known = 0

    def scores(self, posts: Sequence[Seen]) -> Floats:
        """Raw scores of shape (posts, heads), without intercepts: what ``matrix(posts) @ weights`` gives."""
        self._catch_up()
        counts = np.fromiter((len(post.words) for post in posts), np.int64, len(posts))
        words = np.fromiter((word for post in posts for word in post.words), np.int64, int(counts.sum()))
        owner = np.repeat(np.arange(len(posts)), counts)
        concept_counts = np.fromiter((len(post.concepts) for post in posts), np.int64, len(posts))
        concepts = np.fromiter((one for post in posts for one in post.concepts), np.int64, int(concept_counts.sum()))
        same = owner[1:] == owner[:-1]
        pairs = _pairs(self._first[words[:-1]][same], self._first[words[1:]][same])
        parts = (
            (self._table[words], owner),
            (self._weights[pairs], owner[1:][same]),
            (self._table[concepts], np.repeat(np.arange(len(posts)), concept_counts)),
        )
        total = np.zeros((len(posts), self._weights.shape[1]), np.float32)
        for values, owners in parts:
            _add(total, values, owners)
        features = np.bincount(owner, self._lengths[words], len(posts)) + np.maximum(counts - 1, 0) + concept_counts
        scaled: Floats = total / np.sqrt(np.maximum(features, 1))[:, None].astype(np.float32)
        return scaled

    def pulls(self, ids: Sequence[int], column: int) -> list[float]:
        """What words and concepts add to a head, before scaling by the post's length; 0 for an unknown one (-1)."""
        found = np.fromiter(ids, np.int64, len(ids))
        known = (found >= 0) & (found < self._known)
        pulled: list[float] = np.where(known, self._table[np.where(known, found, 0), column], 0.0).tolist()
        return pulled

    def _catch_up(self) -> None:
        size = len(self._vocabulary)
        if size > len(self._table):
            room = max(size, 2 * len(self._table)) - len(self._table)
            self._table = np.concatenate([self._table, np.zeros((room, self._table.shape[1]), np.float32)])
            self._first = np.concatenate([self._first, np.zeros(room, np.int64)])
            self._lengths = np.concatenate([self._lengths, np.zeros(room, np.int64)])
        for word in range(self._known, size):
            features = self._vocabulary.features[word]
            self._table[word] = self._weights[list(features)].sum(axis=0)
            self._first[word] = features[0]
            self._lengths[word] = len(features)
        self._known = size


def _add(total: Floats, values: Floats, owners: npt.NDArray[np.int64]) -> None:
    """Sum ``values`` into the row of their owner; owners rise."""
    if not len(owners):
        return
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    total[owners[starts]] += np.add.reduceat(values, starts, axis=0)
