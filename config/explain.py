"""The errors of pydantic in plain words, each with what to do."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from config.bundle import Bundle
from config.faults import nearest

KeyPath = tuple[str | int, ...]
_TYPES = {
    "string_type": ("a text is wanted here", "write a word, or text between quotes"),
    "bool_type": ("true or false is wanted here", "write true or false"),
    "bool_parsing": ("true or false is wanted here", "write true or false"),
    "int_type": ("a whole number is wanted here", "write digits only"),
    "int_parsing": ("a whole number is wanted here", "write digits only"),
    "int_from_float": ("a whole number is wanted here", "write digits only"),
    "float_type": ("a number is wanted here", "write digits, with a point before decimals"),
    "float_parsing": ("a number is wanted here", "write digits, with a point before decimals"),
    "finite_number": ("a finite number is wanted here", "write digits, with a point before decimals"),
    "tuple_type": ("a list is wanted here", "write [one, two], or one item a line after a dash"),
    "dict_type": ("keys with values are wanted here", "write one `key: value` a line, indented"),
    "model_type": ("keys with values are wanted here", "write one `key: value` a line, indented"),
    "model_attributes_type": ("keys with values are wanted here", "write one `key: value` a line, indented"),
    "timezone_aware": ("a moment without its time zone", "write it as 2027-01-31T08:00:00+01:00 or …Z"),
}
_DAY = ("a day is wanted here", "write it as 2027-01-31")
_MOMENT = ("a moment is wanted here", "write it as 2027-01-31T08:00:00+01:00")


def explain(error: ErrorDetails) -> tuple[KeyPath, str, str]:
    """Key path, message and advice for one error of pydantic on a :class:`Bundle`."""
    path, kind, context = _known(error["loc"]), error["type"], error.get("ctx", {})
    model, field = _at(path)
    if kind == "extra_forbidden":
        return path, f'the key "{path[-1]}" is unknown here', nearest(str(path[-1]), _keys(model))
    if kind == "missing":
        return path[:-1], f'the key "{path[-1]}" is missing', _add(str(path[-1]), field)
    if kind in _TYPES:
        message, advice = _TYPES[kind]
        return path, f"{message}, not {_shown(error['input'])}", advice
    if kind.startswith("datetime"):
        return path, f"{_MOMENT[0]}, not {_shown(error['input'])}", _MOMENT[1]
    if kind.startswith("date"):
        return path, f"{_DAY[0]}, not {_shown(error['input'])}", _DAY[1]
    return path, *_bounds(kind, context, error)


def _bounds(kind: str, context: Mapping[str, Any], error: ErrorDetails) -> tuple[str, str]:
    shown = _shown(error["input"])
    if kind == "literal_error":
        expected = str(context["expected"])
        return f"{shown} is not one of the values allowed here", f"write one of {expected}"
    if kind == "string_pattern_mismatch":
        return f"{shown} is not written as it must be", _PATTERNS.get(
            str(context["pattern"]), f"it must match {context['pattern']}"
        )
    if kind in ("too_short", "string_too_short"):
        least = context["min_length"]
        unit = "characters" if kind.startswith("string") else "item" if least == 1 else "items"
        return f"too short: {shown}", f"give at least {least} {unit}"
    if kind in ("too_long", "string_too_long"):
        return f"too long: {shown}", f"give at most {context['max_length']}"
    if kind == "value_error":
        message, _, advice = str(context["error"]).partition("; ")
        return message, advice or "correct it"
    limits = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    said = " and ".join(f"{word} {context[name]}" for name, word in limits.items() if name in context)
    return f"{shown} is out of range", f"it must be {said}" if said else error["msg"]


_PATTERNS = {
    r"^[a-z0-9][a-z0-9_.-]*$": "use lower-case letters without accents, digits, - _ and . only, such as feu-angers",
    r"^([01]\d|2[0-3]):[0-5]\d$": 'write the hour as "08:00"',
    r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$": 'write the hour as "08:00"; midnight at the end is "24:00"',
    r"^[A-Za-z0-9.\-]*(:\d+)?$": "write the host, with its port where it has one: geocoder.example.org:8080",
}


def _known(loc: tuple[str | int, ...]) -> KeyPath:
    """The key path as written in YAML: without the type names that pydantic adds for unions."""
    return tuple(part for part in loc if part not in ("str", "int", "bool", "float", "constrained-str"))


def _at(path: KeyPath) -> tuple[type[BaseModel] | None, FieldInfo | None]:
    """The model that holds the last key of a path, and that key's field where it is declared."""
    model: type[BaseModel] | None = Bundle
    field: FieldInfo | None = None
    for part in path:
        if isinstance(part, int) or model is None:
            continue
        holder, field = model, _fields(model).get(part)
        if part == path[-1]:
            return holder, field
        model = _model_in(field.annotation) if field else None
    return model, field


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _keys(model: type[BaseModel] | None) -> list[str]:
    return list(_fields(model)) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, Union, types.UnionType, Annotated):
        return next((found for inner in get_args(annotation) if (found := _model_in(inner))), None)
    return None


def _add(name: str, field: FieldInfo | None) -> str:
    described = f" ({field.description})" if field and field.description else ""
    return f"add `{name}:`{described}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys with values"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    text = str(value)
    return f'"{text[:60]}…"' if len(text) > 60 else f'"{text}"'
