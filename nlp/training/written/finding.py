"""What one check of the corpus found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from config.faults import Fault


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people: a title, the names of its columns, its rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """``ok``: whether the corpus keeps what this check asks for, None where it was not looked at; ``told`` says it in
    one line with its figures or the reason; ``figures`` are for machines, ``faults`` for whoever mends."""

    name: str
    ok: bool | None
    told: str
    figures: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    tables: tuple[Table, ...] = ()


def of_faults(name: str, faults: Sequence[Fault], what: str) -> Finding:
    """A finding that is its faults: errors make it fail, warnings do not."""
    errors = sum(fault.level == "error" for fault in faults)
    told = f"{what}: {errors} errors, {len(faults) - errors} warnings" if faults else f"{what}: no fault"
    return Finding(name, not errors, told, {"errors": errors, "warnings": len(faults) - errors}, tuple(faults))


def share(part: float, whole: float) -> float:
    """``part`` of ``whole``, 0 of nothing."""
    return part / whole if whole else 0.0
