"""Component ``vigie_fields``: when, stance, refuted and who speaks, as learnt from the project's corpus. What the other
components found is one clue among others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from spacy.language import Language

from nlp.deep.clues import clues
from nlp.deep.findings import Component, Findings
from nlp.features import Floats
from nlp.heads import FOLDER, families, read_weights, rounded, shared, write_weights

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

    def chances(self, found: Mapping[int, float]) -> dict[str, dict[str, float]]:
        """Family → class → probability, for the clues of a post."""
        values = np.fromiter(found.values(), np.float32, len(found))
        raw = values @ self.weights[list(found)].astype(np.float32) + self.bias
        return {family: shared(raw, columns) for family, columns in families(self.names).items()}

    def of(self, findings: Findings) -> dict[str, dict[str, float]]:
        """As :meth:`chances`, for a post that the other components have read; what it means counts as much as its words
        where it was looked at again."""
        told = self.chances(clues(findings))
        meant = findings.meant or {}
        return {family: _together(each, meant[family]) if family in meant else each for family, each in told.items()}


def _together(told: Mapping[str, float], meant: Mapping[str, float]) -> dict[str, float]:
    """The geometric mean of two opinions on the same classes."""
    both = {each: (p * meant.get(each, 0.0)) ** 0.5 for each, p in told.items()}
    total = max(sum(both.values()), 1e-9)
    return {each: p / total for each, p in both.items()}


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
