"""Which language a short post is in: by script, then by words that are common in one language.

French and English are at home, so only clear evidence names another language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import orjson

KNOWN = frozenset({"fr", "en", "es", "it", "pt"})
"""Languages whose posts are scored; all others are named only."""
HOME = ("fr", "en")
NEIGHBOURS = KNOWN - set(HOME)
"""Languages that share many words with those at home: one word alone never names them (``explosion``)."""
NOTHING = "und"
MODEL = Path(__file__).parent / "models" / "language.json"
WORD = re.compile(r"[^\W\d_]+")
PRIOR = {"fr": 0.0, "en": 0.0, "es": -4.5, "it": -5.0, "pt": -5.0}
FOREIGN_PRIOR = -5.5
HINT = 4.0
SCRIPTS = (
    (re.compile(r"[\u3040-\u30ff]"), "ja"),
    (re.compile(r"[\uac00-\ud7af]"), "ko"),
    (re.compile(r"[\u4e00-\u9fff]"), "zh"),
    (re.compile(r"[іїєґ]"), "uk"),
    (re.compile(r"[\u0400-\u04ff]"), "ru"),
    (re.compile(r"[پچژگ]"), "fa"),
    (re.compile(r"[\u0600-\u06ff]"), "ar"),
    (re.compile(r"[\u0370-\u03ff]"), "el"),
    (re.compile(r"[\u0590-\u05ff]"), "he"),
    (re.compile(r"[\u0e00-\u0e7f]"), "th"),
    (re.compile(r"[\u0900-\u097f]"), "hi"),
    (re.compile(r"[\u0980-\u09ff]"), "bn"),
    (re.compile(r"[\u0b80-\u0bff]"), "ta"),
    (re.compile(r"[\u10a0-\u10ff]"), "ka"),
    (re.compile(r"[\u0530-\u058f]"), "hy"),
)
LETTERS = {
    "ñ¿¡": "es", "ãõ": "pt", "ß": "de", "äü": "de", "łżźśćęąń": "pl", "ğşı": "tr", "åø": "no", "őű": "hu",
    "řěů": "cs", "șță": "ro", "àêèçîûùœ": "fr", "ìò": "it",
}  # fmt: skip
SIGNS = {letter: lang for letters, lang in LETTERS.items() for letter in letters}


class Languages:
    """Word evidence: for each word, how much more likely each language makes it than chance does (natural log)."""

    def __init__(self, evidence: Mapping[str, Mapping[str, float]]) -> None:
        self._evidence = {word: tuple(gains.items()) for word, gains in evidence.items()}

    def identify(self, text: str, folded: str, hint: str | None = None) -> str:
        """An ISO 639 code, or ``und`` where there is no word to go by. ``hint`` is what the platform says."""
        words = WORD.findall(folded, 0, 2000)[:80]
        if not words:
            return NOTHING
        if not folded.isascii() and (script := _script(words)):
            return script
        totals = dict(PRIOR)
        evidence = self._evidence
        for word in words:
            for lang, gain in evidence.get(word, ()):
                totals[lang] = totals.get(lang, FOREIGN_PRIOR) + gain
        if not text.isascii():
            for letter in set(text.lower()):
                if sign := SIGNS.get(letter):
                    totals[sign] = totals.get(sign, FOREIGN_PRIOR) + 1.5
        code = _code(hint)
        if code:
            totals[code] = totals.get(code, 0.0) + HINT
        best = max(totals, key=lambda lang: (totals[lang], lang == "fr"))
        if best in NEIGHBOURS and best != code and self._speaking(words, best) < 2:
            return max(HOME, key=lambda lang: (totals[lang], lang == "fr"))
        return best

    def _speaking(self, words: list[str], lang: str) -> int:
        """How many different words speak for ``lang``."""
        return sum(any(one == lang for one, _ in self._evidence.get(word, ())) for word in set(words))


def _code(hint: str | None) -> str | None:
    """The two-letter part of a platform's language, None where it says nothing (``und``, ``zxx``, ``qme``…)."""
    code = (hint or "").split("-")[0].lower()
    return code if len(code) == 2 and code.isalpha() else None


def _script(words: list[str]) -> str | None:
    foreign = [word for word in words if word[0] > "\u036f"]
    letters, others = sum(map(len, words)), "".join(foreign)
    if len(others) * 2 <= letters:
        return None
    return next((lang for pattern, lang in SCRIPTS if pattern.search(others)), None)


@cache
def languages() -> Languages:
    """The shipped evidence."""
    return Languages(orjson.loads(MODEL.read_bytes()))
