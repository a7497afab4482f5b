"""Style alone: can length, case, emoji, punctuation, function words and spelling tell crisis from ordinary?

If they can, a model learns how crises are written here, not what they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nlp.text import fold, without_links
from nlp.training.words import function_words
from nlp.training.written.finding import Finding, Table
from nlp.training.written.lists import LANGS
from nlp.training.written.post import Written
from nlp.training.written.read import Corpus

MOST = 0.60
FOLDS = 5
LEAST = 40
"""Pairs below which nothing is measured."""
Floats = npt.NDArray[np.float64]
MARKS = ".,;:!?…'’\"«»()-–/&%+*=~#@"
EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff]")
WORD = re.compile(r"[^\W\d_]+")
REPEATED = re.compile(r"([!?.])\1+")
DRAWN_OUT = re.compile(r"(\w)\1\1")
VOWELLESS = re.compile(r"\b[bcdfghjklmnpqrstvwxz]{2,4}\b")
SMS = re.compile(
    r"\b(?:ds|jsuis|jss|ch?uis?|jme|c|g|ya|pr|pk|pkoi|pq|tt|ts|qd|qqn|slt|bcp|dsl|mtn|jsp|mdr|ptdr|lol|stp|svp|ac|"
    r"pls|plz|u|ur|ppl|rn|omg|wtf|cuz|b4|smth|gonna|gotta|wanna|im|dont|cant|thats|ive)\b"
)


@cache
def listed(lang: str) -> tuple[str, ...]:
    """The function words whose frequency is a feature."""
    return tuple(sorted(function_words(lang)))


def features(text: str, lang: str) -> dict[str, list[float]]:
    """The style of one text by family: nothing in it says what the text is about."""
    words = WORD.findall(text)
    letters, count = sum(map(len, words)) or 1, len(words) or 1
    folded = without_links(fold(text).text)
    small = Counter(WORD.findall(folded))
    return {
        "length": [float(len(text)), float(len(words)), letters / count, float(text.count("\n"))],
        "case": [
            sum(map(str.isupper, text)) / letters,
            float(sum(word.isupper() and len(word) > 1 for word in words)),
            float(sum(word[:1].isupper() for word in words)),
            float(text[:1].isupper()),
        ],
        "emoji": [float(len(EMOJI.findall(text)))],
        "punctuation": [
            *map(float, map(text.count, MARKS)),
            float(text.rstrip()[-1:] in ".!?…"),
            float(text.count("http")),
            float(sum(map(str.isdigit, text))),
            float(len(REPEATED.findall(text))),
        ],
        "spelling": [
            float(len(DRAWN_OUT.findall(text))),
            sum(not char.isascii() for char in text) / letters,
            float(len(SMS.findall(folded))),
            float(len(VOWELLESS.findall(folded))),
        ],
        "function words": [small[word] / count for word in listed(lang)],
    }


def pairs(posts: Sequence[Written]) -> list[tuple[Written, Written]]:
    """Each crisis post with its ordinary neighbour."""
    by_id = {one.id: one for one in posts}
    found = [(one, by_id[one.neighbour]) for one in posts if one.crisis and one.neighbour in by_id]
    return [(one, other) for one, other in found if not other.crisis]


def aucs(pairs: Sequence[tuple[Written, Written]], *, seed: int = 0) -> dict[str, float]:
    """Area under the curve, cross-validated with both of a pair in one fold: of a linear and of a forest's reading of
    all features, and of a linear reading of each family alone."""
    told = [features(one.text, one.lang) for pair in pairs for one in pair]
    labels = np.array([1, 0] * len(pairs))
    families = {name: np.array([one[name] for one in told]) for name in told[0]}
    together = np.hstack(list(families.values()))
    found = {"linear": _auc(_linear(seed), together, labels), "trees": _auc(_trees(seed), together, labels)}
    return found | {name: _auc(_linear(seed), values, labels) for name, values in families.items()}


def _linear(seed: int) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500, random_state=seed))


def _trees(seed: int) -> Any:
    return ExtraTreesClassifier(100, min_samples_leaf=5, random_state=seed)


def _auc(model: Any, x: Floats, y: npt.NDArray[np.int64]) -> float:
    scores, groups = np.zeros(len(y)), np.repeat(np.arange(len(y) // 2), 2)
    for train, test in GroupKFold(FOLDS).split(x, y, groups):
        model.fit(x[train], y[train])
        scores[test] = model.predict_proba(x[test])[:, 1]
    return round(float(roc_auc_score(y, scores)), 3)


def check(corpus: Corpus, *, seed: int = 0) -> Finding:
    """AUC by part and language; none may be above .60."""
    figures: dict[str, dict[str, float]] = {}
    for part in ("test", "train"):
        for lang in LANGS:
            found = pairs([one for one in corpus.part(part) if one.lang == lang])
            if len(found) >= LEAST:
                figures[f"{part} {lang}"] = aucs(found, seed=seed) | {"pairs": len(found)}
    if not figures:
        return Finding("style alone", None, f"fewer than {LEAST} pairs of one language")
    worst = max(max(one["linear"], one["trees"]) for one in figures.values())
    told = f"crisis or ordinary by style alone: AUC {worst:.2f} at worst (at most {MOST:.2f})"
    columns = ("pairs", "linear", "trees", "length", "case", "emoji", "punctuation", "spelling", "function words")
    rows = tuple((name, *(one[column] for column in columns)) for name, one in figures.items())
    table = Table("crisis or ordinary by style alone, AUC", ("part", *columns), rows)
    return Finding("style alone", worst <= MOST, told, figures, tables=(table,))
