"""Finds a person's name in a search term: given name and surname, in any order, spelling or disguise.

A name is excused where a place, a facility or a storm goes before (``rue Jean-Jaurès``, ``tempête Ciaran``), and where
it is part of a commune's name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from config.gazetteer import gazetteer
from config.lexicon import common_words, given_names, policy_words, surnames
from config.text import camel_parts, fold, key

KNOWN_TOWN = 10_000
LONGEST_PLACE = 7
_LOOKALIKES = str.maketrans(
    "ıаеорсухіјкмтвнԁѕгАЕОРСУХІЈКМТВНЅαορντυικηεΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "iaeopcyxijkmtbhdsrAEOPCYXIJKMTBHSaopvtuiknEABEZHIKMNOPTYX",
)
_LEET = (str.maketrans("013457", "oleast"), str.maketrans("013457", "oieast"))
_TOKEN = re.compile(r"[^\W_]+")
_INFLECTED = re.compile(
    r"(?:ees?|iques?|tions?|ments?|[ai]bles?|ives?|euses?|elles?|ales?|antes?|aires?|ismes?|ites?|ing|ed|ness|aux|ieres?)$"
)
_SAINTS = frozenset(("saint", "sainte", "saints", "st", "ste", "san", "santa", "sao"))


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of the term: as written, folded, and what stands before it."""

    text: str
    folded: str
    before: str
    place: bool = False

    @property
    def capital(self) -> bool:
        return self.text[:1].isupper()


def plain(term: str) -> str:
    """``term`` without disguise: compatible characters, look-alikes of other alphabets as Latin, nothing invisible."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", term) if unicodedata.category(c) not in ("Cf", "Mn", "Cc"))
    return shown.translate(_LOOKALIKES)


def names_in(term: str) -> list[str]:
    """The persons' names in a term, as written there; [] where there is none."""
    tokens = _tokens(plain(term))
    return [*_joined(tokens), *_initials(plain(term)), *_spelt_out(tokens)]


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    end = 0
    for match in _TOKEN.finditer(text):
        before = text[end : match.start()]
        for part in _parts(match.group()):
            found.append(_Token(part, fold(part), before))
            before = ""
        end = match.end()
    return _placed(found)


def _parts(word: str) -> list[str]:
    """A word, or the words run together in it by capitals, with digits read as the letters they imitate."""
    lettered = sum(map(str.isalpha, word)) > len(word) / 2
    for digits in _LEET if lettered and not word.isalpha() else ():
        letters = word.translate(digits)
        parts = camel_parts(letters)
        if letters.isalpha() and any(fold(p) in given_names() or fold(p) in surnames() for p in parts):
            return parts
    parts = camel_parts(word)
    return [word] if not parts or fold(parts[0]) in ("mc", "mac", "o") else parts


def _placed(tokens: list[_Token]) -> list[_Token]:
    """The tokens, those that make up a place of several words marked as such."""
    marked = list(tokens)
    for start in range(len(tokens)):
        for stop in range(min(len(tokens), start + LONGEST_PLACE), start + 1, -1):
            if _is_place(" ".join(token.folded for token in tokens[start:stop])):
                for i in range(start, stop):
                    marked[i] = _Token(tokens[i].text, tokens[i].folded, tokens[i].before, place=True)
                break
    return marked


def _is_place(name: str) -> bool:
    return any(t.country == "FR" or t.population > 100_000 for t in gazetteer().lookup(name))


def _joined(tokens: list[_Token]) -> Iterator[str]:
    """Names told by their words: given name and surname, surname and given name, title and surname."""
    start = 0
    while start < len(tokens):
        stop = _name_at(tokens, start)
        if stop and not _excused(tokens, start):
            yield " ".join(token.text for token in tokens[start:stop])
        start = stop or start + 1


def _name_at(tokens: list[_Token], start: int) -> int:
    """Where the name that starts here ends; 0 where none starts."""
    return _forward(tokens, start) or _reversed(tokens, start) or _titled(tokens, start)


def _forward(tokens: list[_Token], start: int) -> int:
    if not _given(tokens, start):
        return 0
    stop = start + 1
    while stop < len(tokens) and _given(tokens, stop) and (tokens[stop].before == "-" or _more(tokens, stop)):
        stop += 1
    named = stop
    while stop < len(tokens) and _particle(tokens, stop) and stop - named < 3:
        stop += 1
    if stop == len(tokens):
        return 0
    particle = stop > named
    return stop + 1 if _surname(tokens[start], tokens[stop], particle=particle) else 0


def _particle(tokens: list[_Token], index: int) -> bool:
    elided = len(tokens[index].text) == 1 and any(token.before in ("'", "’") for token in tokens[index + 1 : index + 2])
    return elided or tokens[index].folded in policy_words().particles


def _more(tokens: list[_Token], index: int) -> bool:
    """Whether something follows that can be the surname, so that this word is a second given name."""
    after = tokens[index + 1 : index + 2]
    return bool(after) and after[0].folded not in common_words() and not after[0].place


