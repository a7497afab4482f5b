"""Records to JSON and back, for every dataclass of :mod:`store.records`, and any other built of the same types.

Field names that end in an underscore lose it (``Road.from_`` is ``from`` in JSON). Tuples become lists, datetimes
ISO 8601 text in UTC with a final Z. Keys that a class does not know are ignored, so that an older Vigie reads what a
newer one wrote; absent keys take the field's default.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from store.text import clean
from store.times import from_iso, to_iso

T = TypeVar("T")
Decode = Callable[[Any], Any]
_PLAIN = frozenset({str, int, float, bool, type(None)})


def to_json(record: Any) -> dict[str, Any]:
    """A record as a dict of JSON values. Raises TypeError where ``record`` is no dataclass instance."""
    if not is_dataclass(record) or isinstance(record, type):
        raise TypeError(f"a record is a dataclass instance, not {record!r:.80}")
    fields_of: dict[str, Any] = _encode(record)
    return fields_of


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """The record of class ``cls`` that ``data`` describes; unknown keys are ignored.

    Raises ValueError, naming class and field, for a missing field or a value of the wrong type.
    """
    hint: Any = cls
    decoded: T = _decoder(hint)(data)
    return decoded


def dumps(value: Any) -> bytes:
    """UTF-8 JSON of a record or of plain values; lone surrogates, which UTF-8 cannot hold, become U+FFFD."""
    plain = _encode(value)
    try:
        return orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError:
        return orjson.dumps(_cleaned(plain), option=orjson.OPT_SERIALIZE_NUMPY)


def loads(data: str | bytes) -> Any:
    """The plain value of JSON text. Raises ValueError where it is not JSON."""
    return orjson.loads(data)


def read(raw: bytes) -> Any:
    """The plain value of JSON as platforms write it, with the lone surrogates that stricter readers refuse.

    Raises ValueError, with the strict reader's reason, where it is not JSON.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        if b"\\u" not in raw:
            raise
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise error from None


@cache
def _names(cls: type) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.name.removesuffix("_")) for field in fields(cls))


def _encode(value: Any) -> Any:
    kind: Any = type(value)
    return value if kind in _PLAIN else _encoder(kind)(value)


@cache
def _encoder(kind: type) -> Callable[[Any], Any]:
    if is_dataclass(kind):
        return _from_dataclass(kind)
    if issubclass(kind, datetime):
        return to_iso
    if issubclass(kind, tuple | list):
        return _from_items
    return _from_mapping if issubclass(kind, Mapping) else _as_it_is


def _from_dataclass(kind: type) -> Callable[[Any], Any]:
    names = _names(kind)

    def encode(record: Any) -> dict[str, Any]:
        values = [(key, getattr(record, name)) for name, key in names]
        return {key: value if type(value) in _PLAIN else _encode(value) for key, value in values}

    return encode


def _from_items(values: Any) -> list[Any]:
    return [value if type(value) in _PLAIN else _encode(value) for value in values]


def _from_mapping(values: Any) -> dict[str, Any]:
    return {key: value if type(value) in _PLAIN else _encode(value) for key, value in values.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return value


@cache
def _decoder(hint: Any) -> Decode:
    if isinstance(hint, type) and is_dataclass(hint):
        return _of_dataclass(hint)
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return _as_it_is
    if hint is datetime:
        return _of_datetime
    if origin is Literal:
        return _of_literal(args)
    if origin in (Union, types.UnionType):
        return _of_optional(args)
    if origin is tuple:
        return _of_tuple(_decoder(args[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _of_mapping(_decoder(args[1]))
    if hint is float:
        return _of_float
    if hint in _PLAIN:
        return _of_plain(hint)
    raise TypeError(f"the codec knows no type {hint!r}")


def _of_dataclass(cls: type) -> Decode:
    hints = get_type_hints(cls)
    required = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}
    plan = [(name, key, _decoder(hints[name]), name in required) for name, key in _names(cls)]

    def decode(data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise ValueError(f"{cls.__name__}: expected an object, got {data!r:.80}")
        values = {}
        for name, key, convert, needed in plan:
            if key in data:
                try:
                    values[name] = convert(data[key])
                except ValueError as error:
                    raise ValueError(f"{cls.__name__}.{key}: {error}") from error
            elif needed:
                raise ValueError(f"{cls.__name__}: {key} is missing")
        return cls(**values)

    return decode


def _as_it_is(value: Any) -> Any:
    return value


def _of_datetime(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError(f"expected an ISO 8601 time, got {value!r:.80}")
    return from_iso(value)


def _of_float(value: Any) -> float:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"expected a number, got {value!r:.80}")


def _of_plain(kind: type) -> Decode:
    def decode(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError(f"expected {kind.__name__}, got {value!r:.80}")
        return value

    return decode


def _of_literal(allowed: tuple[Any, ...]) -> Decode:
    def decode(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"expected one of {', '.join(map(str, allowed))}, got {value!r:.80}")
        return value

    return decode


def _of_optional(args: tuple[Any, ...]) -> Decode:
    inner = [arg for arg in args if arg is not type(None)]
    if len(inner) != 1 or len(args) != 2:
        raise TypeError(f"the codec knows unions with None only, not {args!r}")
    convert = _decoder(inner[0])

    def decode(value: Any) -> Any:
        return None if value is None else convert(value)

    return decode


def _of_tuple(convert: Decode) -> Decode:
    def decode(value: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, got {value!r:.80}")
        return tuple(convert(item) for item in value)

    return decode


def _of_mapping(convert: Decode) -> Decode:
    def decode(value: Any) -> Any:
        if not isinstance(value, Mapping):
            raise ValueError(f"expected an object, got {value!r:.80}")
        return {key: convert(item) for key, item in value.items()}

    return decode
