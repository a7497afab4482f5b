"""Lines of the corpus become posts, or faults that say where and what to do."""

import pytest
from written_kit import corpus, crisis, ordinary, told

from nlp.training import sources
from nlp.training.written.marks import BadMark, escape, unmark
from nlp.training.written.read import groups, read_corpus


def test_marks_leave_plain_text_and_spans_in_code_points():
    read = unmark("🔥🔥 à [Saint-Aubin|commune|event] : {au moins 2 blessés|injured|at_least|2}, [A813|road|direction]")
    assert read.text == "🔥🔥 à Saint-Aubin : au moins 2 blessés, A813"
    shown = [(read.text[p.start : p.end], p.level, p.role) for p in read.locations]
    assert shown == [("Saint-Aubin", "commune", "event"), ("A813", "road", "direction")]
    (number,) = read.quantities
    assert (number.kind, number.op, number.value) == ("injured", "at_least", 2.0)
    assert read.text[number.start : number.end] == "au moins 2 blessés"


@pytest.mark.parametrize("text", ["un [crochet] {et} une | barre", r"c:\temp", "rien"])
def test_escaped_letters_come_back_as_they_were(text):
    assert unmark(escape(text)).text == text


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ("[Rennes|commune]", "is not"),
        ("[Rennes|ville|event]", "is no level"),
        ("[Rennes|commune|there]", "is no role"),
        ("[Rennes |commune|event]", "a space"),
        ("{2 morts|dead|exactly|deux}", "no number"),
        ("{2 morts|dead|exact|2}", "is no op"),
        ("[Rennes {2|dead|exactly|2}|commune|event]", "inside another"),
        ("[Rennes|commune|event", "never closed"),
        ("Rennes] ici", "not opened"),
        ("ici | là", "outside"),
    ],
)
def test_a_bad_mark_is_named_with_its_reason(marked, reason):
    with pytest.raises(BadMark, match=reason):
        unmark(marked)


def test_defaults_are_filled_in(tmp_path):
    _, calm = corpus(tmp_path, crisis(), ordinary()).posts
    assert (calm.register, calm.about, calm.need, calm.source, calm.tags) == (
        "plain",
        0,
        "not_humanitarian",
        "other",
        (),
    )


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"voice": "witness"}, "voice"),
        ({"hazard": "fires"}, "hazard"),
        ({"need": None}, "need"),
        ({"source": None}, "source"),
        ({"tags": ["alert"]}, "tags"),
        ({"tags": "rumour"}, "tags"),
        ({"urgency": 0.6}, "urgency"),
        ({"about": True}, "about"),
        ({"refuted": 1}, "refuted"),
        ({"minute": -1}, "minute"),
        ({"id": "x1"}, "id"),
        ({"id": "t-fr-0001"}, "id"),
        ({"id": "r01-a-en-0001"}, "id"),
        ({"text": " "}, "text"),
        ({"text": "[Rennes"}, "text"),
        ({"mood": "sad"}, "mood"),
    ],
)
def test_a_fault_names_file_line_key_and_what_to_do(tmp_path, changed, key):
    read = corpus(tmp_path, ordinary(), crisis(**changed))
    (fault,) = [fault for fault in read.faults if fault.level == "error"]
    assert (fault.file, fault.line, fault.key) == ("train/r01-a.jsonl", 2, key)
    assert fault.message
    assert fault.advice


def test_a_line_that_is_no_json_is_a_fault_and_the_rest_is_read(tmp_path):
    corpus(tmp_path, crisis(), ordinary())
    path = tmp_path / "train" / "r01-a.jsonl"
    path.write_bytes(b"{nothing\n[1]\n" + path.read_bytes())
    read = read_corpus(tmp_path)
    assert ([fault.line for fault in read.faults], len(read.posts)) == ([1, 2], 2)


def test_keys_out_of_order_are_a_warning(tmp_path):
    shuffled = dict(reversed(crisis().items()))
    (fault,) = corpus(tmp_path, shuffled).faults
    assert (fault.level, told([fault])) == ("warning", [])


def test_a_neighbour_belongs_to_the_hazard_of_its_crisis(tmp_path):
    read = corpus(tmp_path, crisis(), ordinary(), crisis(id="r01-a-fr-0003", neighbour=None, group="gas"))
    assert list(groups(read.posts).values()) == ["fire", "fire", "gas"]


def test_training_reads_the_training_part_only(tmp_path):
    test = (crisis(id="t-fr-0001", text="la falaise est sur la route", neighbour=None),)
    corpus(tmp_path, crisis(), ordinary(), test=test)
    learnt = sources.corpus(tmp_path)
    assert [one.text[:9] for one in learnt] == ["ça brûle ", "ça danse "]
    assert learnt[0].labels["emerging_incident"] == 1
    assert learnt[0].names["source"] == "eyewitness"
    assert {one.group for one in learnt} == {"corpus:fire"}
