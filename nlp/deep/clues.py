"""What the learnt fields see of a post: runs of up to three words and marks, letter groups, how it begins and ends, the
lexicon's concepts and what the other components found. Hashed, so that a model is an array."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, pairwise

from nlp.deep.findings import Findings
from nlp.features import hashed

SIZE = 1 << 17
TOKEN = re.compile(r"[^\W_]+|[?!…\"]")
LONGEST = 150
"""Words and marks that are looked at."""
MET = 1 << 14
"""Words whose indices are kept."""
TOLD = 3.0
"""How much a finding counts beside a word."""


def clues(findings: Findings) -> dict[int, float]:
    """The indices below :data:`SIZE` of what a post shows, with their values, whose squares sum to 1."""
    found: dict[int, float] = {}
    for indices, value in ((_words(findings.text), 1.0), (map(_index, _told(findings)), TOLD)):
        for at in indices:
            found[at] = found.get(at, 0.0) + value
    length = sum(value * value for value in found.values()) ** 0.5
    return {at: value / length for at, value in found.items()}


def _words(text: str) -> Iterator[int]:
    words = TOKEN.findall(text)[:LONGEST]
    yield from map(_word, words)
    yield from (_index(f"b:{one} {two}") for one, two in pairwise(words))
    yield from (_index(f"t:{one} {two} {three}") for one, two, three in zip(words, words[1:], words[2:], strict=False))
    yield from chain.from_iterable(_groups(word) for word in sorted(set(words)) if len(word) > 3)
    edges = (f"first:{' '.join(words[:1])}", f"firsts:{' '.join(words[:2])}", f"last:{' '.join(words[-1:])}")
    yield from map(_index, edges)


def _index(key: str) -> int:
    return hashed(key, SIZE)


@lru_cache(MET)
def _word(word: str) -> int:
    return _index(f"w:{word}")


@lru_cache(MET)
def _groups(word: str) -> tuple[int, ...]:
    padded = f" {word[:24]} "
    ends = ((start, start + size) for size in (3, 4) for start in range(len(padded) - size + 1))
    return tuple(_index(f"g:{padded[start:end]}") for start, end in ends)


def _told(findings: Findings) -> Iterable[str]:
    concepts = sorted({hit.term.concept for hit in findings.hits})
    flags = [name for name in ("negated", "refuted", "hearsay", "sourced") if getattr(findings, name)]
    cues = (f"when:{findings.when}", f"stance:{findings.stance}", f"voice:{findings.voice}")
    return [*(f"concept:{name}" for name in concepts), *(f"is:{name}" for name in flags), *cues]
