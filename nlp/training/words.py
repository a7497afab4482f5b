"""Learns which words speak for which language, from function words (spaCy's lists, MIT) and counts."""

from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import orjson

from nlp.language import WORD, Languages
from nlp.text import fold, without_links

LANGS = (
    "fr", "en", "es", "it", "pt", "de", "nl", "ca", "ro", "pl", "tr", "sv", "da", "nb", "fi", "id", "cs", "hu", "hr",
    "sk", "sl", "et", "lv", "lt", "vi", "tl", "sq", "is",
)  # fmt: skip
HAITIAN = [
    "mwen",
    "nou",
    "yo",
    "pou",
    "nan",
    "gen",
    "ki",
    "sa",
    "ap",
    "te",
    "ak",
    "kap",
    "moun",
    "nap",
    "bezwen",
    "manje",
    "dlo",
    "tanpri",
    "souple",
    "ede",
    "jwenn",
    "anpil",
    "yon",
    "lan",
    "kote",
    "kijan",
    "paske",
    "men",
    "pral",
    "kay",
    "eske",
    "si",
    "konn",
    "fe",
    "fok",
    "mande",
    "bay",
    "ban",
    "pa",
    "ou",
    "li",
    "se",
    "pap",
    "gade",
    "timoun",
]
FLOOR = 2e-5
LISTED = 1.0
MIN_COUNT = {"fr": 3, "en": 3}


def learn(texts: Mapping[str, Iterable[str]]) -> dict[str, dict[str, float]]:
    """Evidence for :class:`nlp.language.Languages` from ``texts`` by language (fr and en) and the function words."""
    shares: dict[str, dict[str, float]] = {}
    for lang in (*LANGS, "ht"):
        words = function_words(lang)
        for word in words:
            shares.setdefault(word, {})[lang] = LISTED / len(words)
    for lang, posts in texts.items():
        counts = Counter(word for post in posts for word in WORD.findall(without_links(fold(post).text)))
        total = sum(counts.values())
        for word, count in counts.items():
            if count >= MIN_COUNT.get(lang, 2):
                shares.setdefault(word, {})[lang] = count / total
    return {word: gains for word, share in sorted(shares.items()) if (gains := _gains(share))}


def _gains(share: dict[str, float]) -> dict[str, float]:
    gains = {("no" if lang == "nb" else lang): round(math.log(p / FLOOR), 2) for lang, p in sorted(share.items())}
    return {lang: gain for lang, gain in gains.items() if gain > 0.3}


def function_words(lang: str) -> set[str]:
    """The folded function words of a language."""
    if lang == "ht":
        return set(HAITIAN)
    listed = importlib.import_module(f"spacy.lang.{lang}.stop_words").STOP_WORDS
    return {fold(word).text for word in listed if " " not in word and "'" not in word and len(fold(word).text) > 1}


def bootstrap(posts: Iterable[str], wanted: Iterable[str], against: Iterable[str]) -> dict[str, list[str]]:
    """Posts that function words alone give clearly to one of the ``wanted`` languages rather than ``against``."""
    wanted = list(wanted)
    lists = {lang: function_words(lang) for lang in (*wanted, *against)}
    lists = {
        lang: words - set().union(*(other for name, other in lists.items() if name != lang))
        for lang, words in lists.items()
    }
    found: dict[str, list[str]] = {lang: [] for lang in wanted}
    for post in posts:
        words = set(WORD.findall(without_links(fold(post).text)))
        ranked = sorted(lists, key=lambda lang: -len(words & lists[lang]))
        first, second = (len(words & lists[lang]) for lang in ranked[:2])
        if ranked[0] in found and first >= 2 and first > second:
            found[ranked[0]].append(post)
    return found


def save(evidence: Mapping[str, Mapping[str, float]], path: Path) -> Languages:
    """Write the evidence as JSON and return what reads it."""
    path.write_bytes(orjson.dumps(evidence, option=orjson.OPT_SORT_KEYS))
    return Languages(evidence)
