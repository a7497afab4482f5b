"""Component ``vigie_fields``: when, stance, refuted and who speaks, as learnt from the project's corpus. What the other
components found is one clue among others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import orjson
from spacy.language import Language

from nlp.deep.clues import clues
from nlp.deep.findings import Component, Findings
from nlp.features import Floats
from nlp.heads import FOLDER

NONE = "none"
"""The class of a post that says nothing of the kind."""
DOUBTED, SURE = frozenset({"past", "hypothetical", "imminent"}), 0.5


@dataclass(frozen=True, slots=True)
class Fields:
    """Linear models: ``names`` are ``family:class``, the classes of a family beside each other; ``weights`` is of shape
    (:data:`nlp.deep.clues.SIZE`, names), ``bias`` (names,)."""

    names: tuple[str, ...]
    weights: Floats
    bias: Floats

    def families(self) -> dict[str, slice]:
        """The columns of each family."""
        told = [name.partition(":")[0] for name in self.names]
        return {family: slice(told.index(family), told.index(family) + told.count(family)) for family in told}

    def chances(self, found: Mapping[int, float]) -> dict[str, dict[str, float]]:
        """Family → class → probability, for the clues of a post."""
        values = np.fromiter(found.values(), np.float32, len(found))
        raw = values @ self.weights[list(found)].astype(np.float32) + self.bias
        return {family: self._shared(raw, columns) for family, columns in self.families().items()}

    def of(self, findings: Findings) -> dict[str, dict[str, float]]:
        """As :meth:`chances`, for a post that the other components have read."""
        return self.chances(clues(findings))

    def _shared(self, raw: Floats, columns: slice) -> dict[str, float]:
        shares = np.exp(raw[columns] - raw[columns].max())
        classes = (name.partition(":")[2] for name in self.names[columns])
        return dict(zip(classes, (shares / shares.sum()).tolist(), strict=True))


def save(fields: Fields, folder: Path) -> None:
    """Write ``fields.npz`` (weights of half precision) and ``fields.json``; the same fields give the same bytes."""
    fresh = folder / "fields.npz.new"
    with fresh.open("wb") as file:
        np.savez_compressed(file, weights=fields.weights.astype(np.float16))
    fresh.replace(folder / "fields.npz")
    told = {"names": fields.names, "bias": [round(float(one), 5) for one in fields.bias]}
    (folder / "fields.json").write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))


@cache
def shipped(folder: Path = FOLDER) -> Fields:
    """The shipped fields."""
    told = orjson.loads((folder / "fields.json").read_bytes())
    with np.load(folder / "fields.npz", allow_pickle=False) as packed:
        return Fields(tuple(told["names"]), packed["weights"], np.array(told["bias"], np.float32))


@Language.factory("vigie_fields")
class Decision(Component):
    """Sets ``when``, ``stance``, ``refuted`` and ``voice`` to their likeliest class, and keeps the ``chances``."""

    def read(self, findings: Findings) -> None:
        """Note it."""
        chances = findings.chances = shipped().of(findings)
        findings.when, findings.stance = (_told(chances[family]) for family in ("when", "stance"))
        findings.refuted = _told(chances["refuted"]) == "true" and not findings.spared
        findings.voice = _told(chances["source"])


def _told(chances: Mapping[str, float]) -> str | None:
    """The likeliest class, None for that which says nothing; one that takes a post out of the present is to be sure."""
    left = {name: chance for name, chance in chances.items() if name not in DOUBTED or chance >= SURE}
    best = max(left, key=left.__getitem__)
    return None if best == NONE else best
