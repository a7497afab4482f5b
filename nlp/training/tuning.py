"""Teaches the encoder's last layers what a crisis is, together with one linear head for everything told of posts.

On one core, so that the same posts and seed give the same weights. Not a part of what runs: the layers go into the
graph (:mod:`nlp.training.encoder`), the head into the second look (:mod:`nlp.second`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, starmap
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")  # sums in another order have other last bits

import jax
import jax.numpy as jnp
import optax

from nlp.features import Floats
from nlp.training.encoder import Layer

EPOCHS, TOGETHER, STEP = 2, 32, 12
"""How often every post is shown, how many at once, and to a multiple of how many pieces posts are filled up."""
RATE, HEAD_RATE, WARM, DECAY, NORM = 2e-4, 1e-3, 0.1, 0.01, 1.0
"""How fast layers and head learn at most, the share of steps until then, the pull to nothing, the longest step."""
DROPPED = 0.1
FAMILY, MOST = 0.3, 20.0
"""How much a family counts beside a head, and a post at most."""
SAMPLED = 8
"""One post in so many says how wide vectors are before anything is learnt."""
WIDE_HEAD = 32
"""Numbers of a vector that an attention head looks at."""
Rows = npt.NDArray[np.int64]
Report = Callable[[str], None]
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is taught: ``states`` (pieces, width) of each post; ``labels`` (posts, heads), -1 where a post does not say,
    with how much each ``counts``; ``classes``: family → its classes and, of each post, the class or -1."""

    states: Sequence[npt.NDArray[np.float16]]
    labels: npt.NDArray[np.int8]
    counts: Floats
    classes: Mapping[str, tuple[tuple[str, ...], Rows]]

    @property
    def names(self) -> tuple[str, ...]:
        """``family:class`` of each score that follows those of the heads."""
        return tuple(f"{family}:{name}" for family, (names, _) in self.classes.items() for name in names)

    @property
    def columns(self) -> tuple[slice, ...]:
        """Where the classes of each family stand among the scores."""
        ends = [*accumulate((len(names) for names, _ in self.classes.values()), initial=self.labels.shape[1])]
        return tuple(starmap(slice, pairwise(ends)))

    @property
    def width(self) -> int:
        """How many scores a post has."""
        heads: int = self.labels.shape[1]
        return heads + len(self.names)


@dataclass(frozen=True, slots=True)
class Taught:
    """The last layers, and the head on vectors (means over pieces before and after them): ``weights`` (2 × width,
    scores), ``bias`` (scores,)."""

    layers: list[Layer]
    weights: Floats
    bias: Floats

    def scores(self, states: Sequence[npt.NDArray[np.float16]]) -> Floats:
        """Of shape (posts, scores)."""
        return vectors(self.layers, states) @ self.weights + self.bias


