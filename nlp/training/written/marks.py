r"""The marks in a written text: ``[Saint-Aubin|commune|event]`` a place, ``{2 blessés|injured|exactly|2}`` a number.

``\`` before one of ``[ ] { } | \`` makes it a plain letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from nlp.training.written.lists import LISTED
from store.records import Location, Quantity

_PIECE = re.compile(r"\\(?P<letter>.)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<bar>\|)|(?P<plain>[^\\\[\]{}|]+)", re.DOTALL)
_CLOSES = {"[": "]", "{": "}"}
_SHAPE = {"[": ("[shown|level|role]", 3), "{": ("{shown|kind|op|value}", 4)}
_SPECIAL = re.compile(r"([\[\]{}|\\])")


class BadMark(ValueError):
    """A mark that cannot be read; the message says which and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A text without its marks; the spans of the places and quantities count its Unicode code points."""

    text: str
    locations: tuple[Location, ...] = ()
    quantities: tuple[Quantity, ...] = ()


def escape(text: str) -> str:
    """A plain text as it is written between marks."""
    return _SPECIAL.sub(r"\\\1", text)


def unmark(marked: str) -> Unmarked:
    """The plain text of a marked one with its places and quantities. Raises :class:`BadMark`."""
    shown: list[str] = []
    places: list[Location] = []
    numbers: list[Quantity] = []
    opened, fields, start, at = "", [""], 0, 0
    for piece in _PIECE.finditer(marked):
        letters = piece["letter"] or piece["plain"] or ""
        if piece["open"]:
            if opened:
                raise BadMark(f'"{marked[start : piece.end()]}": a mark opens inside another')
            opened, fields, start = piece["open"], [""], piece.start()
        elif piece["close"]:
            if piece["close"] != _CLOSES.get(opened):
                raise BadMark(f'"{marked[max(0, piece.start() - 20) : piece.end()]}": closes what was not opened')
            one = _mark(opened, fields, at, marked[start : piece.end()])
            (places if isinstance(one, Location) else numbers).append(one)  # type: ignore[arg-type]
            shown.append(fields[0])
            at, opened = at + len(fields[0]), ""
        elif piece["bar"] and not opened:
            raise BadMark(f'"{marked[max(0, piece.start() - 20) : piece.end()]}": a bar outside of a mark')
        elif piece["bar"]:
            fields.append("")
        elif opened:
            fields[-1] += letters
        else:
            shown.append(letters)
            at += len(letters)
    if opened:
        raise BadMark(f'"{marked[start:]}": a mark is never closed')
    return Unmarked("".join(shown), tuple(places), tuple(numbers))


def _mark(opened: str, fields: list[str], at: int, written: str) -> Location | Quantity:
    shape, count = _SHAPE[opened]
    if len(fields) != count or not fields[0].strip() or fields[0] != fields[0].strip():
        raise BadMark(f'"{written}" is not {shape} with a shown text that neither begins nor ends with a space')
    text, end = fields[0], at + len(fields[0])
    if opened == "[":
        _listed(written, level=fields[1], role=fields[2])
        return Location(text, at, end, text, fields[1], fields[2])
    _listed(written, kind=fields[1], op=fields[2])
    try:
        return Quantity(fields[1], fields[2], float(fields[3]), at, end)
    except ValueError as error:
        raise BadMark(f'"{written}": the value "{fields[3]}" is no number such as 12 or 1.5') from error


def _listed(written: str, **told: str) -> None:
    for field, name in told.items():
        if name not in LISTED[field]:
            raise BadMark(f'"{written}": "{name}" is no {field}; known: {", ".join(LISTED[field])}')
