"""The stage: changes of posts in, annotations and cursor out in one transaction."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import ROOT
from config.world import World
from nlp.annotate import Annotator, annotate_stage
from store import annotations, changes, posts
from store.database import Database
from store.records import Annotation, Post

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIRE = "Gros incendie à Cholet, fumée noire partout, trois blessés"


class Poisoned(Annotator):
    """Breaks on posts that hold the word poison."""

    def annotate(self, posts: Sequence[Post], *args: object, **more: object) -> list[Annotation]:  # type: ignore[override]
        if any("poison" in post.text for post in posts):
            raise ValueError("cannot be read")
        return super().annotate(posts, *args, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def annotator() -> Annotator:
    return Annotator()


@pytest.fixture(scope="module")
def world() -> World:
    return World.load(ROOT / "config" / "default")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}")
    yield opened
    opened.close()


def put(db: Database, *texts: str) -> list[str]:
    made = [
        Post(f"file:{n}", "file", text, NOON + timedelta(seconds=n), NOON + timedelta(seconds=n))
        for n, text in enumerate(texts)
    ]
    with db.write() as conn:
        return posts.add(conn, made)


def stage(db: Database, world: World, annotator: Annotator, limit: int = 512) -> int:
    return annotate_stage(db, world, annotator=annotator, clock=lambda: NOON, limit=limit)


def found(db: Database, ids: list[str]) -> dict[str, Annotation]:
    with db.read() as conn:
        return annotations.get(conn, ids)


def test_every_new_post_is_annotated_once(db: Database, world: World, annotator: Annotator):
    ids = put(db, FIRE, "bonne nuit tout le monde")
    assert (stage(db, world, annotator), stage(db, world, annotator)) == (2, 0)
    assert list(found(db, ids)) == ids


def test_small_batches_give_the_same_as_a_large_one(db: Database, world: World, annotator: Annotator, tmp_path: Path):
    texts = [FIRE, "bonne nuit", "explosion à Angers, des blessés", "mort de rire"]
    other = Database.open(f"sqlite:///{tmp_path / 'other.db'}")
    ids = put(db, *texts)
    put(other, *texts)
    while stage(db, world, annotator, limit=1):
        pass
    stage(other, world, annotator)
    assert found(db, ids) == found(other, ids)
    other.close()


def test_a_poison_post_is_set_aside_and_the_rest_goes_on(db: Database, world: World):
    ids = put(db, FIRE, "poison", FIRE)
    stage(db, world, Poisoned())
    made = found(db, ids)
    assert made[ids[1]].error == "ValueError: cannot be read"
    assert made[ids[0]].about is not None
    assert made[ids[2]].about is not None


def test_the_cursor_stands_at_the_last_change_read(db: Database, world: World, annotator: Annotator):
    put(db, FIRE, FIRE)
    stage(db, world, annotator, limit=1)
    with db.read() as conn:
        assert len(changes.after(conn, changes.cursor(conn, "annotate"), ("posts",), 10)) == 1


def test_a_deleted_post_is_passed_over(db: Database, world: World, annotator: Annotator):
    ids = put(db, FIRE)
    with db.write() as conn:
        posts.delete(conn, ids)
    assert stage(db, world, annotator) == 2
    assert found(db, ids) == {}


def test_without_a_legal_basis_public_order_is_not_scored(db: Database, annotator: Annotator, world: World):
    from dataclasses import replace

    bare = replace(world, bundle=world.bundle.model_copy(update={"public_order": None}))
    ids = put(db, "samedi on crame le commissariat, ramenez essence et mortiers, rdv 22h")
    stage(db, bare, annotator)
    made = found(db, ids)[ids[0]]
    assert made.tags["public_order_threat"] is None
    assert "public_order_threat" not in made.labels


def test_the_configuration_version_is_stamped(db: Database, world: World, annotator: Annotator):
    ids = put(db, FIRE)
    stage(db, world, annotator)
    assert found(db, ids)[ids[0]].config_version == world.version


def test_posts_that_matter_are_read_deeply_and_ordinary_ones_are_not(db: Database, world: World, annotator: Annotator):
    ids = put(db, FIRE, "trop hâte de voir la suite de la série ce week-end")
    stage(db, world, annotator)
    made = found(db, ids)
    assert [made[id].depth for id in ids] == ["full", "fast"]


def test_the_stage_looks_again_at_what_is_in_doubt_unless_too_much_waits(
    db: Database, world: World, annotator: Annotator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(Annotator, "annotate", lambda _, posts, depth, **more: asked.append(depth) or [])
    monkeypatch.setattr("nlp.annotate.BEHIND", 3)
    put(db, FIRE, FIRE, FIRE, FIRE)
    assert [stage(db, world, annotator, limit=2) for _ in range(3)] == [2, 2, 0]
    assert asked == ["words", "full"]
