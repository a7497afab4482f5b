"""Where the words stand, read from what Elasticsearch marked in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from store.search.request import Mark

BEGIN, END = "\ufdd0", "\ufdd1"
"""What Elasticsearch puts around a word: characters that Unicode keeps out of every text."""

_BOUND = re.compile(f"([{BEGIN}{END}])")
_WORD = re.compile("[^\\W_][^\\W_\u0300-\u036f]*(?:[\u0300-\u036f]+[^\\W_]*)*")


def marks(text: str, marked: Iterable[str]) -> tuple[Mark, ...]:
    """The words of ``text`` that lie in what was marked, each by itself and once, in their order.

    ``marked`` are copies of the whole text, one for each way in which it was read. Offsets count code points, as
    Python does. A copy that is not the text, once the bounds are out, marks nothing: who writes the bounds themselves
    into a post hides its marks and shifts none.
    """
    spans = {span for copy in marked for span in _spans(text, copy)}
    found = {(start + word.start(), start + word.end()) for start, end in spans for word in _words(text[start:end])}
    return tuple(Mark(start, end) for start, end in sorted(found))


def _words(text: str) -> Iterable[re.Match[str]]:
    return _WORD.finditer(text)


def _spans(text: str, copy: str) -> list[tuple[int, int]]:
    """From where to where ``copy`` is marked, in offsets of the text without the bounds."""
    parts = _BOUND.split(copy)
    if "".join(parts[::2]) != text:
        return []
    spans, at, start = [], 0, 0
    for part in parts:
        if part == BEGIN:
            start = at
        elif part == END:
            spans.append((start, at))
        else:
            at += len(part)
    return spans
