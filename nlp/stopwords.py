"""Function words of the languages that are scored: left out of the features, so that language is no sign."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PATH = Path(__file__).parent / "models" / "stopwords.txt"


@cache
def stopwords() -> frozenset[str]:
    """The shipped list, folded, one word a line."""
    return frozenset(PATH.read_text(encoding="utf-8").split())
