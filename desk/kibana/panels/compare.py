"""What a panel shows beside what the database says: the same, or where they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isclose
from typing import Any

from desk.kibana.panels.lens import Table
from desk.kibana.panels.told import Figures, Key, Near

FLOAT = 1e-5  # fields of type float hold 24 bits


def differences(table: Table, told: Figures) -> list[str]:
    """Where the rows of a panel are not what the database says, a line for each; [] where all is right.

    Only the numbers that the database tells are compared. Rows that hold nothing but zeros and blanks are left out, as
    a chart shows nothing there either.
    """
    shown = told_by(table)
    said = said_by(told)
    lines = [f"{_name(key)} is shown, the database knows nothing of it" for key in shown.keys() - said.keys()]
    lines += [f"{_name(key)} is not shown: {said[key]}" for key in said.keys() - shown.keys()]
    for key in shown.keys() & said.keys():
        lines += [f"{_name(key)}: {line}" for line in _apart(shown[key], said[key])]
    return sorted(lines)


def told_by(table: Table) -> dict[Key, Mapping[str, Any]]:
    """The rows of a panel by what names them, without those that hold nothing but zeros and blanks."""
    rows = {tuple(row.get(key) for key in table.keys): row for row in table.rows}
    return {key: row for key, row in rows.items() if _tells(row, table)}


def said_by(told: Figures) -> Figures:
    """What the database says, without the rows of nothing but zeros and blanks."""
    return {key: numbers for key, numbers in told.items() if any(_filled(value) for value in numbers.values())}


def _apart(row: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    for name, right in told.items():
        value = row.get(name)
        if not same(value, right):
            yield f"{name} is {value!r}, the database says {right!r}"


def same(value: Any, right: Any) -> bool:
    """Whether a value is what it should be: exactly, within the precision of the field, within its range, or, of
    several values, in any order."""
    if isinstance(right, Near):
        slack = FLOAT * max(abs(right.low), abs(right.high))
        return value is not None and right.low - slack <= value <= right.high + slack
    if isinstance(right, frozenset):
        return frozenset(value if isinstance(value, list) else [value] if value is not None else []) == right
    if isinstance(right, float) and isinstance(value, (int, float)):
        return isclose(value, right, rel_tol=FLOAT)
    if not _filled(right):
        return not _filled(value)
    return bool(value == right)


def _tells(row: Mapping[str, Any], table: Table) -> bool:
    return any(_filled(value) for name, value in row.items() if name not in table.keys)


def _filled(value: Any) -> bool:
    return value not in (None, 0, 0.0, "", [], False, frozenset())


def _name(key: Key) -> str:
    return " · ".join(map(str, key)) or "the number"
