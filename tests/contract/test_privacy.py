"""What must never be written down: texts of posts and who wrote them in the ledger, account ids anywhere."""

import json

import pytest

from config.settings import ROOT
from config.world import World
from desk.replay import replay
from store import codec, ledger
from store import posts as kept

AUTHORS = [f"account-{n}-of-somebody" for n in range(6)]


@pytest.fixture(scope="module")
def stored(posts, tmp_path_factory):
    """The ledger as JSON, the posts, and every byte of the database, after the five stages."""
    file = tmp_path_factory.mktemp("privacy") / "in.jsonl"
    said = [post | {"author": author} for post, author in zip(posts, AUTHORS, strict=False)]
    file.write_text("".join(json.dumps(post) + "\n" for post in said), encoding="utf-8")
    with replay([file], World.load(ROOT / "config" / "catch-all")) as played:
        db = played.stages.db
        with db.read() as conn:
            lines = ledger.entries(conn, limit=1000)
            found = kept.get(conn, [f"file:{post['id']}" for post in said])
            dump = "\n".join(conn.connection.driver_connection.iterdump())
    assert {"routed", "delivery.sent"} <= {line.kind for line in lines}
    return codec.dumps(lines).decode(), list(found.values()), dump


def test_the_ledger_holds_no_three_words_of_any_post(stored):
    lines, found, _ = stored
    words = [post.text.split() for post in found]
    assert len(words) == len(AUTHORS)
    runs = {" ".join(each[at : at + 3]) for each in words for at in range(len(each) - 2)}
    assert [run for run in runs if run in lines] == []


def test_the_ledger_holds_no_hash_of_an_author(stored):
    lines, found, _ = stored
    hashes = [post.author for post in found]
    assert all(hashes)
    assert [one for one in hashes if one in lines] == []


def test_no_account_id_is_stored_anywhere(stored):
    _, found, dump = stored
    assert found[0].text in dump
    assert [author for author in AUTHORS if author in dump] == []
