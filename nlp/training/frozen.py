"""What the shipped models make of the frozen test part of the project's corpus, read deeply."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from sklearn.metrics import f1_score

from nlp.annotate import LOOKS, Annotator
from nlp.deep.fields import NONE
from nlp.fast import NO_NEED
from nlp.training.figures import Figure, share
from nlp.training.written.post import Written
from nlp.training.written.read import CORPUS, written
from nlp.training.written.unseen import unseen
from nlp.wire import Line
from store.records import TAGS, Annotation

TASK = "frozen test"
Read = Sequence[tuple[Written, Annotation]]
FIELDS: Mapping[str, tuple[Callable[[Written], str], Callable[[Annotation], str]]] = {
    "source": (lambda post: post.source, lambda made: made.source),
    "when": (lambda post: post.when or NONE, lambda made: made.when or NONE),
    "stance": (lambda post: post.stance or NONE, lambda made: made.stance or NONE),
    "refuted": (lambda post: str(post.refuted), lambda made: str(made.refuted)),
    "hazard": (lambda post: post.hazard or NONE, lambda made: made.hazard.name if made.hazard else NONE),
    "need": (lambda post: post.need, lambda made: made.need.name if made.need else NO_NEED),
}
"""What is told, and what is read."""


def read_frozen(annotator: Annotator, folder: Path = CORPUS) -> list[tuple[Written, Annotation]]:
    """The posts of the frozen test part, read deeply, a few at a time as a stage gets them."""
    posts = written("test", folder)
    lines = [Line("", one.text) for one in posts]
    made = [one for start in range(0, len(lines), LOOKS) for one in annotator.annotate(lines[start : start + LOOKS])]
    return list(zip(posts, made, strict=True))


def frozen(read: Read) -> Iterator[Figure]:
    """By language: recall and precision of each label, recall on hazards that no training post shows, pairs of which
    both sides are right, and the macro F1 of the fields on posts that are about harm, of ``when`` on all (no exercise
    is). Classes that no post of a language shows do not count, nor does that of posts which say nothing."""
    for lang in sorted({one.lang for one, _ in read}):
        ours = [(one, annotation) for one, annotation in read if one.lang == lang]
        for tag in TAGS:
            yield from _label(ours, tag, lang)
        yield from _pairs(ours, lang)
        yield from (_field(ours, name, lang) for name in FIELDS)


def _label(ours: Read, tag: str, lang: str) -> Iterator[Figure]:
    wanted = [(one, tag in read.labels) for one, read in ours if tag in one.tags]
    labelled = [tag in one.tags for one, read in ours if tag in read.labels]
    never = [hit for one, hit in wanted if one.hazard in unseen().hazards]
    yield share(TASK, lang, f"{tag} recall", sum(hit for _, hit in wanted), len(wanted))
    yield share(TASK, lang, f"{tag} recall, unseen hazards", sum(never), len(never))
    yield share(TASK, lang, f"{tag} precision", sum(labelled), len(labelled))


def _pairs(ours: Read, lang: str) -> Iterator[Figure]:
    by_id = {one.id: (one, read) for one, read in ours}
    pairs = [(read, by_id[one.neighbour]) for one, read in ours if one.crisis and one.neighbour in by_id]
    both = [_crisis(read) and not _crisis(other) for read, (neighbour, other) in pairs if not neighbour.crisis]
    yield share(TASK, lang, "pairs, relevance of both right", sum(both), len(both))


def _crisis(read: Annotation) -> bool:
    return (read.relevance or 0.0) >= 0.5


def _field(ours: Read, name: str, lang: str) -> Figure:
    told, read = FIELDS[name]
    some = [(told(one), read(annotation)) for one, annotation in ours if one.about or name == "when"]
    shown = sorted({wanted for wanted, _ in some} - {NONE})
    value = f1_score([a for a, _ in some], [b for _, b in some], labels=shown, average="macro", zero_division=0)
    return Figure(TASK, lang, f"{name} macro F1", float(value), len(some))
