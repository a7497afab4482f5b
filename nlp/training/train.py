"""``vigie train``: from the allowed sources and the project's corpus to the shipped models, always the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from threadpoolctl import threadpool_limits

from nlp import heads as model
from nlp.deep import fields
from nlp.deep.fields import Fields
from nlp.heads import BINARY, CALIBRATED, Heads
from nlp.language import HOME, KNOWN, Languages
from nlp.training import fit, words
from nlp.training.common import write_common_names
from nlp.training.fields import examine, fit_fields, matrix
from nlp.training.sources import LICENCES, Example, everything

Report = Callable[[str], None]
FALSE_ALARMS = {"emerging_incident": 0.0006, "public_order_threat": 0.0001, "rumour": 0.001}
"""Share of ordinary posts that may carry a label, on ordinary posts that the model has not seen."""
ORDINARY = {"fr": ("background_fr",), "en": ("hate_threat",)}
"""The sources of ordinary posts of a language; there is no English stream but of posts that quarrel and insult."""
LEAST = {"fr": 0.5, "en": 0.3}
"""Nothing less likely carries a label, though fewer ordinary posts than allowed reach it. English is learnt beside
off-topic posts of crisis days, which hold its probabilities down."""
SETTLED = {"about": 0.5, "relevance": 0.5}
PRIOR = {"about": 0.3, "relevance": 0.45, "emerging_incident": 0.11, "public_order_threat": 0.05, "rumour": 0.1}
"""Declared share of positives among the posts that filters keep; probabilities are calibrated at it."""


def train(data: Path, out: Path, *, seed: int = 0, report: Report = lambda _: None) -> dict[str, Any]:
    """Fit every head and write the models and their manifest into ``out``; gives the manifest.

    The same data and seed give the same bytes. Raises FileNotFoundError where a source is missing.
    """
    with threadpool_limits(1):  # sums in another order have other last bits
        return _train(data, out, seed, report)


def _train(data: Path, out: Path, seed: int, report: Report) -> dict[str, Any]:
    examples = everything(data)
    report(f"{len(examples):,} texts")
    languages = learn_language(examples, out)
    report("languages learnt")
    prepared = fit.prepare(examples, languages)
    report(f"{prepared.features.shape[0]:,} texts read")
    heads = fit_heads(prepared, seed=seed, report=report)
    model.save(heads, out)
    fields.save(learn_fields(prepared, seed=seed), out)
    report("fields fitted")
    manifest = _manifest(prepared, seed)
    (out / "manifest.json").write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    return manifest


def learn_language(examples: list[Example], out: Path) -> Languages:
    """Write the function words and the language evidence into ``out``; gives what reads it."""
    stop = set().union(*(words.function_words(lang) for lang in KNOWN))
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
    bias: list[float] = []
    lines: list[list[tuple[float, float]]] = []
    thresholds = {head: dict.fromkeys(CALIBRATED, value) for head, value in SETTLED.items()}
    for head in BINARY:
        coefficients, intercept = fit.fit(data, head, rows, seed=seed)
        scores = fit.out_of_fold(data, head, seed=seed)
        lines.append([calibrate(data, head, scores, lang) for lang in CALIBRATED])
        if head in FALSE_ALARMS:
            thresholds[head] = limits(data, scores, lines[-1], FALSE_ALARMS[head])
        columns.append(coefficients)
        names.append(head)
        bias.append(intercept)
        report(f"{head} fitted")
    for name, labels in class_targets(data).items():
        coefficients, intercept = fit.fit_labels(data, labels, seed=seed)
        columns.append(coefficients)
        names.append(name)
        bias.append(intercept)
        lines.append([(1.0, 0.0)] * len(CALIBRATED))
    report(f"{len(names)} heads fitted")
    scale, shift = np.array(lines, np.float32).transpose(2, 1, 0)
    weights = np.stack(columns, axis=1).astype(np.float32)
    return Heads(tuple(names), weights, np.array(bias, np.float32), scale, shift, thresholds)


def learn_fields(data: fit.Data, *, seed: int = 0) -> Fields:
    """What the deep path tells of a post, from the project's corpus alone."""
    posts = [one for one in data.examples if one.source == "corpus"]
    return fit_fields(posts, matrix(examine((one.text, one.lang or "fr") for one in posts)), seed=seed)


def calibrate(data: fit.Data, head: str, scores: fit.Array, lang: str) -> tuple[float, float]:
    """Scale and shift that make ``scores`` log-odds at the declared prior in ``lang``; in all languages together, each
    counting the same, where it has no line of its own."""
    wanted = fit.targets(data, head)
    if lang in HOME:
        wanted = np.where(data.langs == lang, wanted, -1).astype(np.int8)
    sample = np.zeros(len(wanted))
    known = np.flatnonzero(wanted >= 0)
    sample[known] = fit.weights(data, wanted, known)
    for label, mass in ((1, PRIOR[head]), (0, 1 - PRIOR[head])):
        here = wanted == label
        sample[here] *= mass * len(wanted) / max(sample[here].sum(), 1e-9)
    return fit.calibrate(scores, wanted, sample)


def limits(data: fit.Data, scores: fit.Array, lines: list[tuple[float, float]], share: float) -> dict[str, float]:
    """By language, the probability that at most ``share`` of ordinary posts reach, and at least :data:`LEAST`; where a
    language has no ordinary posts of its own, the strictest."""
    found = {}
    for lang, (scale, shift) in zip(CALIBRATED, lines, strict=True):
        here = [i for i, e in enumerate(data.examples) if e.source in ORDINARY.get(lang, ()) and data.langs[i] == lang]
        if here:
            reached = scale * float(np.quantile(scores[here], 1 - share)) + shift
            found[lang] = round(max(LEAST[lang], 1 / (1 + float(np.exp(-reached)))), 4)
    return {lang: found.get(lang, max(found.values())) for lang in CALIBRATED}


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
