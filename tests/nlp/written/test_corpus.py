"""The corpus itself: what must hold of it each day, as far as that is quick to see."""

import pytest

from nlp.training.written import card, copies, coverage, freeze, privacy, unseen
from nlp.training.written.check import agreements, forms
from nlp.training.written.guide import FIELDS, lacking, read_guide
from nlp.training.written.read import CORPUS, Corpus, read_corpus


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus()


def wrong(finding) -> list[str]:
    return [str(fault) for fault in finding.faults if fault.level == "error"][:10]


@pytest.mark.parametrize("check", [forms, agreements, unseen.check, privacy.check], ids=lambda check: check.__module__)
def test_the_corpus_has_no_fault(corpus, check):
    assert wrong(check(corpus)) == []


def test_the_corpus_repeats_itself_in_fewer_than_one_post_of_fifty_and_its_parts_not_at_all(corpus):
    found = copies.check(corpus)
    assert found.ok, found.told


def test_the_corpus_leaves_no_row_of_its_tables_empty(corpus):
    assert wrong(coverage.check(corpus)) == []


def test_the_test_part_is_what_was_frozen():
    found = freeze.check()
    assert found.ok is not False, found.told


def test_the_corpus_has_both_languages_and_every_tag(corpus):
    told = [one for one in corpus.part("train") if one.crisis]
    assert {one.lang for one in told} == {"fr", "en"}
    assert {tag for one in told for tag in one.tags} == {"emerging_incident", "public_order_threat", "rumour"}


def test_every_example_of_the_guide_reads_in_the_format_and_its_labels_agree():
    _, faults = read_guide()
    assert [str(fault) for fault in faults] == []


def test_every_value_of_every_list_has_five_easy_and_five_hard_examples_in_both_languages():
    examples, _ = read_guide()
    assert lacking(examples) == []


def test_no_example_of_the_guide_shows_what_only_the_test_part_may_show():
    examples, _ = read_guide()
    posts = [one.post for one in examples]
    assert [one.id for one in posts if one.hazard in unseen.unseen().hazards or unseen.words(one.text, one.lang)] == []


def test_the_guide_has_a_place_for_the_examples_of_each_value():
    text = (CORPUS / "GUIDE.md").read_text(encoding="utf-8")
    assert [(f, v) for f, (values, _) in FIELDS.items() for v in values if f"<!-- {f} {v} -->" not in text] == []


def test_the_guide_and_the_card_hold_what_the_corpus_gives():
    advice = "run `vigie corpus card`"
    assert (CORPUS / "GUIDE.md").read_text(encoding="utf-8") == card.guide(), advice
    assert (CORPUS / "CARD.md").read_text(encoding="utf-8") == card.card(), advice
