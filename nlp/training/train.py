"""``vigie train``: from the allowed sources and the project's corpus to the shipped models, always the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from nlp import heads as model
from nlp.heads import BINARY, Heads
from nlp.language import Languages
from nlp.training import fit, words
from nlp.training.common import write_common_names
from nlp.training.sources import LICENCES, Example, everything

Report = Callable[[str], None]
SCORED = ("fr", "en", "es", "it", "pt")
FALSE_ALARMS = {"emerging_incident": 0.003, "public_order_threat": 0.0003, "rumour": 0.001}
"""Share of ordinary posts that may carry a label, on ordinary posts that the model has not seen."""
SETTLED = {"about": 0.5, "relevance": 0.5}
PRIOR = {"about": 0.3, "relevance": 0.45, "emerging_incident": 0.11, "public_order_threat": 0.05, "rumour": 0.1}
"""Declared share of positives among the posts that filters keep; probabilities are calibrated at it."""


def train(data: Path, out: Path, *, seed: int = 0, report: Report = lambda _: None) -> dict[str, Any]:
    """Fit every head and write the models and their manifest into ``out``; gives the manifest.

    The same data and seed give the same bytes. Raises FileNotFoundError where a source is missing.
    """
    examples = everything(data)
    report(f"{len(examples):,} texts")
    languages = learn_language(examples, out)
    report("languages learnt")
    prepared = fit.prepare(examples, languages)
    report(f"{prepared.features.shape[0]:,} texts read")
    heads = fit_heads(prepared, seed=seed, report=report)
    model.save(heads, out)
    manifest = _manifest(prepared, seed)
    (out / "manifest.json").write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return manifest


def learn_language(examples: list[Example], out: Path) -> Languages:
    """Write the function words and the language evidence into ``out``; gives what reads it."""
    stop = set().union(*(words.function_words(lang) for lang in SCORED))
    (out / "stopwords.txt").write_text("\n".join(sorted(stop)) + "\n", encoding="utf-8")
    by_source: dict[str, list[str]] = {}
    for example in examples:
        by_source.setdefault(example.source, []).append(example.text)
    texts = {"fr": by_source["background_fr"], "en": by_source["crisislex_t6"]}
    texts |= words.bootstrap(by_source["crisislex_t26"], ("es", "it", "pt"), ("en", "fr"))
    originals = [e.text for e in examples if e.source == "disaster_messages" and e.lang is None]
    texts |= words.bootstrap(originals, ("ht",), ("fr", "en", "es"))
    write_common_names([*texts["fr"], *texts["en"]], out / "common_names.txt")
    return words.save(words.learn(texts), out / "language.json")


def fit_heads(data: fit.Data, *, seed: int = 0, report: Report = lambda _: None) -> Heads:
    """Every head, fitted on all examples; binary heads calibrated and given thresholds on events they had not seen."""
    rows = np.arange(len(data.examples))
    columns: list[fit.Array] = []
    names: list[str] = []
    line: list[tuple[float, float, float]] = []
    thresholds = dict(SETTLED)
    for head in BINARY:
        coefficients, intercept = fit.fit(data, head, rows, seed=seed)
        scores = fit.out_of_fold(data, head, seed=seed)
        a, b = calibrate(data, head, scores)
        if head in FALSE_ALARMS:
            thresholds[head] = threshold(data, a * scores + b, FALSE_ALARMS[head])
        columns.append(coefficients)
        names.append(head)
        line.append((intercept, a, b))
        report(f"{head} fitted")
    for name, labels in class_targets(data).items():
        coefficients, intercept = fit.fit_labels(data, labels, seed=seed)
        columns.append(coefficients)
        names.append(name)
        line.append((intercept, 1.0, 0.0))
    report(f"{len(names)} heads fitted")
    bias, scale, shift = np.array(line, np.float32).T
    return Heads(tuple(names), np.stack(columns, axis=1).astype(np.float32), bias, scale, shift, thresholds, fit.STEPS)


def calibrate(data: fit.Data, head: str, scores: fit.Array) -> tuple[float, float]:
    """Scale and shift that make ``scores`` log-odds at the declared prior, each language counting the same."""
    wanted = fit.targets(data, head)
    sample = fit.weights(data, wanted, np.arange(len(wanted)))
    for label, mass in ((1, PRIOR[head]), (0, 1 - PRIOR[head])):
        here = wanted == label
        sample[here] *= mass * len(wanted) / max(sample[here].sum(), 1e-9)
    return fit.calibrate(scores, wanted, sample)


def threshold(data: fit.Data, odds: fit.Array, share: float) -> float:
    """The probability that at most ``share`` of ordinary French posts reach, and at least 0.5."""
    ordinary = [i for i, e in enumerate(data.examples) if e.source == "background_fr" and data.langs[i] == "fr"]
    reached = 1 / (1 + float(np.exp(-np.quantile(odds[ordinary], 1 - share))))
    return round(max(0.5, reached), 4)


def class_targets(data: fit.Data) -> dict[str, npt.NDArray[np.int8]]:
    """One target a class of ``need`` and ``source``: 1, 0, or -1 where the source does not say."""
    found = {}
    for family in ("need", "source"):
        told = [example.names.get(family) for example in data.examples]
        for name, count in sorted(Counter(name for name in told if name).items()):
            if count >= 20:
                values = (-1 if one is None else int(one == name) for one in told)
                found[f"{family}:{name}"] = np.fromiter(values, np.int8, len(told))
    return found


def _manifest(data: fit.Data, seed: int) -> dict[str, Any]:
    counts = Counter(example.source for example in data.examples)
    total = sum(counts.values())
    sources = {
        source: {"texts": count, "share": round(count / total, 4), "licence": LICENCES[source]}
        for source, count in sorted(counts.items())
    }
    return {
        "seed": seed,
        "texts": total,
        "languages": dict(sorted(Counter(data.langs.tolist()).items())),
        "sources": sources,
    }
