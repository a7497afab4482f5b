"""The word lists that the matcher and the policy gate read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from config.text import key

_DATA = Path(__file__).parent / "data"


@cache
def common_words() -> frozenset[str]:
    """Keys of ordinary French and English words that are also names of places or people."""
    return _read("common_words.txt")


def _read(name: str) -> frozenset[str]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return frozenset(key(line) for line in lines if line and not line.startswith("#"))
