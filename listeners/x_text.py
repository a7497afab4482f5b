"""Filters in the words of X: terms, groups, and rules that are short enough.

A rule may let more through than its filter (the local matcher decides afterwards), never less, as far as X can say it.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import product

from config.bundle import Filter
from config.text import fold

_BARE = re.compile(r"[#@]?\w+")
_INITIAL = re.compile(r"\b\w")
_MOST_CHUNKS = 200


class TooLong(ValueError):
    """A filter holds a term that no rule has room for; the message names both."""


def spellings(term: str, *, accents: bool) -> list[str]:
    """A keyword or phrase as X reads it, quoted where it must be; where accents count, also as people type it: with
    none, and with none on initials (``Evacué``), which French capitals often lack."""
    term = _unquoted(unicodedata.normalize("NFC", term).replace("’", "'"))
    bare = _unquoted(fold(term))
    forms = [term]
    if accents and bare != term.lower():
        forms += [_unquoted(_INITIAL.sub(lambda initial: fold(initial[0]), term)), bare]
    distinct = {form.lower(): form for form in reversed(forms)}
    return [_quoted(form) for form in reversed(distinct.values())]


def _unquoted(term: str) -> str:
    return " ".join(term.replace('"', " ").split())


def _quoted(term: str) -> str:
    alone = _BARE.fullmatch(term) and term.lower() not in ("or", "and")
    return term if alone else f'"{term}"'


def compose(one: Filter, places: Sequence[str], *, longest: int, accents: bool, retweets: bool) -> list[str]:
    """The fewest rules or queries, each at most ``longest`` characters, that together say what a filter wants.

    ``places`` are operators and names, one of which must match (none: anywhere); ``retweets`` says whether reposts may
    come. Raises TooLong.
    """
    tail = _tail(one, longest, accents=accents, retweets=retweets)
    groups = [_terms(one.keywords, accents), _terms(one.with_, accents), list(places)]
    groups = [group for group in groups if group]
    room = longest - len(tail) - (len(groups) - 1)
    try:
        parts = _split(groups, room)
    except ValueError as error:
        longest_term = max((term for group in groups for term in group), key=len)
        raise TooLong(
            f"filter {one.id}: {longest_term[:60]} does not fit into {longest} characters; shorten it"
        ) from error
    return [" ".join(_group(part) for part in combination) + tail for combination in product(*parts)]


def _terms(words: Sequence[str], accents: bool) -> list[str]:
    return list(dict.fromkeys(form for word in words for form in spellings(word, accents=accents)))


def _tail(one: Filter, longest: int, *, accents: bool, retweets: bool) -> str:
    """Languages, reposts and exclusions; exclusions that would fill more than a third of the room are left to us."""
    languages = [*one.languages, "und"] if one.languages else []  # a short post is often of no language to X
    said = [_group([f"lang:{language}" for language in languages])] if languages else []
    said += [] if retweets else ["-is:retweet"]
    for word in _terms(one.without, accents):
        if len(" ".join([*said, word])) + 3 <= longest // 3:
            said.append(f"-{word}")
    return "".join(f" {part}" for part in said)


def _group(terms: Sequence[str]) -> str:
    return terms[0] if len(terms) == 1 else f"({' OR '.join(terms)})"


def _split(groups: Sequence[Sequence[str]], room: int) -> list[list[list[str]]]:
    """Cuts groups into chunks so that one chunk of each fits into ``room`` and the combinations are fewest."""
    widths = [_widths(group) for group in groups]
    best: tuple[int, tuple[int, ...]] | None = None
    *free, last = widths
    for counts in product(*(range(len(one)) for one in free)):
        left = room - sum(one[count] for one, count in zip(free, counts, strict=True))
        final = bisect_left(last, -left, key=lambda width: -width)
        if final < len(last):
            cost = (final + 1) * _product(count + 1 for count in counts)
            best = min(best or (cost, (*counts, final)), (cost, (*counts, final)))
    if best is None:
        raise ValueError("no chunk is small enough")
    return [_chunks(group, one[count]) for group, one, count in zip(groups, widths, best[1], strict=True)]


def _product(numbers: Iterator[int]) -> int:
    result = 1
    for number in numbers:
        result *= number
    return result


def _widths(group: Sequence[str]) -> list[int]:
    """For 1, 2, 3… chunks: the characters that the widest chunk needs at least."""
    widest = len(_group(list(group)))
    narrowest = max(len(term) for term in group)
    found: list[int] = []
    while len(found) < min(len(group), _MOST_CHUNKS) and (not found or found[-1] > narrowest):
        low, high = narrowest, found[-1] if found else widest
        while low < high:
            middle = (low + high) // 2
            if len(_chunks(group, middle)) <= len(found) + 1:
                high = middle
            else:
                low = middle + 1
        found.append(low)
    return found


def _chunks(group: Sequence[str], width: int) -> list[list[str]]:
    """Terms in their order, as many to a chunk as ``width`` characters hold."""
    chunks: list[list[str]] = [[]]
    used = 0
    for term in group:
        needed = used + (len(term) if not used else len(term) + 4 + (2 if len(chunks[-1]) == 1 else 0))
        if used and needed > width:
            chunks.append([term])
            used = len(term)
        else:
            chunks[-1].append(term)
            used = needed
    return chunks
