"""Each check of the corpus says what is wrong, and is silent where nothing is."""

import random

import pytest
from written_kit import corpus, crisis, ordinary, told

from nlp.training.written import copies, coverage, freeze, growth, privacy, style, unseen

SYLLABLES = ("ra", "mi", "to", "len", "vu", "che", "pon", "dra", "sil", "or")


def words(draw: random.Random, count: int = 12) -> str:
    return " ".join("".join(draw.choices(SYLLABLES, k=draw.randrange(2, 4))) for _ in range(count))


def test_a_hazard_of_the_test_part_is_a_fault_in_training(tmp_path):
    read = corpus(tmp_path, crisis(hazard="avalanche"), ordinary(group="drowning"))
    assert told(unseen.check(read).faults) == ["hazard", "group"]


@pytest.mark.parametrize("text", ["quelle avalanche de messages", "quel rançongiciel", "Cyber-attaque à la mairie"])
def test_a_word_of_such_a_hazard_is_a_fault_in_training_however_harmless(tmp_path, text):
    assert told(unseen.check(corpus(tmp_path, crisis(), ordinary(text=text))).faults) == ["text"]


@pytest.mark.parametrize("text", ["plus de courant depuis ce matin", "le chien dort", "une lame de fond électorale"])
def test_a_word_that_mostly_means_something_else_is_none(tmp_path, text):
    assert unseen.check(corpus(tmp_path, crisis(), ordinary(text=text))).ok


def test_the_test_part_may_use_these_words_and_must_show_these_hazards(tmp_path):
    test = (crisis(id="t-fr-1", hazard="avalanche", text="une avalanche a tout pris"),)
    found = unseen.check(corpus(tmp_path, test=test))
    assert len(found.faults) == len(unseen.unseen().hazards) - 1


@pytest.mark.parametrize(
    "text",
    [
        "demandez Martine Dubois à l'accueil",
        "appelez le 06 12 34 56 78",
        "call +44 20 7946 0958 now",
        "le feu est au 12 rue des Lilas",
        "smoke at 14 Mill Lane",
        "écrivez à secours@exemple.fr",
    ],
)
def test_what_could_lead_to_a_real_person_is_a_fault(tmp_path, text):
    assert told(privacy.check(corpus(tmp_path, crisis(text=text))).faults) == ["text"]


@pytest.mark.parametrize(
    "text",
    [
        "rue [Victor Hugo|street|event] ça brûle",
        "les pompiers sont 12, rue bloquée",
        "12 500 000 euros de dégâts, PR 112 à 14h30 le 12/03/2026",
        "Marché de Noël, Rose est arrivée",
        "on est au 3e, https://t.co/0123456789",
    ],
)
def test_what_only_looks_like_it_is_none(tmp_path, text):
    assert privacy.check(corpus(tmp_path, crisis(text=text))).faults == ()


def test_texts_that_share_most_of_their_letters_are_near_copies(tmp_path):
    base = "la rivière passe par dessus le pont des tanneurs et le quai est noir de monde depuis midi"
    rows = [
        crisis(id=f"r01-a-fr-{i}", neighbour=None, text=text)
        for i, text in enumerate((base, base + " !!", "autre chose"))
    ]
    (copy,) = copies.near_copies(corpus(tmp_path, *rows).posts)
    assert (copy.first.id, copy.second.id) == ("r01-a-fr-0", "r01-a-fr-1")
    assert copy.overlap > 0.9


def test_neighbours_and_posts_of_one_story_may_be_near_copies(tmp_path):
    base = "le quai est noir de monde depuis midi et la rivière passe par dessus le pont"
    pair = [crisis(text=base), ordinary(text=base + " en chocolat")]
    story = [
        crisis(id=f"r01-a-fr-9{i}", neighbour=None, story="s1", minute=1, author="a1", text="alerte feu " * 9)
        for i in "12"
    ]
    assert copies.near_copies(corpus(tmp_path, *pair, *story).posts) == []


