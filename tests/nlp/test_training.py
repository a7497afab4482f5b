"""The project's corpus and the training that reads it."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from scipy.sparse import csr_matrix

from nlp import heads as model
from nlp.heads import Heads
from nlp.language import languages
from nlp.training import fit, sources, train
from nlp.training.figures import share

ENOUGH = 1_400
"""Posts of the corpus that are fitted on here: a head needs no more to show what it does."""


def heads(weights: np.ndarray, bias: float = 0.0, scale: tuple[tuple[float, ...], ...] = ()) -> Heads:
    """Heads named a, b, … of these weights."""
    count = weights.shape[1]
    lines = np.array(scale or [[1.0] * count] * 3, np.float32)
    limits = {"a": {"fr": 0.5, "en": 0.6, "other": 0.7}}
    names = tuple("abcdef"[:count])
    return Heads(names, weights, np.full(count, bias, np.float32), lines, np.zeros_like(lines), limits)


@pytest.fixture(scope="module")
def small() -> fit.Data:
    return fit.prepare(sources.corpus()[:ENOUGH], languages())


@pytest.fixture(scope="module")
def shared() -> Path:
    try:
        return sources.shared_data()
    except FileNotFoundError as error:
        pytest.skip(f"no real posts to read: {error}")


def test_weights_balance_positives_and_negatives_within_a_language(small: fit.Data):
    wanted = fit.targets(small, "about")
    weights = fit.weights(small, wanted, np.arange(len(wanted)))
    for lang in ("fr", "en"):
        masses = [weights[(small.langs == lang) & (wanted == label)].sum() for label in (0, 1)]
        assert masses[0] == pytest.approx(masses[1], rel=0.01)


def test_two_fits_with_one_seed_are_the_same_bytes(small: fit.Data, tmp_path: Path):
    files = []
    for name in ("a", "b"):
        coefficients, intercept = fit.fit(small, "about", np.arange(len(small.examples)))
        made = heads(coefficients[:, None].astype(np.float32), bias=intercept)
        (tmp_path / name).mkdir()
        model.save(made, tmp_path / name)
        files.append([(tmp_path / name / file).read_bytes() for file in ("heads.npz", "heads.json")])
    assert files[0] == files[1]


def test_saved_heads_come_back_within_the_step_of_their_packing(tmp_path: Path):
    weights = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    model.save(heads(weights, scale=((1, 2), (3, 4), (5, 6))), tmp_path)
    back = model.heads(tmp_path)
    assert np.abs(back.weights - weights).max() < np.abs(weights).max() / 1000
    assert (back.names, back.line("b", "en")) == (("a", "b"), (4.0, 0.0))


def test_a_post_is_weighed_and_labelled_as_its_language_asks():
    made = heads(np.zeros((4, 1), np.float32), scale=((1,), (2,), (3,)))
    assert made.log_odds(np.ones((3, 1), np.float32), ["en", "it", "fr"]).ravel().tolist() == [2.0, 3.0, 1.0]
    assert [made.threshold("a", lang) for lang in ("fr", "en", "pt")] == [0.5, 0.6, 0.7]


def test_what_every_post_shows_counts_for_nothing_and_what_few_show_for_more():
    rare = fit.rarity(csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 1], [1, 1, 0]], np.float32)))
    assert rare[0] == 0 < rare[1] < rare[2]


def test_the_limit_of_a_language_is_what_its_ordinary_posts_reach_and_the_strictest_where_it_has_none():
    told = [
        ("background_fr", "fr", 2.0),
        ("background_fr", "fr", 1.0),
        ("hate_threat", "en", 3.0),
        ("corpus", "en", 9.0),
    ]
    examples = [sources.Example("", "", source, {}) for source, *_ in told]
    langs = np.array([lang for _, lang, _ in told])
    data = fit.Data(examples, csr_matrix((4, 1)), langs, langs)
    found = train.limits(data, np.array([score for *_, score in told]), 0.0)
    assert found == {"fr": 0.8808, "en": 0.9526, "other": 0.9526}


def test_a_head_fitted_on_the_corpus_tells_its_sides_apart(small: fit.Data):
    scores = fit.out_of_fold(small, "about", folds=3)
    wanted = fit.targets(small, "about")
    assert np.mean(scores[wanted == 1]) > np.mean(scores[wanted == 0]) + 0.25


def test_the_halves_of_the_background_do_not_overlap(shared: Path):
    seen = {example.text for example in sources.background(shared)}
    unseen = {example.text for example in sources.background(shared, half="unseen")}
    assert not seen & unseen
    assert abs(len(seen) - len(unseen)) < 5_000


def test_held_out_sources_are_never_learnt_from():
    learnt = orjson.loads((model.FOLDER / "manifest.json").read_bytes())["sources"]
    assert set(learnt) == set(sources.LICENCES)
    assert not {"humaid", "idrisi_lmr", "germeval"} & set(learnt)


def test_a_share_of_nothing_still_has_an_upper_bound():
    assert share("ordinary", "fr", "labelled", 0, 1000).high == pytest.approx(0.0037, abs=1e-4)