def teach(
    layers: Sequence[Layer], lesson: Lesson, rows: Rows, *, seed: int = 0, report: Report = lambda _: None
) -> Taught:
    """Layers and head after they were shown the posts ``rows`` of a lesson."""
    before = vectors(layers, lesson.states[::SAMPLED])
    centre, spread = before.mean(0), before.std(0) + 1e-6
    params: Params = {
        "layers": [*layers],
        "weights": np.zeros((len(centre), lesson.width), np.float32),
        "bias": np.zeros(lesson.width, np.float32),
    }
    columns = lesson.columns
    optimizer = _optimizer(EPOCHS * -(-len(rows) // TOGETHER))
    state, key = optimizer.init(params), jax.random.key(seed)

    def step(params: Params, state: Any, shown: Params, key: Any) -> tuple[Params, Any, Any]:
        loss, slope = jax.value_and_grad(_loss)(params, shown, columns, (centre, spread), key)
        moved, state = optimizer.update(slope, state, params)
        return optax.apply_updates(params, moved), state, loss

    step = jax.jit(step)
    answers, order, at = _answers(lesson, rows), np.random.default_rng(seed), 0
    for epoch in range(EPOCHS):
        losses = []
        for batch in _batches(rows, lesson.states, order):
            shown = _filled(lesson.states, batch) | {name: _rows(values, batch) for name, values in answers.items()}
            params, state, loss = step(params, state, shown, jax.random.fold_in(key, at))
            losses.append(loss)
            at += 1
        report(f"  round {epoch + 1} of {EPOCHS}: loss {np.mean([float(one) for one in losses]):.3f}")
    kept = jax.tree_util.tree_map(np.asarray, params)
    weights = kept["weights"] / spread[:, None]
    return Taught(kept["layers"], weights, kept["bias"] - centre @ weights)


def vectors(layers: Sequence[Layer], states: Sequence[npt.NDArray[np.float16]]) -> Floats:
    """Of shape (posts, 2 × width), as the encoder gives them."""
    found: Floats = np.zeros((len(states), 2 * states[0].shape[1]), np.float32)
    for batch in _batches(np.arange(len(states)), states):
        shown = _filled(states, batch)
        found[batch] = np.asarray(_vectors([*layers], shown["states"], shown["pieces"]))[: len(batch)]
    return found


def _optimizer(steps: int) -> optax.GradientTransformation:
    def learner(rate: float) -> optax.GradientTransformation:
        plan = optax.warmup_cosine_decay_schedule(0, rate, int(WARM * steps), max(steps, 1), 0)
        return optax.adamw(plan, weight_decay=DECAY)

    which = {"layers": "layers", "weights": "head", "bias": "head"}
    each = optax.multi_transform({"layers": learner(RATE), "head": learner(HEAD_RATE)}, which)
    return optax.chain(optax.clip_by_global_norm(NORM), each)


def _batches(
    rows: Rows, states: Sequence[npt.NDArray[np.float16]], order: np.random.Generator | None = None
) -> list[Rows]:
    """Posts of like length together, in a random order where one is given."""
    lengths = np.array([len(one) for one in states])
    rows = rows if order is None else order.permutation(rows)
    found = []
    for start in range(0, len(rows), 40 * TOGETHER):
        some = rows[start : start + 40 * TOGETHER]
        some = some[np.argsort(lengths[some], kind="stable")]
        found += [some[at : at + TOGETHER] for at in range(0, len(some), TOGETHER)]
    turn = range(len(found)) if order is None else order.permutation(len(found))
    return [found[at] for at in turn]


def _filled(states: Sequence[npt.NDArray[np.float16]], batch: Rows) -> dict[str, Floats]:
    """A batch as one array, with which pieces there are."""
    longest = -(-max(len(states[row]) for row in batch) // STEP) * STEP
    found = np.zeros((TOGETHER, longest, states[0].shape[1]), np.float32)
    pieces = np.zeros((TOGETHER, longest), np.float32)
    for place, row in enumerate(batch):
        found[place, : len(states[row])] = states[row]
        pieces[place, : len(states[row])] = 1
    return {"states": found, "pieces": pieces}


def _rows(values: npt.NDArray[Any], batch: Rows) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.pad(values[batch], ((0, TOGETHER - len(batch)), (0, 0)))
    return found


def _answers(lesson: Lesson, rows: Rows) -> dict[str, npt.NDArray[Any]]:
    """What each post should be told to be, and how much it counts: 1 on average under each head and family. Rarer
    classes of a family weigh more, by the root."""
    shown = np.isin(np.arange(len(lesson.states)), rows)
    counts = np.where((lesson.labels >= 0) & shown[:, None], lesson.counts, 0.0)
    told = []
    for names, wanted in lesson.classes.values():
        weights = np.zeros(len(wanted))
        for each in range(len(names)):
            here = shown & (wanted == each)
            weights[here] = max(int(here.sum()), 1) ** -0.5
        told.append(weights)
    both = [np.minimum(each * len(rows) / np.maximum(each.sum(0), 1e-9), MOST) for each in (counts, np.stack(told, 1))]
    classes = np.stack([np.maximum(wanted, 0) for _, wanted in lesson.classes.values()], axis=1)
    return {
        "labels": np.maximum(lesson.labels, 0).astype(np.float32),
        "counts": both[0].astype(np.float32),
        "classes": classes.astype(np.int32),
        "told": both[1].astype(np.float32),
    }


def _loss(params: Params, shown: Params, columns: tuple[slice, ...], scale: tuple[Any, Any], key: Any) -> Any:
    found = _forward(params["layers"], shown["states"], shown["pieces"], key)
    found = _drop((found - scale[0]) / scale[1], jax.random.fold_in(key, len(params["layers"])))
    scores = found @ params["weights"] + params["bias"]
    labels = shown["labels"]
    loss = (optax.sigmoid_binary_cross_entropy(scores[:, : labels.shape[1]], labels) * shown["counts"]).sum()
    for each, column in enumerate(columns):
        entropy = optax.softmax_cross_entropy_with_integer_labels(scores[:, column], shown["classes"][:, each])
        loss += FAMILY * (entropy * shown["told"][:, each]).sum()
    return loss / TOGETHER


def _forward(layers: Sequence[Layer], states: Any, pieces: Any, key: Any = None) -> Any:
    hidden = ((1 - pieces) * -1e9)[:, None, None, :]
    before = _mean(states, pieces)
    for at, layer in enumerate(layers):
        states = _block(states, hidden, layer, None if key is None else jax.random.fold_in(key, at))
    return jnp.concatenate([before, _mean(states, pieces)], axis=1)


_vectors: Callable[..., Any] = jax.jit(_forward)


def _mean(states: Any, pieces: Any) -> Any:
    return (states * pieces[:, :, None]).sum(1) / jnp.maximum(pieces.sum(1, keepdims=True), 1)


def _block(states: Any, hidden: Any, layer: Layer, key: Any) -> Any:
    """A layer of a transformer (Vaswani et al. 2017), normalised after each part, as BERT has them."""
    posts, length, width = states.shape
    keys = (None, None) if key is None else jax.random.split(key)
    asks, seen, values = (
        _linear(states, layer, name).reshape(posts, length, -1, WIDE_HEAD).transpose(0, 2, 1, 3) for name in "qkv"
    )
    looks = jax.nn.softmax(asks @ seen.transpose(0, 1, 3, 2) * WIDE_HEAD**-0.5 + hidden, axis=-1)
    found = (looks @ values).transpose(0, 2, 1, 3).reshape(posts, length, width)
    states = _normal(states + _drop(_linear(found, layer, "ao"), keys[0]), layer, "aln")
    thought = _linear(jax.nn.gelu(_linear(states, layer, "fi"), approximate=False), layer, "fo")
    return _normal(states + _drop(thought, keys[1]), layer, "oln")


def _linear(x: Any, layer: Layer, name: str) -> Any:
    return x @ layer[f"{name}.w"].T + layer[f"{name}.b"]


def _normal(x: Any, layer: Layer, name: str) -> Any:
    centre = x.mean(-1, keepdims=True)
    spread = ((x - centre) ** 2).mean(-1, keepdims=True)
    return (x - centre) / jnp.sqrt(spread + 1e-12) * layer[f"{name}.w"] + layer[f"{name}.b"]


def _drop(x: Any, key: Any) -> Any:
    return x if key is None else jnp.where(jax.random.bernoulli(key, 1 - DROPPED, x.shape), x / (1 - DROPPED), 0)
