"""Near-copies: MinHash over character shingles finds the candidates, their true overlap decides.

Broder, *On the resemblance and containment of documents* (1997); bands as in Leskovec, Rajaraman and Ullman, *Mining of
Massive Datasets*, chapter 3. A pair of neighbours is alike on purpose and does not count, nor do posts of one story,
whose flood of copies may be what it is about.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from nlp.text import fold
from nlp.training.written.finding import Finding, share
from nlp.training.written.post import Written
from nlp.training.written.read import Corpus

SHINGLE = 5
HASHES, BANDS = 128, 32
ALIKE = 0.6
"""Share of common shingles (Jaccard) from which two texts are near-copies."""
MOST = 0.02
"""Largest share of posts that may have a near-copy in their own part; between the parts there may be none."""
_PRIME = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Copy:
    """Two near-copies and their overlap, 0 to 1."""

    first: Written
    second: Written
    overlap: float


def shingles(text: str) -> frozenset[int]:
    """Hashes of the runs of five folded characters of a text, spaces made single; of the whole text when shorter."""
    letters = f" {' '.join(fold(text).text.split())} ".encode()
    return frozenset(zlib.crc32(letters[i : i + SHINGLE]) for i in range(max(1, len(letters) - SHINGLE + 1)))


def signatures(sets: Sequence[frozenset[int]], *, seed: int = 0) -> npt.NDArray[np.int64]:
    """MinHash signatures of shape (texts, HASHES)."""
    draw = np.random.default_rng(seed)
    a, b = draw.integers(1, _PRIME, (2, HASHES))
    found = np.zeros((len(sets), HASHES), np.int64)
    for row, one in enumerate(sets):
        values = np.fromiter(one, np.int64, len(one)) % _PRIME
        found[row] = ((values[:, None] * a + b) % _PRIME).min(axis=0)
    return found


def candidates(signed: npt.NDArray[np.int64]) -> set[tuple[int, int]]:
    """Pairs of rows that agree in a whole band."""
    rows = HASHES // BANDS
    found: set[tuple[int, int]] = set()
    for band in range(BANDS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for row, values in enumerate(signed[:, band * rows : (band + 1) * rows]):
            buckets[values.tobytes()].append(row)
        for same in buckets.values():
            found.update(combinations(same, 2))
    return found


def near_copies(posts: Sequence[Written]) -> list[Copy]:
    """Every pair of near-copies, neighbours and posts of one story apart, in the order of the posts."""
    sets = [shingles(one.text) for one in posts]
    found = []
    for i, j in sorted(candidates(signatures(sets))):
        first, second = posts[i], posts[j]
        if first.neighbour == second.id or (first.story and first.story == second.story):
            continue
        overlap = len(sets[i] & sets[j]) / len(sets[i] | sets[j])
        if overlap >= ALIKE:
            found.append(Copy(first, second, round(overlap, 3)))
    return found


def check(corpus: Corpus) -> Finding:
    """Near-copies within each part and between the two."""
    found = near_copies(corpus.posts)
    across = [copy for copy in found if copy.first.part != copy.second.part]
    figures: dict[str, float] = {"between the parts": len(across)}
    for part in ("test", "train"):
        inside = {one.id for copy in found for one in (copy.first, copy.second) if copy.first.part == copy.second.part}
        posts = corpus.part(part)
        figures[part] = round(share(sum(one.id in inside for one in posts), len(posts)), 4)
    ok = not across and all(figures[part] < MOST for part in ("test", "train"))
    told = f"test {figures['test']:.1%}, train {figures['train']:.1%} of posts (under {MOST:.0%}), "
    told += f"{len(across)} between the parts (0)"
    advice = "write one of the two anew"
    faults = [
        copy.second.fault("text", f"{copy.overlap:.0%} the same as {copy.first.id}", advice, warning=copy not in across)
        for copy in found
    ]
    return Finding("near-copies", ok, told, figures, tuple(faults))
