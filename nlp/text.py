"""One reading of a post's letters: folded (lower case, no accents), with the way back to the original offsets.

The common post folds one character to one character, so that offsets need no map; ligatures, combining marks,
invisible characters, styled alphabets and elongated words (``feuuuu``) take the slower road with a map.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0xAD, 0])
HOMOGLYPHS = dict(zip("аеорсухіѕјԁԛԝαορτνι", "aeopcyxisjdqwaoptvi", strict=True))
WORD = re.compile(r"\w+")
LATIN = re.compile(r"[a-zà-ÿ]")
_LOOKALIKE = "[" + "".join(HOMOGLYPHS) + "]"
SLOW = re.compile(
    "[œæßĳŀ\u0130\u0149\u00ad\u0300-\u036f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0e\ufeff\uff01-\uff5e"
    "\U0001d400-\U0001d7ff\U0001f130-\U0001f189\0]|([a-vx-z])\\1\\1"
    f"|[a-z]{_LOOKALIKE}|{_LOOKALIKE}[a-z]"
)
RUNS = re.compile(r"([a-vx-z])\1\1+")
LIGATURES = {ord("œ"): "oe", ord("æ"): "ae", ord("ß"): "ss"}
LINKS = re.compile(r"https?\S*|www\.\S+|(?<![\w@])@\w+|\brt(?= @)|&\w{2,5};")


def _table() -> dict[int, str]:
    table = {ord(curly): "'" for curly in "’‘ʼ`´′"} | {ord(quote): '"' for quote in "“”«»„"}
    table |= {ord(space): " " for space in "\u00a0\u202f\u2009\t\n\r\x0b\x0c"} | {ord("–"): "-", ord("—"): "-"}
    for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code).lower())[0]
        if base.isascii():
            table[code] = base
    return table


TABLE = _table()


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; ``offsets`` gives the original code point of each folded character, None where they agree."""

    text: str
    offsets: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a folded one (code points, end excluded)."""
        if self.offsets is None or start >= end:
            return start, end
        return self.offsets[start], self.offsets[end - 1] + 1


def fold(text: str) -> Folded:
    """``text`` in lower case without accents, with straight quotes."""
    lower = text.lower()
    if lower.isascii() and not RUNS.search(lower) and "\0" not in lower:
        return Folded(lower)
    if len(lower) == len(text) and not SLOW.search(lower):
        return Folded(lower.translate(TABLE))
    return _fold_slowly(text)


def _fold_slowly(text: str) -> Folded:
    latin = (word for word in WORD.finditer(text) if LATIN.search(word[0].lower()))
    mixed = {index for word in latin for index in range(*word.span())}
    letters: list[str] = []
    origins: list[int] = []
    for index, original in enumerate(text):
        if ord(original) in INVISIBLE or unicodedata.combining(original):
            continue
        for plain in _plain(original, index in mixed):
            letters.append(plain)
            origins.append(index)
    return _shorten("".join(letters), origins)


def _plain(original: str, mixed: bool) -> str:
    """What one character becomes: none, one or several plain ones. Homoglyphs count only beside Latin letters."""
    chars = unicodedata.normalize("NFKD", original.lower().translate(LIGATURES))
    looks = (HOMOGLYPHS.get(char, char) if mixed else char for char in chars if not unicodedata.combining(char))
    return "".join(TABLE.get(ord(char), char) for char in looks)


def _shorten(folded: str, origins: list[int]) -> Folded:
    """Runs of three or more of a letter become one: ``feuuuu`` reads ``feu``."""
    drop = {index for run in RUNS.finditer(folded) for index in range(run.start() + 1, run.end())}
    kept = [index for index in range(len(folded)) if index not in drop]
    return Folded("".join(folded[index] for index in kept), tuple(origins[index] for index in kept))


def without_links(folded: str) -> str:
    """``folded`` with addresses, mentions and entities blanked, of the same length."""
    if "http" not in folded and "@" not in folded and "&" not in folded and "www." not in folded:
        return folded
    return LINKS.sub(lambda match: " " * len(match[0]), folded)
