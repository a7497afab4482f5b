"""What a person typed, read as words and phrases: there is no query language, and both engines read alike."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

LONGEST = 2000
"""Characters that can be searched at once."""
MOST = 64
"""Words and phrases that can be searched at once."""

_WORD = re.compile(r"[^\W_]+")
_ELIDED = re.compile(r"(?<![^\W_])(?:[cdjlmnst]|(?:jus|lors|puis|quoi)?qu)['’](?=[^\W_])", re.IGNORECASE)
_ACCENTS = re.compile("[\u0300-\u036f]")
_PHRASE = re.compile('"([^"]*)"')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_LIGATURES = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})


@dataclass(frozen=True, slots=True)
class Term:
    """What must be in the text: one word, or several that follow each other. ``beginning``: as the beginning of one."""

    words: tuple[str, ...]
    beginning: bool = False


def terms(typed: str) -> tuple[Term, ...]:
    """The words and the phrases (between double quotes, “ ” or « ») of ``typed``, in its order, each once.

    A word is a run of letters and digits, of whatever script; its accents and case stay for the engine to fold, its
    ligatures are spelt out, and outside phrases a French article that lost its vowel goes (``l'usine`` asks for
    ``usine``). The last is a beginning, where it is no phrase. A quote without its pair means nothing.
    () where nothing is asked. Raises ValueError for more than :data:`LONGEST` characters or :data:`MOST` terms.
    """
    if len(typed) > LONGEST:
        raise ValueError(f"at most {LONGEST} characters can be searched at once, not {len(typed)}")
    found: list[Term] = []
    parts = _PHRASE.split(_plain(typed))
    for place, part in enumerate(parts):
        words = tuple(_WORD.findall(part if place % 2 else _ELIDED.sub("", part)))
        if place % 2:
            found += [Term(words)] if words else []
        else:
            last = place == len(parts) - 1
            found += [Term((word,), last and at == len(words) - 1) for at, word in enumerate(words)]
    if len(found) > MOST:
        raise ValueError(f"at most {MOST} words can be searched at once, not {len(found)}")
    return tuple(dict.fromkeys(found))


def _plain(typed: str) -> str:
    """Composed, without the accents that no letter takes up, ligatures spelt out, every double quote the same."""
    composed = unicodedata.normalize("NFC", typed).translate(_LIGATURES).translate(_QUOTES)
    return _ACCENTS.sub("", composed)
