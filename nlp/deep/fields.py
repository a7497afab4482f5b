"""Component ``vigie_fields``: when, stance, refuted and who speaks, as learnt from the project's corpus. What the other
components found is one clue among others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from spacy.language import Language

from nlp.deep.clues import clues
from nlp.deep.findings import Component, Findings
from nlp.features import Floats
from nlp.heads import FOLDER, read_weights, rounded, write_weights

NONE = "none"
"""The class of a post that says nothing of the kind."""
DOUBTED, SURE = frozenset({"past", "hypothetical", "imminent"}), 0.5


@dataclass(frozen=True)
class Fields:
    """Linear models: ``names`` are ``family:class``, the classes of a family beside each other; ``weights`` is of shape
    (:data:`nlp.deep.clues.SIZE`, names), ``bias`` (names,)."""

    names: tuple[str, ...]
    weights: npt.NDArray[np.floating]
    bias: Floats

    @cached_property
    def families(self) -> dict[str, dict[str, int]]:
        """Family → class → column."""
        found: dict[str, dict[str, int]] = {}
        for column, name in enumerate(self.names):
            family, _, each = name.partition(":")
            found.setdefault(family, {})[each] = column
        return found

    def chances(self, found: Mapping[int, float]) -> dict[str, dict[str, float]]:
        """Family → class → probability, for the clues of a post."""
        values = np.fromiter(found.values(), np.float32, len(found))
        raw = values @ self.weights[list(found)].astype(np.float32) + self.bias
        return {family: _shared(raw, columns) for family, columns in self.families.items()}

    def of(self, findings: Findings) -> dict[str, dict[str, float]]:
        """As :meth:`chances`, for a post that the other components have read."""
        return self.chances(clues(findings))


def _shared(raw: Floats, columns: Mapping[str, int]) -> dict[str, float]:
    """The classes of a family, which share one probability."""
    scores = raw[list(columns.values())]
    shares = np.exp(scores - scores.max())
    return dict(zip(columns, (shares / shares.sum()).tolist(), strict=True))


def save(fields: Fields, folder: Path) -> None:
    """Write ``fields.npz`` (weights of half precision) and ``fields.json``; the same fields give the same bytes."""
    write_weights(fields.weights, folder / "fields.npz")
    told = {"names": fields.names, "bias": rounded(fields.bias)}
    (folder / "fields.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


@cache
def shipped(folder: Path = FOLDER) -> Fields:
    """The shipped fields."""
    told = orjson.loads((folder / "fields.json").read_bytes())
    return Fields(tuple(told["names"]), read_weights(folder / "fields.npz"), np.array(told["bias"], np.float32))


@Language.factory("vigie_fields")
class Decision(Component):
    """Sets ``when``, ``stance``, ``refuted`` and ``voice`` to their likeliest class, and keeps the ``chances``."""

    def __init__(self, nlp: Language, name: str) -> None:
        super().__init__(nlp, name)
        self._fields = shipped()

    def read(self, findings: Findings) -> None:
        """Note it."""
        chances = findings.chances = self._fields.of(findings)
        findings.when, findings.stance = (_told(chances[family]) for family in ("when", "stance"))
        findings.refuted = _told(chances["refuted"]) == "true" and not findings.spared
        findings.voice = _told(chances["source"])


def _told(chances: Mapping[str, float]) -> str | None:
    """The likeliest class, None for that which says nothing; one that takes a post out of the present is to be sure."""
    left = {name: chance for name, chance in chances.items() if name not in DOUBTED or chance >= SURE}
    best = max(left, key=left.__getitem__)
    return None if best == NONE else best
