"""Text as it is compared: folding, words and keys.

*Folded* text is lower case without accents, ligatures or invisible characters; a *key* is folded text reduced to
words with one space between them, so that hyphens, apostrophes and line breaks do not matter.
"""

from __future__ import annotations

import re
import unicodedata

_LETTERS = {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ı": "i", "ς": "σ"}
_SIGNS = dict.fromkeys("’‘‛ʼʹ′`´＇", "'") | dict.fromkeys("“”„«»″", '"') | dict.fromkeys("‐‑‒–—―−", "-")
_SAME = _LETTERS | _SIGNS
_INVISIBLE = ("Mn", "Me", "Cf")  # combining marks, and what has no shape: zero-width, directions, soft hyphen
_HASHTAG = re.compile(r"[#＃](\w+)")


class _Folds(dict[int, str]):
    """Code point → what it folds to, worked out when first met."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        parts = (_fold_part(part) for part in unicodedata.normalize("NFKD", _SAME.get(char, char)))
        self[code] = folded = "".join(parts)
        return folded


def _fold_part(char: str) -> str:
    if unicodedata.category(char) in _INVISIBLE:
        return ""
    lower = char.lower()
    if len(lower) > 1:  # İ becomes i with a mark
        lower = "".join(c for c in lower if unicodedata.category(c) not in _INVISIBLE)
    return _SAME.get(lower, lower)


class _Keys(dict[int, str]):
    """Code point → what stands for it in a key: folded letters and digits, or a space."""

    def __missing__(self, code: int) -> str:
        folded = _FOLDS[code]
        self[code] = key = "".join(char if char.isalnum() else " " for char in folded)
        return key


_FOLDS = _Folds()
_KEYS = _Keys()


def fold(text: str) -> str:
    """``text`` in lower case, without accents and invisible characters; œ becomes oe, typographic quotes plain ones.

    Takes any string, lone surrogates included, and never raises.
    """
    return text.lower() if text.isascii() else text.translate(_FOLDS)


def folded_with_offsets(text: str) -> tuple[str, list[int]]:
    """:func:`fold` of ``text`` and, for each folded character, the index of the code point it comes from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    offsets: list[int] = []
    for index, char in enumerate(text):
        offsets.extend([index] * len(_FOLDS[ord(char)]))
    return text.translate(_FOLDS), offsets


def key(text: str) -> str:
    """The words of ``text``, folded, one space between them; ``St`` and ``Ste`` are spelt out as in place names."""
    joined = " ".join(text.translate(_KEYS).split())
    return _spell_saints(joined) if "st" in joined else joined


def hashtag_words(text: str) -> str:
    """The words inside the hashtags of ``text``: ``#IncendieCholet49`` gives ``Incendie Cholet 49``; "" without any."""
    if "#" not in text and "＃" not in text:
        return ""
    return " ".join(part for tag in _HASHTAG.findall(text) for part in camel_parts(tag))


def camel_parts(word: str) -> list[str]:
    """The words run together in one by capitals, digits and underscores: ``FeuDeForêt49`` is Feu, De, Forêt, 49."""
    starts = [0]
    for i in range(1, len(word)):
        now, before = word[i], word[i - 1]
        ends_capitals = before.isupper() and now.isupper() and word[i + 1 : i + 2].islower()
        if (now.isupper() and before.islower()) or ends_capitals or now.isdigit() != before.isdigit() or now == "_":
            starts.append(i)
    parts = (word[a:b].strip("_") for a, b in zip(starts, [*starts[1:], len(word)], strict=True))
    return [part for part in parts if part]


def _spell_saints(joined: str) -> str:
    padded = f" {joined} ".replace(" st ", " saint ").replace(" ste ", " sainte ")
    return padded[1:-1]
