"""The loop that one would write first: json, spaCy, scikit-learn and a commit, one post at a time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import orjson
import spacy
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from desk.bench._posts import texts


def run(posts: Sequence[str], folder: Path) -> list[float]:
    """Seconds that each post took, from its JSON text to a durable row with a probability and its entities.

    spaCy is the blank French pipeline with sentences and a place ruler, the least that finds a place; a statistical
    pipeline would be several times slower.
    """
    model, language = _trained(), _language()
    db = sqlite3.connect(folder / "naive.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE read (id TEXT PRIMARY KEY, about REAL, entities TEXT)")
    lines = [orjson.dumps({"id": str(at), "text": text}) for at, text in enumerate(posts)]
    taken = []
    for line in lines:
        began = time.perf_counter()
        post = json.loads(line)
        read = language(post["text"])
        about = float(model.predict_proba([post["text"]])[0][1])
        entities = json.dumps([each.text for each in read.ents])
        db.execute("INSERT INTO read VALUES (?, ?, ?)", (post["id"], about, entities))
        db.commit()
        taken.append(time.perf_counter() - began)
    db.close()
    return taken


def _trained() -> Pipeline:
    crisis, *others = texts()
    ordinary = [text for kind in others for text in kind]
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=200))
    model.fit([*crisis, *ordinary], [1] * len(crisis) + [0] * len(ordinary))
    return model


def _language() -> spacy.language.Language:
    language = spacy.blank("fr")
    language.add_pipe("sentencizer")
    ruler = language.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": name} for name in ("Cholet", "Angers", "Saumur", "Maine-et-Loire")])
    return language
