"""The texts that the heads learn from, each with its labels, group and licence."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from config.settings import ROOT
from nlp.training.written.post import Written
from nlp.training.written.read import CORPUS, groups, written
from store.records import TAGS

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One text to learn from. ``labels``: head → 0 or 1, absent where the source does not say; ``group`` is what a
    split keeps together (an event, a hazard of the corpus)."""

    text: str
    group: str
    source: str
    labels: dict[str, int]
    lang: str | None = None
    names: dict[str, str] = field(default_factory=dict)


LICENCES = {
    "corpus": "MIT (written for the project)",
    "crisislex_t26": "MIT",
    "crisislex_t6": "MIT",
    "disaster_messages": "CC BY 4.0",
    "pheme": "CC BY 4.0 (annotations)",
    "hate_threat": "MIT (mlma, davidson)",
    "background_fr": "GPL-3.0 repository (hashed weights only; no text is kept)",
}
NOTHING = {"about": 0, "relevance": 0, "emerging_incident": 0, "public_order_threat": 0, "rumour": 0}
URGENT = {
    "request", "medical_help", "search_and_rescue", "missing_people", "death", "infrastructure_related", "buildings",
    "fire", "floods", "storm", "earthquake", "shelter", "water", "food", "security", "refugees", "transport",
    "electricity", "hospitals", "cold", "other_weather", "medical_products",
}  # fmt: skip


HARMED = {
    "search_and_rescue", "missing_people", "death", "infrastructure_related", "buildings", "fire", "floods", "storm",
    "earthquake", "hospitals",
}  # fmt: skip
"""Flags of a message that tells of harm under way; a plain request for food or water in the weeks after does not."""


