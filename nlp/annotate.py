"""Annotation: posts in, what Vigie understands of them out. Fast for all, deep for the most relevant first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol

from config.gazetteer import gazetteer
from config.world import World
from nlp.context import NOWHERE, Context
from nlp.fast import FastPath, Readable, probability
from nlp.finish import finish
from nlp.geocode import Geocoder
from nlp.pinpoint import pinpoint
from nlp.places import locate
from nlp.reading import Reading
from store import annotations as kept
from store import aside, changes, posts
from store.database import Database
from store.records import TAGS, Annotation, Lease, Post, SetAside

log = logging.getLogger(__name__)
Depth = Literal["fast", "words", "full"]
"""By words alone; by the deep path, too; and what is in doubt looked at again."""
STAGE = "annotate"
DEEP_FLOOR = 0.25
PLACES_FLOOR = 0.1
"""In the stage, posts whose likeliest head is below this are not read deeply."""
TOGETHER, LOOKS = 64, 14
"""Where every post is read deeply, so many of so many that follow each other are looked at again, the most relevant
ones. Under a floor, as in the stage, all that are in doubt: what it says of a post may not hang on what comes along."""
BEHIND = 2_048
"""Changes that wait, from which on the stage looks at nothing again: better all posts in time by their words."""
TRIES = 2
"""How often a post is tried before it is set aside: with others, and alone."""
OURS = ("Crash", "Hang")


class Reader(Protocol):
    """Whatever annotates posts as :class:`Annotator` does."""

    def annotate(
        self, posts: Sequence[Readable], depth: Depth = ..., *, floor: float = ..., context: Context = ...
    ) -> list[Annotation]:
        """An annotation of each post, in order."""


class Annotator:
    """Understands posts. Holds the shipped models, loaded once; use one for each process."""

    def __init__(self, fast: FastPath | None = None) -> None:
        self._fast = fast or FastPath()

    def ready(self) -> Annotator:
        """This annotator with all that the stage needs, so that the first post in danger does not wait for it."""
        from nlp.deep.pipeline import LANGS, pipeline
        from nlp.encoder import encoder
        from nlp.second import second

        for lang in LANGS:
            pipeline(lang)
        gazetteer()
        second()
        encoder()
        return self

    def annotate(
        self,
        posts: Sequence[Readable],
        depth: Depth = "full",
        *,
        floor: float = 0.0,
        context: Context = NOWHERE,
    ) -> list[Annotation]:
        """An annotation of each post, in order. A post that cannot be read gets one with ``error``.

        With ``full``, posts that the fast path cannot rule out are looked at again, with a floor all of them; with
        ``full`` and ``words``, those of a known language that are at least ``floor`` likely to be relevant, an incident
        or a threat are read deeply. ``depth`` in the result says which were, ``fast`` also where there was no time
        for the second look. ``context``: where the agency is at home, and what is going on.
        """
        readings = self._fast.read(posts)
        for reading in readings:
            context.raised(reading)
        if depth != "fast":
            from nlp.deep.pipeline import read_deeply  # spaCy: a third of what any command would wait for at its start

            passed_over = _look_again(readings, 0 if depth == "words" else TOGETHER if floor else LOOKS)
            for reading in readings:
                if not reading.known or _interest(reading) >= floor:
                    read_deeply(reading)
            for reading in passed_over:
                reading.depth = "fast"
        for reading in readings:
            if reading.known and (reading.depth == "full" or _interest(reading) >= PLACES_FLOOR):
                reading.locations = locate(reading, context.home)
        return [finish(reading, self._fast) for reading in readings]


def _look_again(readings: Sequence[Reading], looks: int) -> list[Reading]:
    """Look again at what is in doubt, at so many of :data:`TOGETHER` posts, the most relevant first; gives those that
    there was no time for."""
    from nlp.second import in_doubt, second  # the encoder's engine, which a fast reading does without

    passed_over = []
    for start in range(0, len(readings), TOGETHER):
        doubtful = sorted(filter(in_doubt, readings[start : start + TOGETHER]), key=_interest, reverse=True)
        for reading in doubtful[:looks]:
            second().look(reading)
        passed_over += doubtful[looks:]
    return passed_over


def _interest(reading: Reading) -> float:
    """How much a deeper look could matter: an incident or threat in sight, or half as much, something relevant."""
    if not reading.odds:
        return 0.0
    tags = max(probability(reading.odds[head]) for head in ("emerging_incident", "public_order_threat"))
    return max(tags, probability(reading.odds["relevance"]) / 2)


def annotate_stage(
    db: Database,
    world: World,
    *,
    annotator: Reader,
    clock: Callable[[], datetime],
    lease: Lease | None = None,
    limit: int = 512,
    geocoder: Geocoder | None = None,
) -> int:
    """Annotate the posts that were added or edited since the stage's cursor, at most ``limit`` changes; gives how many
    changes were read. ``geocoder`` places what the gazetteer does not hold, before the transaction in which annotations
    and cursor are written; a post that cannot be read is set aside. Raises LeaseLost where ``lease`` is lost.
    """
    with db.read() as conn:
        waiting = changes.after(conn, changes.cursor(conn, STAGE), ("posts",), max(limit, BEHIND))
        found, depth = waiting[:limit], _depth(len(waiting))
        wanted = dict.fromkeys(change.key for change in found if change.op != "delete")
        new = list(posts.get(conn, list(wanted)).values())
    if not found:
        return 0
    made = [_for_world(annotation, world) for annotation in _safely(annotator, new, depth, Context(home(world)))]
    made = pinpoint(made, geocoder) if geocoder else made
    with db.write(lease=lease) as conn:
        kept.put(conn, made)
        aside.put(conn, [_aside(one.post_id, one.error, clock()) for one in made if one.error])
        changes.set_cursor(conn, STAGE, found[-1].seq)
    return len(found)


def _depth(waiting: int) -> Depth:
    return "words" if waiting >= BEHIND else "full"


def home(world: World) -> frozenset[str]:
    """The départements that the world's areas lie in."""
    codes: set[str] = set()
    for area in world.bundle.areas:
        codes.update(area.departements)
        codes.update(insee[:3] if insee.startswith("97") else insee[:2] for insee in area.communes)
        if area.circle is not None:
            codes.update(filter(None, [gazetteer().departement_at(area.circle.lat, area.circle.lon)]))
    return frozenset(codes)