def _reversed(tokens: list[_Token], start: int) -> int:
    if start + 1 >= len(tokens) or not _given(tokens, start + 1):
        return 0
    last, first = tokens[start], tokens[start + 1]
    if last.place or last.folded in _SAINTS or (first.folded in given_names().capital and not first.capital):
        return 0
    ordinary = _ordinary(last)
    if last.folded in surnames():
        return start + 2 if not ordinary or (last.capital and first.capital and not _strong(last)) else 0
    shouted = last.text.isupper() and len(last.text) > 3 and first.capital
    led = all(token.folded in policy_words().particles for token in tokens[:start])
    alone = led and start + 2 == len(tokens) and last.capital and first.capital and not _INFLECTED.search(last.folded)
    alone = alone and first.folded not in given_names().capital
    return start + 2 if (shouted or alone) and not ordinary and len(last.text) > 2 else 0


def _titled(tokens: list[_Token], start: int) -> int:
    if tokens[start].folded not in policy_words().titles or start + 1 >= len(tokens):
        return 0
    name = tokens[start + 1]
    known = name.folded in surnames() and (name.capital or name.folded not in common_words())
    return start + 2 if known and not name.place else 0


def _given(tokens: list[_Token], index: int) -> bool:
    token = tokens[index]
    saint = index > 0 and tokens[index - 1].folded in _SAINTS
    return not token.place and not saint and token.folded in given_names()


def _surname(given: _Token, name: _Token, *, particle: bool) -> bool:
    """Whether ``name`` reads as the surname that goes with a given name."""
    if name.place or not name.text.isalpha() or len(name.text) < 2:
        return False
    listed, ordinary = name.folded in surnames(), _ordinary(name)
    if listed and not _strong(name) and (not ordinary or given.folded in given_names().plain):
        return True
    if given.folded in given_names().capital or _town(given.folded):
        return (listed and not ordinary) or (listed and given.capital and name.capital and not _strong(name))
    if listed and given.capital and name.capital and not _strong(name):
        return True
    if particle and not name.capital and given.folded in given_names().word:
        return False
    both = given.capital and name.capital and given.folded in given_names().plain
    if (
        ordinary
        or (_town(name.folded) and not both)
        or (name.text.isupper() and len(name.text) < 5 and not given.text.isupper())
    ):
        return False
    if given.folded in given_names().word and not given.capital and gazetteer().lookup(name.folded):
        return False
    return name.capital or not _INFLECTED.search(name.folded)


def _ordinary(token: _Token) -> bool:
    words = policy_words()
    return (
        token.folded in common_words()
        or token.folded in words.facilities
        or token.folded in words.fillers
        or bool(words.harm.fullmatch(token.folded) or words.assembly.fullmatch(token.folded))
    )


def _strong(token: _Token) -> bool:
    """Ordinary whatever the capitals: a facility, harm, a gathering."""
    words = policy_words()
    return token.folded in words.facilities or bool(words.harm.fullmatch(token.folded))


def _town(folded: str) -> bool:
    return any(t.country == "FR" and t.population >= KNOWN_TOWN for t in gazetteer().lookup(folded))


def _excused(tokens: list[_Token], start: int) -> bool:
    words = policy_words()
    index = start - 1
    while index >= 0 and tokens[index].folded in words.fillers and tokens[index].folded not in words.facilities:
        index -= 1
    return index >= 0 and tokens[index].folded in words.facilities


_INITIAL = re.compile(r"(?<!\w)([^\W\d_])(?:\.\s?-?|[ -])(?:[^\W\d_](?:\.\s?|[ -]))?\s*([^\W\d_]{2,})")
_LAST_INITIAL = re.compile(r"([^\W\d_]{2,})\s+([^\W\d_])\.(?!\w)")


def _initials(text: str) -> Iterator[str]:
    """``J. Dupont``, ``J.-P. Dupont``, ``Dupont J.``, ``Jean D.``"""
    for match in _INITIAL.finditer(text):
        name = fold(match[2])
        before = _tokens(text[: match.start()])
        known = name in surnames() and name not in common_words()
        dotted = "." in match[0] and match[2][:1].isupper() and match[1].isupper()
        unknown = dotted and name not in common_words() and not _town(name) and name not in policy_words().facilities
        if (known or unknown) and not _excused([*before, *_tokens(match[2])], len(before)):
            yield match[0]
    for match in _LAST_INITIAL.finditer(text):
        name = fold(match[1])
        if name in surnames() - common_words() or (
            match[1][:1].isupper() and name in given_names() and name not in given_names().capital
        ):
            yield match[0]


def _spelt_out(tokens: list[_Token]) -> Iterator[str]:
    """Names run together (``jeandupont``) or letter by letter (``J e a n D u p o n t``)."""
    letters = "".join(token.folded for token in tokens if len(token.folded) == 1)
    candidates = [*(token.folded for token in tokens if not token.place), *([letters] if len(letters) > 5 else [])]
    for index, word in enumerate(candidates):
        if word.isalpha() and len(word) > 6 and not gazetteer().lookup(word) and _run_together(word):
            if index < len(tokens) and _excused(tokens, index):
                continue
            yield word


def _run_together(word: str) -> bool:
    known, first = surnames() - common_words(), given_names().plain | given_names().word
    splits = ((word[:cut], word[cut:]) for cut in range(3, len(word) - 2))
    return any((a in first and b in known) or (a in known and b in first) for a, b in splits)


def term_words(term: str) -> str:
    """The key of a term without disguise, the words of hashtags parted."""
    return key(" ".join(token.text for token in _tokens(plain(term))))
