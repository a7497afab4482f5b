"""What one post brings to an incident: its vote, and nothing more of it than deciding needs."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from config.bundle import Gate
from config.text import fold
from nlp.detect import places, words
from store.records import Annotation, Place, Post, Status

RELEVANT = 0.5
HALF = 0.5
PROPER = re.compile(r"[^\W\d_]{4,}")
UNCERTAIN = 0.35
NOT_NOW = frozenset({"past", "hypothetical"})
COUNTED = frozenset({"dead", "injured", "missing", "trapped", "evacuated"})


@dataclass(frozen=True, slots=True)
class Member:
    """One post in a cluster. ``at`` and ``received`` are seconds since 1970 UTC; ``at`` is when it was written.

    ``author`` is a digest of the author's HMAC, "" where unknown or where the post is a repost; ``repost`` posts are
    no voices. ``weight`` is what the post counts towards the gate: 1, HALF where it is uncertain that something
    emerges, or 0. ``terms`` is a vector of length 1. ``named`` are the folded proper words of places, those without a
    position too.
    """

    post: str
    at: float
    received: float
    status: Status
    author: str
    repost: bool
    weight: float
    score: float
    terms: dict[str, float]
    shingles: tuple[int, ...]
    hazard: str | None = None
    hazard_p: float = 0.0
    places: tuple[Place, ...] = ()
    named: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    quantities: dict[str, float] = field(default_factory=dict)
    need: str | None = None
    urgency: float = 0.0
    trusted: bool = False
    refuted: bool = False
    backfilled: bool = False
    why: tuple[str, ...] = ()

    @property
    def telling(self) -> bool:
        """Whether the post counts towards the gate at all."""
        return self.weight > 0


def member(post: Post, annotation: Annotation, gate: Gate, tags: Collection[str]) -> Member:
    """The vote of a post. ``tags`` are those the bundle allows to be used (public order needs a legal basis)."""
    score = max((annotation.tags.get(tag) or 0.0 for tag in tags if tag != "rumour"), default=0.0)
    located = places.of_post(post, annotation)
    text = words.plain(post.text)
    copied = words.is_repost(post.text)
    received = post.received_at.timestamp()
    return Member(
        post=post.id,
        at=min(post.created_at.timestamp(), received),
        received=received,
        status=post.status,
        author="" if copied or not post.author else digest(post.author),
        repost=post.repost_of is not None,
        weight=_weight(annotation, score, gate) if _tells(post, annotation) else 0.0,
        score=round((annotation.relevance or 0.0) * score, 4),
        terms=words.terms(text, _names(located, annotation), [fold(each) for each in annotation.why]),
        shingles=words.shingles(text),
        hazard=annotation.hazard.name if annotation.hazard else None,
        hazard_p=round(annotation.hazard.p, 4) if annotation.hazard else 0.0,
        places=located,
        named=_proper(located, annotation),
        tags=tuple(tag for tag in annotation.labels if tag in tags),
        quantities=_largest(annotation),
        need=annotation.need.name if annotation.need else None,
        urgency=round(annotation.urgency or 0.0, 4),
        trusted=post.trusted,
        refuted=annotation.refuted or annotation.stance == "denies",
        backfilled=post.backfilled,
        why=annotation.why[:4],
    )


def _names(located: Iterable[Place], annotation: Annotation) -> list[str]:
    """The folded names of the places of the event, those without a position too."""
    named = [place.name for place in located] + [each.text for each in annotation.locations if each.role == "event"]
    return [fold(name) for name in named]


def _proper(located: Iterable[Place], annotation: Annotation) -> tuple[str, ...]:
    """The folded words with a capital in the places of the event: Reims in ``entrepôt à Reims``."""
    named = [place.name for place in located] + [each.text for each in annotation.locations if each.role == "event"]
    return tuple(sorted({fold(word) for name in named for word in PROPER.findall(name) if word[0].isupper()}))


def digest(text: str) -> str:
    """Twelve hex digits that stand for ``text``."""
    return blake2b(text.encode(), digest_size=6).hexdigest()


def _largest(annotation: Annotation) -> dict[str, float]:
    """The largest number of each kind of victim that the post gives."""
    counted = [each for each in annotation.quantities if each.kind in COUNTED]
    return {each.kind: max(other.value for other in counted if other.kind == each.kind) for each in counted}


def _weight(annotation: Annotation, score: float, gate: Gate) -> float:
    """A post counts whole when it is relevant and something emerges; half when one of the two is uncertain."""
    relevance = annotation.relevance or 0.0
    if relevance >= RELEVANT:
        return 1.0 if score >= gate.min_score else HALF * (score >= HALF * gate.min_score)
    named = annotation.hazard is not None and (annotation.about or 0.0) >= RELEVANT
    return HALF if named and relevance >= UNCERTAIN else 0.0


def _tells(post: Post, annotation: Annotation) -> bool:
    """Whether a post is evidence of something now. In a drill posts play the event: talk of the drill is no evidence,
    but for what the desk or a trusted account puts in."""
    if annotation.refuted or annotation.stance == "denies":
        return False
    entered = post.trusted or post.source == "hand"
    talk_of_drill = annotation.when == "exercise" and not (post.status == "Exercise" and entered)
    return annotation.when not in NOT_NOW and not talk_of_drill
