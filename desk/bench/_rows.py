"""A database to feed an index from: posts from the project's own texts, as they are kept and understood."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random

from desk.bench._posts import invented
from store import annotations as understood
from store import posts
from store.database import Database
from store.records import Annotation, Location, Post, Quantity, Scored

AT_ONCE = 500
WHY = ("fumée noire", "sirènes", "évacués")
TAGS = ("rumour", "public_order_threat", "emerging_incident")


def filled(folder: Path, number: int, draw: Random) -> Database:
    """A new database of ``number`` posts, each understood, a tenth of them with all that can be understood."""
    db = Database.open(f"sqlite:///{folder / 'bench.db'}")
    all_of_them = made(number, draw)
    for start in range(0, number, AT_ONCE):
        some = all_of_them[start : start + AT_ONCE]
        with db.write() as conn:
            posts.add(conn, some)
            understood.put(conn, [understanding(post, draw) for post in some])
    return db


def made(number: int, draw: Random, now: datetime | None = None) -> list[Post]:
    """Posts as they are kept; ``now`` (UTC) is when all were written and came, else they are of one invented day."""
    return [
        Post(
            f"file:{one.native_id}", "file", one.text, now or one.created_at, now or one.created_at, lang="fr",
            author=f"{draw.getrandbits(128):032x}", filters=("feu", "crue"), status="Exercise", config_version="0" * 12,
        )
        for one in invented(number, draw)
    ]  # fmt: skip


def understanding(post: Post, draw: Random) -> Annotation:
    """What may have been understood of a post; nothing of public order."""
    about = round(draw.random(), 4)
    tags = dict(zip(TAGS, (round(draw.random(), 4), 0.0, about), strict=True))
    if draw.random() > 0.1:
        return Annotation(post.id, "fr", "fast", about, about, tags, urgency=0.1, config_version=post.config_version)
    where = Location(
        "Cholet", 0, 6, "Cholet", "commune", lat=47.06, lon=-0.88, radius_m=5200.0, country="FR", departement="49",
        insee="49099", confidence=0.9,
    )  # fmt: skip
    return Annotation(
        post.id, "fr", "full", about, about, tags, ("emerging_incident",), Scored("fire", about),
        Scored("injured_or_dead_people", about), 0.8, "eyewitness", None, "now",
        quantities=(Quantity("injured", "at_least", 2, 40, 49),), locations=(where,), why=WHY,
        config_version=post.config_version,
    )  # fmt: skip
