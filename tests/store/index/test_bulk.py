import pytest

from store.index.bulk import Action, Missing, send
from store.index.cluster import connect
from store.index.families import POSTS
from store.index.generations import Generation
from store.index.setup import ensure, existing, foreign, install

FIRST = Generation(1)
TEXTS = {"p1": "Épaisse fumée au port", "p2": "Le quai est inondé", "p3": "Smoke over the flooded quay"}


def put(index, id, version, **body):
    return Action(index, id, version, {"id": id, "created_at": "2026-03-02T12:00:00Z", **body})


@pytest.fixture
def client(cluster):
    with connect(cluster) as client:
        install(client, cluster)
        yield client


@pytest.fixture
def index(client, cluster):
    (name,) = ensure(client, cluster, POSTS, FIRST, ["2026.03"])
    return name


def found(client, index, field, words):
    client.indices.refresh(index=index)
    hits = client.search(index=index, query={"match": {field: words}})["hits"]["hits"]
    return sorted(hit["_id"] for hit in hits)


def test_templates_that_are_there_are_left_alone(client, cluster):
    assert install(client, cluster) == []


def test_indices_are_made_once_and_the_alias_leads_to_the_live_ones(client, cluster, index):
    assert ensure(client, cluster, POSTS, FIRST, ["2026.03"]) == [index]
    (built,) = ensure(client, cluster, POSTS, Generation(1, 1), ["2026.03"], live=False)
    assert existing(client, cluster, POSTS) == {index: True, built: False}
    assert foreign(client, index, POSTS) is None


def test_an_index_that_somebody_else_made_has_not_our_mapping(client, cluster):
    position = {"position": {"type": "keyword"}}
    client.indices.create(index=f"{cluster.prefix}-z", mappings={"properties": position})
    assert "another kind of field position" in str(foreign(client, f"{cluster.prefix}-z", POSTS))


def test_words_are_found_without_accents_and_by_their_stem(client, index):
    assert send(client, [put(index, id, 1, text=text) for id, text in TEXTS.items()]).accepted == 3
    assert found(client, index, "text", "fumee") == ["p1"]
    assert found(client, index, "text.fr", "inondations") == ["p2"]
    assert found(client, index, "text.en", "floods") == ["p3"]


def test_an_old_write_never_beats_a_newer_one_and_the_same_one_may_come_again(client, index):
    send(client, [put(index, "p1", 7, text="neuf")])
    sent = send(client, [put(index, "p1", 6, text="vieux"), put(index, "p1", 7, text="neuf")])
    assert (sent.accepted, sent.stale, sent.refused) == (1, 1, [])
    send(client, [Action(index, "p1", 9, None)])
    assert send(client, [put(index, "p1", 8, text="vieux")]).stale == 1
    assert found(client, index, "text", "neuf vieux") == []


def test_deleting_what_was_never_there_is_done(client, index):
    assert send(client, [Action(index, "p9", 3, None)]).accepted == 1


def test_a_document_that_cannot_be_indexed_is_refused_with_its_reason_and_the_rest_goes_on(client, index):
    wrong = [put(index, "a", 1, colour="red"), put(index, "b", 1, position={"lat": 123, "lon": 0})]
    wrong += [put(index, "c" * 600, 1), put(index, "", 1)]
    sent = send(client, [*wrong, put(index, "p1", 1)])
    assert sent.accepted == 1
    reasons = {one.id[:1]: one.reason for one in sent.refused}
    assert "colour" in reasons["a"]
    assert "latitude" in reasons["b"]
    assert "bytes" in reasons["c"]
    assert "bytes" in reasons[""]


def test_no_write_makes_an_index_and_the_one_that_lacks_is_named(client, index):
    with pytest.raises(Missing, match=r"2026\.04"):
        send(client, [put(index, "p1", 1), put(index.replace(".03", ".04"), "p2", 1)])
