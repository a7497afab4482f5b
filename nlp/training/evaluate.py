"""``vigie evaluate``: what the models do on events, hazards and ordinary posts that they have not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

from nlp.annotate import DEEP_FLOOR, Annotator
from nlp.heads import Heads, heads
from nlp.language import languages
from nlp.training import fit, sources
from nlp.training.figures import Figure, share
from nlp.training.frozen import frozen
from nlp.wire import Line
from store.records import Annotation

Report = Callable[[str], None]
BATCH = 512


def evaluate(data: Path, *, seed: int = 0, report: Report = lambda _: None) -> list[Figure]:
    """Every figure. Heads are fitted again without the event that they are measured on; ordinary posts are the half
    that training never reads, read by the shipped models. Takes some minutes."""
    annotator = Annotator()
    figures = [*frozen(annotator)]
    report("frozen test read")
    figures += false_alarms(data, annotator)
    report("false alarms counted")
    prepared = fit.prepare(sources.everything(data), languages())
    model = heads()
    events = sorted({e.group for e in prepared.examples if e.source == "crisislex_t26"})
    figures += _by_language(prepared, model, "relevance", "crisislex_t26", events, seed)
    report("relevance on crisislex_t26 measured")
    events = sorted({e.group for e in prepared.examples if e.source == "crisislex_t6"})
    figures += _by_language(prepared, model, "about", "crisislex_t6", events, seed)
    report("about on crisislex_t6 measured")
    figures += _recall(prepared, model, "disaster_messages", ["disaster_messages"], seed)
    hazards = sorted({e.group for e in prepared.examples if e.source == "corpus"})
    figures += _recall(prepared, model, "corpus", [hazards[start::6] for start in range(6)], seed)
    return figures


def false_alarms(data: Path, annotator: Annotator) -> Iterator[Figure]:
    """Share of unseen ordinary and hostile posts that carry a label, by the shipped models on the deep path."""
    streams = {
        ("background_fr, unseen half", "fr"): (e.text for e in sources.background(data, half="unseen")),
        ("hate_threat, unseen half", "fr"): _hostile(data, "mlma_fr"),
        ("hate_threat, unseen half", "en"): _hostile(data, "davidson_en"),
    }
    for (task, lang), texts in streams.items():
        made = list(annotated(annotator, texts))
        for label in ("emerging_incident", "public_order_threat", "rumour"):
            hits = sum(label in annotation.labels for annotation in made)
            yield share(task, lang, f"labelled {label}", hits, len(made))


def _hostile(data: Path, name: str) -> Iterator[str]:
    rows = sources.read(data / "hate_threat" / f"{name}.jsonl.gz")
    return (row["text"] for row in rows if sources.unseen(row["text"]))


def annotated(annotator: Annotator, texts: Iterable[str]) -> Iterator[Annotation]:
    """The annotations of texts, in batches as a stage reads them."""
    texts = iter(texts)
    while batch := list(islice(texts, BATCH)):
        yield from annotator.annotate([Line("", text) for text in batch], floor=DEEP_FLOOR)


def held_out(data: fit.Data, model: Heads, head: str, groups: Sequence[str | Sequence[str]], seed: int) -> fit.Array:
    """Calibrated log-odds of the posts of each group by a head fitted without that group; NaN elsewhere."""
    odds = np.full(len(data.examples), np.nan)
    for group in groups:
        here = np.isin(data.groups, [group] if isinstance(group, str) else list(group))
        coefficients, intercept = fit.fit(data, head, np.flatnonzero(~here), seed=seed)
        raw = fit.raw_scores(data, np.flatnonzero(here), coefficients, intercept)
        lines = np.array([model.line(head, lang) for lang in data.langs[here]])
        odds[here] = raw * lines[:, 0] + lines[:, 1]
    return odds


def _by_language(
    data: fit.Data, model: Heads, head: str, source: str, events: Sequence[str], seed: int
) -> Iterator[Figure]:
    odds, wanted = held_out(data, model, head, events, seed), fit.targets(data, head)
    known = ~np.isnan(odds) & (wanted >= 0) & _of_source(data, source)
    for lang in [*sorted(set(data.langs[known].tolist())), "all"]:
        here = known & ((data.langs == lang) | (lang == "all"))
        if here.sum() >= 50:
            average = "macro" if head == "relevance" else "binary"
            value = float(f1_score(wanted[here], odds[here] > 0, average=average))
            yield Figure(f"{source}, each event left out", lang, f"{head} {average} F1", value, int(here.sum()))


def _recall(
    data: fit.Data, model: Heads, source: str, groups: Sequence[str | Sequence[str]], seed: int
) -> Iterator[Figure]:
    for head in ("about", "emerging_incident"):
        odds, wanted = held_out(data, model, head, groups, seed), fit.targets(data, head)
        for lang in ("fr", "en"):
            least = model.threshold(head, lang)
            cut = float(np.log(least / (1 - least)))
            for label, measure in ((1, "recall"), (0, "false alarms")):
                here = (wanted == label) & (data.langs == lang) & _of_source(data, source) & ~np.isnan(odds)
                if here.sum() >= 20:
                    hits = int((odds[here] >= cut).sum())
                    yield share(f"{source}, held out", lang, f"{head} {measure}", hits, int(here.sum()))


def _of_source(data: fit.Data, source: str) -> npt.NDArray[np.bool_]:
    return np.array([example.source == source for example in data.examples])
