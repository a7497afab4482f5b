"""Two readings of the same posts are compared field by field, as Krippendorff does it."""

import math

import orjson
import pytest
from click.testing import CliRunner
from written_kit import corpus, crisis, ordinary

from desk.commands.corpus import command
from nlp.training.written import alpha
from nlp.training.written.agreement import agreements, second
from nlp.training.written.blind import blind, blind_id
from nlp.training.written.card import kept

FOUR = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3),
    (None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None),
)
"""Krippendorff's example of four observers, twelve units and missing answers."""


def test_alpha_of_two_observers_and_two_values_is_the_published_one():
    first, again = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0), (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    assert alpha.alpha(list(zip(first, again, strict=True))) == pytest.approx(0.095, abs=0.0005)


def test_alpha_of_two_observers_and_five_values_is_the_published_one():
    units = list(zip("aabbdcccedda", "babbbcccEddd".lower(), strict=True))
    assert alpha.alpha(units) == pytest.approx(0.692, abs=0.0005)


@pytest.mark.parametrize(("distance", "published"), [(alpha.nominal, 0.743), (alpha.ordinal, 0.815)])
def test_alpha_with_missing_answers_is_the_published_one(distance, published):
    assert alpha.alpha(list(zip(*FOUR, strict=True)), distance) == pytest.approx(published, abs=0.0005)


def test_alpha_of_a_field_that_never_varies_is_not_a_number():
    assert math.isnan(alpha.alpha([("fire", "fire"), ("fire", "fire")]))


def test_the_interval_lies_around_alpha():
    codes, values = alpha.coded([("a", "a"), ("b", "b"), ("a", "b"), ("b", "b"), ("a", "a"), ("b", "a")] * 10)
    low, high = alpha.interval(codes, values)
    assert low < alpha.alpha_of(codes, values) < high


@pytest.fixture
def posts(tmp_path):
    return corpus(tmp_path, crisis(), ordinary()).posts


def written(tmp_path, *rows):
    path = tmp_path / "second.jsonl"
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    return path


def test_a_blind_text_tells_neither_label_nor_neighbour(posts):
    lines = blind(posts, seed=1)
    assert {line["text"] for line in lines} == {one.text for one in posts}
    assert all(set(line) == {"id", "lang", "text"} and "r01" not in line["id"] for line in lines)


def test_a_second_reading_is_matched_by_either_id_and_filled_with_defaults(posts, tmp_path):
    path = written(tmp_path, {"id": blind_id(posts[0].id), "about": 1, "need": "caution_and_advice", "source": "media"},
                   {"id": posts[1].id})  # fmt: skip
    pairs, faults = second(path, posts)
    assert faults == []
    assert [(first.id, again.need, again.relevance) for first, again in pairs] == [
        ("r01-a-fr-0001", "caution_and_advice", 0),
        ("r01-a-fr-0002", "not_humanitarian", 0),
    ]


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"id": "nobody"}, "id"),
        ({"id": "r01-a-fr-0001", "mood": 1}, "mood"),
        ({"id": "r01-a-fr-0001", "hazard": "fires"}, "hazard"),
        ({"id": "r01-a-fr-0001", "text": "another text"}, "text"),
    ],
)
def test_a_bad_line_of_a_second_reading_is_named(posts, tmp_path, row, key):
    _, faults = second(written(tmp_path, row), posts)
    assert [(fault.file, fault.line, fault.key) for fault in faults] == [("second.jsonl", 1, key)]


def test_every_field_is_told_with_what_differs(posts, tmp_path):
    again = crisis(hazard="explosion", text=posts[0].marked.replace("|event]", "|mention]"))
    kept = {key: again[key] for key in again if key not in ("lang", "voice", "neighbour")}
    path = written(tmp_path, kept, {"id": posts[1].id, "text": posts[1].marked})
    told = {one.field: one for one in agreements(second(path, posts)[0])}
    assert told["about"].alpha == 1
    assert told["hazard"].differ == (("fire", "explosion", 1),)
    assert told["places"].differ == (("street/event", "street/mention", 3),)
    assert (told["quantities"].alpha, told["place level"].same) == (1, 1)


def test_the_command_compares_a_labelling_of_the_blind_texts(tmp_path):
    test = (crisis(id="t-fr-1", neighbour="t-fr-2"), ordinary(id="t-fr-2", neighbour="t-fr-1"))
    corpus(tmp_path / "corpus", test=test)
    given = CliRunner().invoke(command, ["blind", "--corpus", str(tmp_path / "corpus")])
    ids = {line["text"][:8]: line["id"] for line in map(orjson.loads, given.output.splitlines())}
    labels = {"id": ids["ça brûle"], "about": 1, "need": "injured_or_dead_people", "source": "other"}
    path = written(tmp_path, labels, {"id": ids["ça danse"]})
    done = CliRunner().invoke(command, ["agreement", str(path), "--corpus", str(tmp_path / "corpus"), "--json"])
    assert done.exit_code == 1
    rows = {row["field"]: row for row in map(orjson.loads, done.output.splitlines())}
    assert (rows["about"]["alpha"], rows["source"]["same"], rows["relevance"]["units"]) == (1.0, 0.5, 2)


def asked(tmp_path, *options):
    test = (crisis(id="t-fr-1", neighbour="t-fr-2"), ordinary(id="t-fr-2", neighbour="t-fr-1"))
    corpus(tmp_path / "corpus", test=test)
    path = written(tmp_path, {"id": "t-fr-1", "about": 1, "hazard": "fire"}, {"id": "t-fr-2"})
    return CliRunner().invoke(command, ["agreement", str(path), "--corpus", str(tmp_path / "corpus"), *options])


def test_a_field_that_was_read_later_is_kept_beside_those_read_before(tmp_path):
    for field in ("about", "hazard"):
        asked(tmp_path, "--keep", "--field", field)
    assert [one["field"] for one in kept("agreement", tmp_path / "corpus")["figures"]] == ["about", "hazard"]


def test_a_field_that_does_not_exist_is_told(tmp_path):
    done = asked(tmp_path, "--field", "mood")
    assert done.exit_code == 2
    assert "no such field: mood" in done.output