def shared_data() -> Path:
    """Where the shared data lie: ``VIGIE_SHARED_DATA``, else beside the repository. Raises FileNotFoundError."""
    folder = Path(os.environ.get("VIGIE_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not there: set VIGIE_SHARED_DATA to the folder of the shared data")
    return folder


def read(path: Path) -> Iterator[Row]:
    """The objects of a JSON-lines file, gzipped or not."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as lines:
        for line in lines:
            yield orjson.loads(line)


def unseen(text: str) -> bool:
    """Whether a background text belongs to the half that is kept for measuring (by hash of its words)."""
    words = " ".join(text.lower().split())
    return hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=1).digest()[0] % 2 == 1


def corpus(folder: Path = CORPUS) -> list[Example]:
    """The training part of the posts written for the project, grouped by hazard; the test part is never learnt from.

    Raises :class:`CorpusError` where a line cannot be read.
    """
    posts = written("train", folder)
    group = groups(posts)
    return [example(one, f"corpus:{group[one.id]}") for one in posts]


def example(one: Written, group: str) -> Example:
    """A written post as a text to learn from."""
    labels = {"about": one.about, "relevance": one.relevance} | {tag: int(tag in one.tags) for tag in TAGS}
    source = one.source if one.source != "unknown" else None
    told = {"hazard": one.hazard, "need": one.need, "source": source, "stance": one.stance, "when": one.when}
    names = {key: name for key, name in told.items() if name} | {"refuted": "true" if one.refuted else "false"}
    return Example(one.text, group, "corpus", labels, one.lang, names)


def crisislex_t26(data: Path) -> Iterator[Example]:
    """Fifteen crises: related or not, informative or not, and what the information is."""
    for path in sorted((data / "crisislex_t26").glob("*.gz")):
        for row in read(path):
            told = row["informativeness"]
            if told == "Not applicable":
                continue
            yield Example(
                row["text"], row["event"], "crisislex_t26", _t26_labels(told, row["info_type"]), names=_t26_names(row)
            )


def _t26_labels(told: str, info: str) -> dict[str, int]:
    if told == "Not related":
        return dict(NOTHING)
    informative = int(told == "Related and informative")
    labels = {"about": 1, "relevance": informative, "public_order_threat": 0, "rumour": 0}
    if not informative:
        return labels | {"emerging_incident": 0}
    return labels | (
        {} if info == "Donations and volunteering" else {"emerging_incident": int(info != "Sympathy and support")}
    )


NEEDS = {
    "Affected individuals": "injured_or_dead_people",
    "Caution and advice": "caution_and_advice",
    "Donations and volunteering": "rescue_volunteering_or_donation_effort",
    "Infrastructure and utilities": "infrastructure_and_utility_damage",
    "Other Useful Information": "other_relevant_information",
    "Sympathy and support": "sympathy_and_support",
    "Not labeled": "not_humanitarian",
}
SOURCES = {
    "Eyewitness": "eyewitness",
    "Government": "authority",
    "NGOs": "volunteer",
    "Media": "media",
    "Business": "other",
    "Outsiders": "other",
}


def _t26_names(row: Row) -> dict[str, str]:
    names = {"need": NEEDS.get(row["info_type"], ""), "source": SOURCES.get(row["source_type"], "")}
    return {key: name for key, name in names.items() if name}


def crisislex_t6(data: Path) -> Iterator[Example]:
    """Three crises in English among everything else that was said on those days."""
    for path in sorted((data / "crisislex_t6").glob("*.gz")):
        for row in read(path):
            on_topic = row["topic"] == "on-topic"
            yield Example(row["text"], row["event"], "crisislex_t6", {"about": 1} if on_topic else dict(NOTHING), "en")


def disaster_messages(data: Path) -> Iterator[Example]:
    """Messages of disasters: the English text, and the original where there is one (French or Haitian Creole)."""
    for row in read(data / "disaster_messages" / "train.jsonl.gz"):
        flags = set(row["labels"])
        labels = {"about": int("related" in flags), "public_order_threat": 0, "rumour": 0}
        labels["relevance"] = int(bool(flags & URGENT))
        if flags & HARMED and row["genre"] != "news":
            labels["emerging_incident"] = 1
        if "related" not in flags:
            labels = dict(NOTHING)
        names = {"need": need} if (need := _need(flags)) else {}
        yield Example(row["text"], "disaster_messages", "disaster_messages", labels, "en", names)
        if original := row.get("original"):
            yield Example(original, "disaster_messages", "disaster_messages", labels, None, names)


def _need(flags: set[str]) -> str | None:
    order = (
        ({"missing_people"}, "missing_or_found_people"),
        ({"death"}, "injured_or_dead_people"),
        ({"search_and_rescue", "request"}, "requests_or_urgent_needs"),
        ({"refugees"}, "displaced_people_and_evacuations"),
        ({"infrastructure_related", "buildings", "electricity", "transport"}, "infrastructure_and_utility_damage"),
        ({"offer"}, "rescue_volunteering_or_donation_effort"),
        ({"weather_related"}, "other_relevant_information"),
    )
    return next((name for wanted, name in order if flags & wanted), None if "related" in flags else "not_humanitarian")


def pheme(data: Path) -> Iterator[Example]:
    """Posts that opened threads around breaking news: about a real situation."""
    for row in read(data / "pheme" / "charliehebdo.jsonl.gz"):
        if not row["is_reply"]:
            labels = {"about": 1, "public_order_threat": 0}
            yield Example(row["text"], "pheme:charliehebdo", "pheme", labels, row.get("lang"))


def hate(data: Path, *, half: str = "seen") -> Iterator[Example]:
    """Hostile speech: no incident, and no threat to public order; ``half`` as of :func:`background`."""
    for name, lang in (("mlma_fr", "fr"), ("mlma_en", "en"), ("davidson_en", "en")):
        for row in read(data / "hate_threat" / f"{name}.jsonl.gz"):
            if unseen(row["text"]) == (half == "unseen"):
                yield Example(row["text"], f"hate:{_fold(row['text'])}", "hate_threat", dict(NOTHING), lang)


def background(data: Path, *, half: str = "seen") -> Iterator[Example]:
    """Ordinary French posts; ``half`` is ``seen`` (for training) or ``unseen`` (for measuring)."""
    for row in read(data / "background_fr" / "random_tweets.jsonl.gz"):
        if unseen(row["text"]) == (half == "unseen"):
            yield Example(row["text"], f"background:{_fold(row['text'])}", "background_fr", dict(NOTHING), "fr")


def _fold(text: str) -> int:
    """One of five parts of a source that has no events, by hash."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=1).digest()[0] % 5


def others(data: Path) -> list[Example]:
    """All that a shipped model may learn from beside the posts written for the project, in a fixed order."""
    readers = (crisislex_t26, crisislex_t6, disaster_messages, pheme, hate, background)
    return [example for reader in readers for example in reader(data)]


def everything(data: Path) -> list[Example]:
    """All that a shipped model may learn from, in a fixed order."""
    return [*corpus(), *others(data)]
