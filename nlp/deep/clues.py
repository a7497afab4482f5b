"""What the learnt fields see of a post: runs of up to three words and marks, letter groups, how it begins and ends, the
lexicon's concepts and what the other components found. Hashed, so that a model is an array."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

from nlp.deep.findings import Findings
from nlp.features import hashed

SIZE = 1 << 17
TOKEN = re.compile(r"[^\W_]+|[?!…\"]")
LONGEST = 150
"""Words and marks that are looked at."""
TOLD = 3.0
"""How much a finding counts beside a word."""


def clues(findings: Findings) -> dict[int, float]:
    """The indices below :data:`SIZE` of what a post shows, with their values, whose squares sum to 1."""
    found: dict[int, float] = {}
    for keys, value in ((_words(findings.text), 1.0), (_told(findings), TOLD)):
        for at in (hashed(key, SIZE) for key in keys):
            found[at] = found.get(at, 0.0) + value
    length = sum(value * value for value in found.values()) ** 0.5
    return {at: value / length for at, value in found.items()}


def _words(text: str) -> Iterator[str]:
    words = TOKEN.findall(text)[:LONGEST]
    yield from (f"w:{one}" for one in words)
    yield from (f"b:{one} {two}" for one, two in pairwise(words))
    yield from (f"t:{' '.join(words[start : start + 3])}" for start in range(len(words) - 2))
    yield from chain.from_iterable(_groups(word) for word in sorted(set(words)) if len(word) > 3)
    yield from (f"first:{' '.join(words[:1])}", f"firsts:{' '.join(words[:2])}", f"last:{' '.join(words[-1:])}")


def _groups(word: str) -> Iterator[str]:
    padded = f" {word[:24]} "
    for size in (3, 4):
        yield from (f"g:{padded[start : start + size]}" for start in range(len(padded) - size + 1))


def _told(findings: Findings) -> Iterable[str]:
    concepts = sorted({hit.term.concept for hit in findings.hits})
    flags = [name for name in ("negated", "refuted", "hearsay", "sourced") if getattr(findings, name)]
    cues = (f"when:{findings.when}", f"stance:{findings.stance}", f"voice:{findings.voice}")
    return [*(f"concept:{name}" for name in concepts), *(f"is:{name}" for name in flags), *cues]
