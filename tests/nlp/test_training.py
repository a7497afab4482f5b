"""The project's corpus and the training that reads it."""

from pathlib import Path

import numpy as np
import pytest

from nlp import heads as model
from nlp.heads import Heads
from nlp.language import languages
from nlp.training import fit, sources
from nlp.training.evaluate import share

ENOUGH = 1_400
"""Posts of the corpus that are fitted on here: a head needs no more to show what it does."""


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
        one = np.ones(1, np.float32)
        made = Heads(("about",), coefficients[:, None].astype(np.float32), one * intercept, one, one, {"about": 0.5})
        (tmp_path / name).mkdir()
        model.save(made, tmp_path / name)
        files.append([(tmp_path / name / file).read_bytes() for file in ("heads.npz", "heads.json")])
    assert files[0] == files[1]


def test_saved_heads_come_back_within_the_step_of_their_packing(tmp_path: Path):
    weights = np.random.default_rng(0).normal(size=(64, 2)).astype(np.float32)
    zero = np.zeros(2, np.float32)
    model.save(Heads(("a", "b"), weights, zero, zero, zero, {"a": 0.5}, {"a": 0.9}), tmp_path)
    back = model.heads(tmp_path)
    assert np.abs(back.weights - weights).max() < np.abs(weights).max() / 1000
    assert (back.names, back.steps) == (("a", "b"), {"a": 0.9})


def test_a_head_fitted_on_the_corpus_tells_its_sides_apart(small: fit.Data):
    scores = fit.out_of_fold(small, "about", folds=3)
    wanted = fit.targets(small, "about")
    assert np.mean(scores[wanted == 1]) > np.mean(scores[wanted == 0]) + 0.3


def test_the_halves_of_the_background_do_not_overlap(shared: Path):
    seen = {example.text for example in sources.background(shared)}
    unseen = {example.text for example in sources.background(shared, half="unseen")}
    assert not seen & unseen
    assert abs(len(seen) - len(unseen)) < 5_000


def test_held_out_sources_are_never_learnt_from(shared: Path):
    assert {example.source for example in sources.everything(shared)} == set(sources.LICENCES)
    assert not {"humaid", "idrisi_lmr", "germeval"} & set(sources.LICENCES)


def test_a_share_of_nothing_still_has_an_upper_bound():
    assert share("ordinary", "fr", "labelled", 0, 1000).high == pytest.approx(0.0037, abs=1e-4)
