"""The word lists that the matcher and the policy gate read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from config.text import fold, key

_DATA = Path(__file__).parent / "data"


@cache
def common_words() -> frozenset[str]:
    """Ordinary French and English words, folded, that are also names of places or people, or often follow one."""
    return frozenset(_words("common_words.txt"))


@cache
def small_words() -> frozenset[str]:
    """French and English stop-words, folded: X refuses a search for nothing else."""
    return frozenset(_words("small_words.txt"))


@cache
def surnames() -> frozenset[str]:
    """Common surnames, folded."""
    return frozenset(_words("surnames.txt"))


@dataclass(frozen=True, slots=True)
class GivenNames:
    """Given names, folded: ``plain``; ``word`` are French words too; ``capital`` are English words or places too."""

    plain: frozenset[str]
    word: frozenset[str]
    capital: frozenset[str]

    def __contains__(self, name: str) -> bool:
        return name in self.plain or name in self.word or name in self.capital


@cache
def given_names() -> GivenNames:
    """The common given names."""
    lines = _lines("given_names.txt")
    word, capital = (_split(line[1:] for line in lines if line[0] == mark) for mark in "*~")
    plain = _split(line for line in lines if line[0] not in "*~")
    return GivenNames(frozenset(plain - word - capital), frozenset(word - capital), frozenset(capital))


@dataclass(frozen=True, slots=True)
class PolicyWords:
    """What the policy gate reads: single folded words, and patterns over the key of a term."""

    facilities: frozenset[str]
    fillers: frozenset[str]
    titles: frozenset[str]
    particles: frozenset[str]
    assembly: re.Pattern[str]
    harm: re.Pattern[str]


@cache
def policy_words() -> PolicyWords:
    """The words of the policy gate."""
    lists = yaml.safe_load((_DATA / "policy_words.yaml").read_text(encoding="utf-8"))
    sets = {name: frozenset(lists[name].split()) for name in ("facilities", "fillers", "titles", "particles")}
    return PolicyWords(**sets, assembly=_pattern(lists["assembly"]), harm=_pattern(lists["harm"]))


def _pattern(stems: str) -> re.Pattern[str]:
    """Matches any of the stems as whole words of a key; ``*`` stands for an ending, ``-`` for a space."""
    parts = (re.escape(key(stem)) + (r"\w*" if stem.endswith("*") else "") for stem in stems.split())
    return re.compile(rf"\b(?:{'|'.join(parts)})\b")


def _lines(name: str) -> list[str]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _words(name: str) -> set[str]:
    return _split(_lines(name))


def _split(lines: Iterable[str]) -> set[str]:
    return {fold(word) for line in lines for word in line.replace("-", " ").split()}
