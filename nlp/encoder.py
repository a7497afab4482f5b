"""Posts as vectors: the first layers of multilingual-e5-small, the last of them taught here, as an ONNX graph.

Words that mean the same lie close together in them, in French and in English, so that what was learnt of one accident
holds for another whose words nobody has written down. One post a run: the same post has the same vector, whatever was
read beside it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache, partial
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions
from sentencepiece import SentencePieceProcessor

from nlp.features import Floats
from nlp.heads import FOLDER

GRAPH, PIECES = "encoder.onnx", "encoder.pieces"
LONGEST, MAX_PIECES = 800, 96
"""Characters and pieces that are read of a post, the marks of its beginning and end among them."""
ASKED = "query: "
"""What the model was taught to see before a text."""
MET = 4_096
"""Vectors that are kept."""
BEGIN, END = 0, 2
"""The pieces that stand before and after a text."""
BLANK = re.compile(r"(?:https?://\S+|\bt\.co/\S+|(?<!\w)@\w+|\s)+")
SENTENCE = re.compile(r"(?<=[.!?…]) ")


def shown(text: str) -> str:
    """What the model is shown of a post: addresses and mentions say nothing; of a long text, each sentence once."""
    plain = BLANK.sub(" ", text[: 4 * LONGEST])
    if len(plain) > LONGEST:
        plain = " ".join(dict.fromkeys(SENTENCE.split(plain)))
    return unicodedata.normalize("NFKC", ASKED + plain[:LONGEST].strip())


class Pieces:
    """What texts are cut into, by the file in a folder of models."""

    def __init__(self, folder: Path) -> None:
        self._pieces = SentencePieceProcessor(model_file=str(folder / PIECES))

    def ids(self, text: str) -> tuple[int, ...]:
        """The pieces of a text between the marks of its beginning and end."""
        return (BEGIN, *self._pieces.encode(shown(text))[: MAX_PIECES - 2], END)


def loaded(graph: str | bytes) -> InferenceSession:
    """A graph, from its file or itself. It computes on one core: every process that reads has its own."""
    options = SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def computed(graph: InferenceSession, ids: Sequence[int]) -> Floats:
    """What a graph makes of the pieces of one post."""
    found: Floats = graph.run(None, {"ids": np.array([ids])})[0][0]
    return found


class Encoder:
    """The shipped graph and the pieces that it knows; keeps the last vectors, for much of a crisis is passed on."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._pieces = Pieces(folder)
        graph = loaded(str(folder / GRAPH))
        self.width: int = graph.get_outputs()[0].shape[1]
        self._vector = lru_cache(MET)(partial(computed, graph))

    def vectors(self, texts: Sequence[str]) -> Floats:
        """A row for each text, of shape (texts, :attr:`width`)."""
        found = np.empty((len(texts), self.width), np.float32)
        for row, text in enumerate(texts):
            found[row] = self._vector(self._pieces.ids(text))
        return found


@cache
def encoder(folder: Path = FOLDER) -> Encoder:
    """The shipped encoder."""
    return Encoder(folder)
