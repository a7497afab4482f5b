"""The words of a post as detection sees them: weighted stems that tell its matter, and its shape for near-copies."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from math import sqrt
from pathlib import Path
from zlib import crc32

from config.text import fold

MAX_TERMS = 20
MAX_SHINGLES = 30
SHINGLE = 3
SHORT = 4
STEM = 7
NOISE = re.compile(r"https?\S*|www\.\S+|&\w{2,5};|@\w+")
REPOST = re.compile(r"\s*(?:rt|mt)\b[\s:]*@\w+[\s:]*")
TOKEN = re.compile(r"#?[^\W_]+")
WEIGHTS = {"hashtag": 1.6, "place": 2.0, "hazard": 0.8, "number": 0.3, "short": 0.4, "word": 1.0}


@cache
def stop_words() -> frozenset[str]:
    """Folded function words of five languages and the small talk of social networks; see the head of the file."""
    lines = (Path(__file__).parent / "stop_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def plain(text: str) -> str:
    """``text`` folded, without repost prefix, links and mentions."""
    return NOISE.sub(" ", REPOST.sub(" ", fold(text[:2000]), count=2))


def is_repost(text: str) -> bool:
    """Whether the text says itself that it passes on somebody else's (``RT @…``)."""
    return REPOST.match(text.lower()) is not None


def terms(text: str, places: Iterable[str] = (), hazard: Iterable[str] = ()) -> dict[str, float]:
    """Stem → weight of a :func:`plain` text, of length 1 as a vector; at most ``MAX_TERMS``, the heaviest.

    ``places`` (names, weigh most) and ``hazard`` words (weigh little: the hazard is compared by itself) are folded.
    """
    place_words = {word for name in places for word in TOKEN.findall(name)}
    hazard_words = {word for phrase in hazard for word in TOKEN.findall(phrase)}
    found: dict[str, float] = {}
    for token in TOKEN.findall(text):
        word = token.lstrip("#")
        weight = WEIGHTS[_kind(word, token, place_words, hazard_words)] if word not in stop_words() else 0.0
        stem = word if token != word and len(word) > STEM + 2 else word[:STEM]
        if weight > found.get(stem, 0.0):
            found[stem] = weight
    heaviest = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MAX_TERMS]
    length = sqrt(sum(weight * weight for _, weight in heaviest)) or 1.0
    return {stem: round(weight / length, 4) for stem, weight in heaviest}


def _kind(word: str, token: str, places: set[str], hazard: set[str]) -> str:
    if word in places:
        return "place"
    if token != word:
        return "hashtag"
    if word in hazard:
        return "hazard"
    if word.isdigit():
        return "number"
    return "short" if len(word) < 4 and word.isascii() else "word"


def shingles(text: str) -> tuple[int, ...]:
    """Hashes of each three words in a row of a :func:`plain` text; of a shorter text, one hash of the whole."""
    tokens = [token.lstrip("#") for token in TOKEN.findall(text)][: MAX_SHINGLES + SHINGLE]
    if len(tokens) <= SHORT:
        return (crc32(" ".join(tokens).encode("utf-8", "replace")),) if tokens else ()
    groups = (" ".join(tokens[start : start + SHINGLE]) for start in range(len(tokens) - SHINGLE + 1))
    return tuple(dict.fromkeys(crc32(group.encode("utf-8", "replace")) for group in groups))[:MAX_SHINGLES]
