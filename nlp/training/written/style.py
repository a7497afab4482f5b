"""Style alone: can length, case, emoji, punctuation, function words and spelling tell crisis from ordinary?

If they can, a model learns how crises are written here, not what they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache

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
SMS = re.compile(
    r"\b(?:ds|jsuis|jss|ch?uis?|jme|c|g|ya|pr|pk|pkoi|pq|tt|ts|qd|qqn|slt|bcp|dsl|mtn|jsp|mdr|ptdr|lol|stp|svp|ac|"
    r"pls|plz|u|ur|ppl|rn|omg|wtf|cuz|b4|smth|gonna|gotta|wanna|im|dont|cant|thats|ive)\b"
)


@cache
def listed(lang: str) -> tuple[str, ...]:
    """The function words whose frequency is a feature."""
    return tuple(sorted(function_words(lang)))


def features(text: str, lang: str) -> list[float]:
    """The style of one text: nothing in it says what the text is about."""
    words = WORD.findall(text)
    letters = sum(map(len, words)) or 1
    folded = without_links(fold(text).text)
    small = Counter(WORD.findall(folded))
    return [
        float(len(text)), float(len(words)), letters / max(1, len(words)), *map(float, map(text.count, MARKS)),
        sum(map(str.isupper, text)) / letters, float(sum(w.isupper() and len(w) > 1 for w in words)),
        float(sum(w[:1].isupper() for w in words)), float(text[:1].isupper()), float(text.rstrip()[-1:] in ".!?…"),
        float(len(EMOJI.findall(text))), float(text.count("http")), float(sum(map(str.isdigit, text))),
        float(text.count("\n")), float(len(re.findall(r"([!?.])\1+", text))), float(len(re.findall(r"(\w)\1\1", text))),
        sum(not c.isascii() for c in text) / letters, float(len(SMS.findall(folded))),
        float(len(re.findall(r"\b[bcdfghjklmnpqrstvwxz]{2,4}\b", folded))),
        *(small[word] / max(1, len(words)) for word in listed(lang)),
    ]  # fmt: skip


def pairs(posts: Sequence[Written]) -> list[tuple[Written, Written]]:
    """Each crisis post with its ordinary neighbour."""
    by_id = {one.id: one for one in posts}
    found = [(one, by_id[one.neighbour]) for one in posts if one.crisis and one.neighbour in by_id]
    return [(one, other) for one, other in found if not other.crisis]


def aucs(pairs: Sequence[tuple[Written, Written]], *, seed: int = 0) -> dict[str, float]:
    """Area under the curve of a linear and of a forest of trees, cross-validated with both of a pair in one fold."""
    both = [one for pair in pairs for one in pair]
    x = np.array([features(one.text, one.lang) for one in both])
    y = np.array([1, 0] * len(pairs))
    groups = np.repeat(np.arange(len(pairs)), 2)
    linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.05, max_iter=500, random_state=seed))
    trees = ExtraTreesClassifier(200, min_samples_leaf=5, random_state=seed)
    return {name: _auc(model, x, y, groups) for name, model in (("linear", linear), ("trees", trees))}


def _auc(model: object, x: Floats, y: npt.NDArray[np.int64], groups: npt.NDArray[np.int64]) -> float:
    scores = np.zeros(len(y))
    for train, test in GroupKFold(FOLDS).split(x, y, groups):
        model.fit(x[train], y[train])  # type: ignore[attr-defined]
        scores[test] = model.predict_proba(x[test])[:, 1]  # type: ignore[attr-defined]
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
    rows = tuple((name, int(one["pairs"]), one["linear"], one["trees"]) for name, one in figures.items())
    table = Table("style alone, AUC", ("part", "pairs", "linear", "trees"), rows)
    return Finding("style alone", worst <= MOST, told, figures, tables=(table,))
