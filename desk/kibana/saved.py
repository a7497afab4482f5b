"""A saved object: what a line of an export holds."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from desk.kibana.facts import CORE, TYPES

_SPACE = uuid.UUID("6a1f5a0e-3f0b-5d0c-9b57-0d7a8f1c6e21")


@dataclass(frozen=True, slots=True)
class Reference:
    """That an object needs another; inside it, the other is called ``name``."""

    name: str
    type: str
    id: str

    def plain(self) -> dict[str, str]:
        """As it stands in an export."""
        return {"name": self.name, "type": self.type, "id": self.id}

    def within(self, panel: str) -> Reference:
        """The same, seen from the dashboard that holds the panel."""
        return Reference(f"{panel}:{self.name}", self.type, self.id)


@dataclass(frozen=True, slots=True)
class Saved:
    """One saved object; ids are ours and say what it is, so that a new import takes the place of the last."""

    type: str
    id: str
    attributes: Mapping[str, Any]
    references: tuple[Reference, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As it stands in an export."""
        return {
            "type": self.type,
            "id": self.id,
            "attributes": dict(self.attributes),
            "references": [reference.plain() for reference in self.references],
            "coreMigrationVersion": CORE,
            "typeMigrationVersion": TYPES[self.type].version,
        }


def ident(*parts: str) -> str:
    """An id that Kibana wants to look like a UUID, always the same for the same parts."""
    return str(uuid.uuid5(_SPACE, "/".join(parts)))


def text(value: object) -> str:
    """JSON written as a string, as Kibana keeps most of its attributes."""
    return orjson.dumps(value).decode()
