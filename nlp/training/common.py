"""Finds place names that are ordinary words: those that ordinary posts write in lower case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from config.gazetteer import gazetteer
from config.lexicon import common_words
from config.text import key
from nlp.places import WORD

LEAST = 4
SHARE = 0.5


def write_common_names(texts: Iterable[str], path: Path) -> None:
    """Write the gazetteer's one-word names that are mostly in lower case in ``texts``, one a line."""
    lower: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for text in texts:
        for word in WORD.findall(text):
            total[word.lower()] += 1
            lower[word.lower()] += word.islower()
    names = gazetteer().names()
    often = {key(word) for word, count in lower.items() if count >= LEAST and count / total[word] >= SHARE}
    found = {name for name in often if name in names and len(name) > 1} | common_words()
    path.write_text("\n".join(sorted(found)) + "\n", encoding="utf-8")
