"""Openings and vocabulary of the written posts beside as many real ones: does one hand show?

From each pair one post counts, drawn by its id, for neighbours open alike on purpose.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from nlp.text import fold, without_links
from nlp.training.written.finding import Finding, Table, share
from nlp.training.written.post import Written
from nlp.training.written.read import Corpus

NAME = "openings and words"
STEPS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
LEAST_OPENINGS, LEAST_WORDS = 0.9, 0.7
"""Distinct openings and distinct words, each as a share of what as many real posts and words have, at least. The real
ones are about everything, the written ones about harm: that costs words, the more the longer one reads. Beside real
posts of crises (English, ``crisislex_t26``) as many words of ours held .98 of the distinct ones."""
WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")


def words(text: str) -> list[str]:
    """The folded words of a text, links and mentions apart."""
    return WORD.findall(without_links(fold(text).text))


def alone(posts: Sequence[Written]) -> list[Written]:
    """One post of each pair, and those without a neighbour."""
    return [one for one in posts if not one.neighbour or _drawn(one.id, one.neighbour)]


def _drawn(first: str, second: str) -> bool:
    coin = hashlib.blake2b("".join(sorted((first, second))).encode(), digest_size=1).digest()[0] % 2
    return (first < second) == bool(coin)


def openings(texts: Sequence[str]) -> Counter[tuple[str, ...]]:
    """How often each pair of first words opens a text."""
    return Counter(tuple(words(text)[:2]) for text in texts)


def growth(texts: Sequence[str], *, seed: int = 0) -> dict[int, int]:
    """Distinct words after each number of words (Heaps' curve), texts in an order drawn with ``seed``."""
    drawn = list(texts)
    Random(seed).shuffle(drawn)
    seen: set[str] = set()
    found: dict[int, int] = {}
    for count, word in enumerate((word for text in drawn for word in words(text)), 1):
        seen.add(word)
        if count in STEPS:
            found[count] = len(seen)
    return found


@dataclass(frozen=True, slots=True)
class Words:
    """What texts open with and how many words they know. ``distinct``: share of openings that are different;
    ``commonest`` opening and its share; ``growth``: distinct words after each number of words."""

    posts: int
    distinct: float
    commonest: str
    share: float
    growth: dict[int, int]


def measured(texts: Sequence[str], count: int, *, seed: int = 0) -> Words:
    """The openings of ``count`` of the texts, and the vocabulary of all."""
    some = Random(seed).sample(list(texts), min(count, len(texts)))
    counts = openings(some)
    opening, times = counts.most_common(1)[0]
    distinct, most = share(len(counts), len(some)), share(times, len(some))
    return Words(len(some), round(distinct, 4), " ".join(opening), round(most, 4), growth(texts, seed=seed))


def check(corpus: Corpus, real: Sequence[str] | None, *, seed: int = 0) -> Finding:
    """The French written posts beside as many of the ``real`` texts (None: not there)."""
    posts = [one.text for one in alone([one for one in corpus.posts if one.lang == "fr"])]
    if not posts:
        return Finding(NAME, None, "no French post")
    ours = measured(posts, len(posts), seed=seed)
    if real is None:
        told = "not compared: no real posts (VIGIE_SHARED_DATA)"
        return Finding(NAME, None, told, {"written": asdict(ours)}, tables=(_table({"written": ours}),))
    theirs = measured(Random(seed).sample(list(real), min(len(real), 4 * len(posts))), len(posts), seed=seed)
    opened = share(ours.distinct, theirs.distinct)
    last = max(set(ours.growth) & set(theirs.growth), default=None)
    worded = share(ours.growth[last], theirs.growth[last]) if last else 1.0
    told = f"distinct openings {opened:.2f}, distinct words {worded:.2f} of what as many real posts have"
    told += f" (at least {LEAST_OPENINGS}, {LEAST_WORDS})"
    ok = opened >= LEAST_OPENINGS and worded >= LEAST_WORDS
    figures = {"written": asdict(ours), "real": asdict(theirs)}
    return Finding(NAME, ok, told, figures, tables=(_table({"written": ours, "real": theirs}),))


def _table(told: dict[str, Words]) -> Table:
    steps = [step for step in STEPS if any(step in one.growth for one in told.values())]
    rows = tuple(
        (name, one.posts, one.distinct, one.commonest, one.share, *(one.growth.get(step, "") for step in steps))
        for name, one in told.items()
    )
    columns = ("French posts", "posts", "openings", "commonest", "its share", *(f"words of {s:,}" for s in steps))
    return Table("openings and vocabulary", columns, rows)


def background(data: Path | None) -> list[str] | None:
    """The real French posts beside which the corpus is laid, None where they are not there."""
    from nlp.training import sources

    if data is None or not (data / "background_fr").is_dir():
        return None
    return [one.text for half in ("seen", "unseen") for one in sources.background(data, half=half)]
