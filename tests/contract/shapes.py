"""What a JSON value must look like: every key, its type, nothing more."""

from collections.abc import Mapping, Sequence
from typing import Any


class Or:
    """One of several shapes; None stands for null."""

    def __init__(self, *shapes: Any) -> None:
        self.shapes = shapes


class Listed:
    """A list of any length, each item of one shape."""

    def __init__(self, shape: Any) -> None:
        self.shape = shape


def faults(value: Any, shape: Any, path: str = "$") -> list[str]:
    """Where ``value`` is not of ``shape``: a type, a set of words, a dict of shapes, :class:`Or` or :class:`Listed`."""
    if isinstance(shape, Or):
        found = [faults(value, each, path) for each in shape.shapes]
        return [] if [] in found else min(found, key=len)
    if isinstance(shape, Listed):
        if not isinstance(value, list):
            return [f"{path}: not a list: {value!r}"]
        return [fault for at, item in enumerate(value) for fault in faults(item, shape.shape, f"{path}[{at}]")]
    if isinstance(shape, Mapping):
        return _object(value, shape, path)
    if isinstance(shape, set | frozenset):
        return [] if isinstance(value, str) and value in shape else [f"{path}: {value!r} is not a word of the list"]
    if shape is None:
        return [] if value is None else [f"{path}: not null: {value!r}"]
    return [] if _is(value, shape) else [f"{path}: not {shape.__name__}: {value!r}"]


def _object(value: Any, shape: Mapping[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: not an object: {value!r}"]
    if list(value) != list(shape):
        return [f"{path}: keys {list(value)}, not {list(shape)}"]
    return [fault for key, each in shape.items() for fault in faults(value[key], each, f"{path}.{key}")]


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def all_faults(values: Sequence[Any], shape: Any) -> list[str]:
    """The faults of every value; there must be some."""
    assert values
    return [fault for at, value in enumerate(values) for fault in faults(value, shape, f"line {at + 1}")]
