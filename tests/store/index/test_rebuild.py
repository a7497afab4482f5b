"""A new generation is built beside the one that is asked, whatever happens meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store import changes, incidents, posts
from store.index import generations, setup
from store.index.cluster import connect
from store.index.families import FAMILIES, POSTS
from store.index.generations import Generation, Standing
from store.index.rebuild import ASKED, Builder


@pytest.fixture
def client(cluster):
    with connect(cluster) as client:
        yield client


@pytest.fixture
def filled(db, make):
    with db.write() as conn:
        posts.add(conn, [make.post(n, created_at=make.post(1).created_at + timedelta(days=9 * n)) for n in range(7)])
        incidents.put(conn, [make.incident("i1")])
        changes.set_cursor(conn, "index", changes.latest(conn))
    return db


@pytest.fixture
def build(filled, cluster, clock, client):
    """Asks for a new generation of a family, and builds it in steps of three documents."""

    def build(family=POSTS, families=FAMILIES, at_each_step=lambda: None):
        with filled.write() as conn:
            generations.ask(conn, family, ASKED)
        run(Builder(filled, cluster, clock, at_once=3, families=families), client, at_each_step)

    return build


def run(builder, client, at_each_step=lambda: None):
    for _ in range(100):
        done = builder.step(client)
        at_each_step()
        if not done:
            return
    pytest.fail("the rebuild does not end")


def standing(db, family=POSTS):
    with db.read() as conn:
        return generations.standing(conn, family)


def asked(client, cluster, family=POSTS):
    """The ids that are found when the family is asked."""
    alias = family.alias(cluster.prefix)
    client.indices.refresh(index=f"{alias}-v*")
    return sorted(hit["_id"] for hit in client.search(index=alias, size=100)["hits"]["hits"])


def indices(client, cluster, family=POSTS):
    return sorted(setup.existing(client, cluster, family))


SEVEN = [f"file:{n}" for n in range(7)]


def test_a_new_generation_holds_everything_and_the_old_one_goes(build, filled, client, cluster):
    build()
    first = indices(client, cluster)
    build()
    assert asked(client, cluster) == SEVEN
    assert standing(filled) == Standing(Generation(1, 2))
    assert [name.replace("-r1-", "-r2-") for name in first] == indices(client, cluster)
    assert [name.rpartition("-")[2] for name in first] == ["2026.03", "2026.04"]


def test_while_it_is_built_every_document_is_found_at_every_step(build, client, cluster):
    build()
    seen = []
    build(at_each_step=lambda: seen.append(asked(client, cluster)))
    assert seen == [SEVEN] * len(seen)
    assert len(seen) > 3


def test_how_far_it_is_can_be_read_at_every_step(build, filled):
    seen = []
    build(at_each_step=lambda: seen.append((standing(filled).done, standing(filled).total)))
    assert seen[:3] == [(0, 7), (3, 7), (6, 7)]


def test_killed_after_any_step_another_process_goes_on(filled, client, cluster, clock):
    with filled.write() as conn:
        generations.ask(conn, POSTS, ASKED)
    steps = 0
    while Builder(filled, cluster, clock, at_once=3).step(client):
        steps += 1
    assert steps == 4
    assert asked(client, cluster) == SEVEN
    assert standing(filled) == Standing(Generation(1, 1))


def test_killed_between_the_alias_and_writing_it_down_nothing_is_built_twice(build, filled, client, cluster, clock):
    build()
    seen = []
    build(at_each_step=lambda: seen.append(standing(filled)))
    with filled.write() as conn:
        generations.put(conn, POSTS, seen[-3])
    assert Builder(filled, cluster, clock).step(client) == 0
    assert standing(filled) == Standing(Generation(1, 2))
    assert asked(client, cluster) == SEVEN


def test_an_index_that_goes_while_it_is_built_is_built_anew(build, filled, client, cluster):
    gone = []

    def lose():
        made = [name for name in indices(client, cluster) if "-r1-" in name]
        if made and not gone:
            client.indices.delete(index=made[0])
            gone.append(made[0])

    build(at_each_step=lose)
    assert gone
    assert asked(client, cluster) == SEVEN
    assert standing(filled).live.number > 1


def test_a_wish_that_comes_while_it_is_built_is_granted_afterwards(build, filled, client, cluster):
    wishes = [True]

    def wish():
        if standing(filled).done and wishes:
            wishes.clear()
            with filled.write() as conn:
                generations.ask(conn, POSTS, ASKED)

    build(at_each_step=wish)
    assert standing(filled) == Standing(Generation(1, 2))
    assert asked(client, cluster) == SEVEN


def test_a_family_without_documents_can_be_asked_all_the_same(build, client, cluster):
    build(family=FAMILIES[3])
    assert asked(client, cluster, FAMILIES[3]) == []


def test_a_mapping_of_a_later_version_is_built_by_itself_and_takes_over(build, filled, client, cluster, clock):
    build()
    raised = tuple(replace(one, version=2) if one is POSTS else one for one in FAMILIES)
    seen = []
    builder = Builder(filled, cluster, clock, at_once=3, families=raised)
    run(builder, client, lambda: seen.append(asked(client, cluster)))
    assert seen == [SEVEN] * len(seen)
    assert standing(filled) == Standing(Generation(2, 2))
    assert indices(client, cluster)[0] == f"{cluster.prefix}-posts-v2-r2-2026.03"
    assert run(Builder(filled, cluster, clock, families=raised), client) is None
    assert standing(filled) == Standing(Generation(2, 2))


def test_a_version_that_is_raised_again_while_it_is_built_is_begun_anew(build, filled, client, cluster, clock):
    build()
    second, third = (
        tuple(replace(one, version=number) if one is POSTS else one for one in FAMILIES) for number in (2, 3)
    )
    halfway = Builder(filled, cluster, clock, at_once=3, families=second)
    assert [halfway.step(client), halfway.step(client)] == [1, 3]
    run(Builder(filled, cluster, clock, families=third), client)
    assert standing(filled) == Standing(Generation(3, 3))
    assert asked(client, cluster) == SEVEN


def test_a_database_brought_back_from_a_copy_gets_a_new_generation(build, filled, client, cluster, clock):
    build()
    before = standing(filled)
    build()
    with filled.write() as conn:
        generations.put(conn, POSTS, before)
    run(Builder(filled, cluster, clock), client)
    assert standing(filled) == Standing(Generation(1, 3))
    assert asked(client, cluster) == SEVEN


def test_indices_of_others_are_left_alone(build, client, cluster):
    prefix = cluster.prefix
    others = {f"{prefix}-posts-v1-mine", f"{prefix}-postscript-v1-all", f"{prefix}2-posts-all"}
    for name in others:
        client.indices.create(index=name)
    build()
    assert others <= set(client.indices.get(index=f"{prefix}*"))
