"""Words for SQLite's full-text index, and where they stand in a text, read as that index reads it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from store.search.request import Mark
from store.search.words import Term

_WORD = re.compile(r"[^\W_]+")
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})


def expression(wanted: Sequence[Term]) -> str:
    """The FTS5 expression that finds every one of the terms; there must be one."""
    return " ".join(f'"{" ".join(one.words)}"' + "*" * one.beginning for one in wanted)


def marks(text: str, wanted: Sequence[Term]) -> tuple[Mark, ...]:
    """Where words of the terms stand in ``text``, each marked whole, in their order; accents and case do not matter."""
    sought = [(tuple(map(_fold, one.words)), one.beginning) for one in wanted]
    tokens = _tokens(text) if sought else []
    found: set[int] = set()
    for at in range(len(tokens)):
        for words, beginning in sought:
            said = tuple(token for token, _ in tokens[at : at + len(words)])
            if said == words or (beginning and said[0].startswith(words[0])):
                found.update(range(at, at + len(words)))
    return tuple(tokens[at][1] for at in sorted(found))


def _tokens(text: str) -> list[tuple[str, Mark]]:
    """The words of ``text``, folded, with where each stands: accents that are characters of their own belong to it."""
    pieces = [_fold(char) for char in text]
    offsets = [at for at, piece in enumerate(pieces) for _ in piece]
    found = []
    for word in _WORD.finditer("".join(pieces)):
        end = offsets[word.end() - 1] + 1
        while end < len(text) and not pieces[end]:
            end += 1
        found.append((word.group(), Mark(offsets[word.start()], end)))
    return found


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    """The letters that stand for a text in the index; none for an accent by itself. Signs of other scripts that
    combine with a letter, as the vowels of Arabic, are no accents: they stand between words."""
    parts = unicodedata.normalize("NFD", text.translate(_LIGATURES))
    bare = "".join(part for part in parts if not "\u0300" <= part <= "\u036f")
    signs = any(unicodedata.category(part) == "Mn" for part in bare)
    return (text if signs else bare).lower()