def test_a_near_copy_of_a_test_post_in_training_fails(tmp_path):
    base = "la rivière passe par dessus le pont des tanneurs et le quai est noir de monde depuis midi"
    read = corpus(tmp_path, crisis(text=base), test=(crisis(id="t-fr-1", text=base + "…"),))
    found = copies.check(read)
    assert (found.ok, found.figures["between the parts"]) == (False, 1)


def test_signatures_agree_as_often_as_shingles_overlap():
    first, second = (
        copies.shingles("le pont est tombé cette nuit"),
        copies.shingles("le pont est tombé cette nuit là bas"),
    )
    signed = copies.signatures([first, second])
    assert (signed[0] == signed[1]).mean() == pytest.approx(len(first & second) / len(first | second), abs=0.15)


def test_values_that_no_post_says_are_named(tmp_path):
    missing = {(fault.key, fault.message) for fault in coverage.check(corpus(tmp_path, crisis(), ordinary())).faults}
    assert ("hazard", "no post of flood") in missing
    assert ("register", "no post with quebec") in missing
    assert ("level", "no post with street") not in missing
    assert ("hazard", "no post of avalanche") not in missing


def test_tables_count_posts_by_hazard_and_voice(tmp_path):
    table = coverage.tables(corpus(tmp_path, crisis(), ordinary()).posts, "train")[0]
    row = next(row for row in table.rows if row[0] == "fire")
    assert (row[table.columns.index("eyewitness")], row[-1]) == (1, 1)


def test_the_test_part_is_frozen_once_and_a_change_shows(tmp_path):
    corpus(tmp_path, test=(crisis(id="t-fr-1"),))
    assert freeze.check(tmp_path).ok is None
    freeze.freeze(tmp_path)
    assert freeze.check(tmp_path).ok
    with pytest.raises(freeze.AlreadyFrozen):
        freeze.freeze(tmp_path)
    corpus(tmp_path, test=(crisis(id="t-fr-2"),))
    assert freeze.check(tmp_path).ok is False


def test_nothing_is_frozen_without_posts(tmp_path):
    with pytest.raises(FileNotFoundError):
        freeze.freeze(tmp_path)


def styled(folder, mark: str):
    draw = random.Random(7)
    rows = []
    for i in range(style.LEAST + 5):
        first, second = f"r01-a-fr-{i}a", f"r01-a-fr-{i}b"
        rows.append(crisis(id=first, neighbour=second, text=words(draw) + mark))
        rows.append(ordinary(id=second, neighbour=first, text=words(draw)))
    return corpus(folder, *rows)


def test_a_sign_that_only_crisis_posts_bear_is_found_by_style_alone(tmp_path):
    found = style.check(styled(tmp_path, " !!!"))
    assert found.ok is False
    assert found.figures["train fr"]["punctuation"] > 0.9


def test_crisis_and_ordinary_posts_of_one_style_are_not_told_apart(tmp_path):
    assert style.check(styled(tmp_path, "")).figures["train fr"]["linear"] < 0.7


def test_too_few_pairs_are_not_measured(tmp_path):
    assert style.check(corpus(tmp_path, crisis(), ordinary())).ok is None


def test_posts_that_all_open_alike_fail_beside_real_ones(tmp_path):
    draw = random.Random(3)
    rows = [crisis(id=f"r01-a-fr-{i}", neighbour=None, text=f"alerte incendie {words(draw)}") for i in range(30)]
    real = [words(draw) for _ in range(200)]
    found = growth.check(corpus(tmp_path, *rows), real)
    assert (found.ok, found.figures["written"]["distinct"]) == (False, pytest.approx(1 / 30, abs=1e-4))


def test_without_real_posts_the_comparison_is_not_made_and_says_so(tmp_path):
    found = growth.check(corpus(tmp_path, crisis(neighbour=None)), None)
    assert found.ok is None
    assert "VIGIE_SHARED_DATA" in found.told


def test_vocabulary_grows_by_words_that_were_not_there():
    assert growth.growth(["un deux trois quatre cinq"] * 400)[1_000] == 5


def test_one_post_of_each_pair_counts(tmp_path):
    posts = corpus(tmp_path, crisis(), ordinary(), crisis(id="r01-a-fr-0003", neighbour=None, text="seul")).posts
    assert len(growth.alone(posts)) == 2