def _aside(post: str, error: str, at: datetime) -> SetAside:
    """What people are shown: the kind of the error only, for what follows may quote the post."""
    kind, _, detail = error.partition(": ")
    return SetAside(STAGE, post, TRIES, f"{kind}: {detail}" if kind in OURS else kind, at)


def _safely(annotator: Reader, new: list[Post], depth: Depth, where: Context) -> list[Annotation]:
    """Annotate all at once; when that fails, one by one, so that a poison post is set aside alone."""
    try:
        return annotator.annotate(new, depth, floor=DEEP_FLOOR, context=where)
    except (ValueError, ArithmeticError, LookupError, TypeError, RecursionError, MemoryError) as error:
        if len(new) == 1:
            return [_set_aside(new[0], error)]
    return [annotation for post in new for annotation in _safely(annotator, [post], depth, where)]


def _set_aside(post: Post, error: Exception) -> Annotation:
    reason = f"{type(error).__name__}: {error}"
    log.error("post %s cannot be annotated and is set aside", post.id, exc_info=error)
    return Annotation(post.id, None, "fast", None, None, dict.fromkeys(TAGS), error=reason)


def _for_world(annotation: Annotation, world: World) -> Annotation:
    """Stamp the configuration; without a legal basis for public-order tagging, that score is never written."""
    if world.bundle.public_order is None:
        tags = {**annotation.tags, "public_order_threat": None}
        labels = tuple(label for label in annotation.labels if label != "public_order_threat")
        annotation = replace(annotation, tags=tags, labels=labels)
    return replace(annotation, config_version=world.version)
