"""The fault script: a small YAML of what breaks when, read strictly.

faults:
  - {at: 10, what: close}                  # seconds after the play began
  - {connect: 3, what: 429, times: 2}      # the third connect to the stream and the one after
  - {post: 5, what: reset}                 # in the middle of the fifth post that the stream sends
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.faults import nearest
from config.yaml_lines import Document, read_yaml
from listeners.standin.archive import REASONS

ANSWERS = frozenset({"401", "403", "429", "503", "hang"})
"""What a request gets instead of its answer."""
CUTS = frozenset({"close", "reset", "disconnect", "silence", "garbage", "long-line"})
"""What happens to an open stream at once."""
TWISTS = frozenset({"drip", "duplicate", "disorder", "no-tag"})
"""What happens to posts as they are sent."""
ACTS = frozenset({"refuse", "delete", "edit"})
"""What happens to the server or to its posts, whoever listens."""
KINDS = ANSWERS | CUTS | TWISTS | ACTS
PLACES = ("stream", "search", "lookup", "rules", "compliance", "all")
_WHEN = ("at", "connect", "post")
_OWN = {
    "429": {"reset"},
    "drip": {"pause"},
    "long-line": {"bytes"},
    "delete": {"id", "reason"},
    "edit": {"id", "text"},
}
_NEEDED = {"refuse": {"for"}, "delete": {"id"}, "edit": {"id", "text"}}
_NUMBERS = {"at": 0.0, "for": 0.001, "every": 0.001, "reset": 0.0, "pause": 0.0}
_MOST = 100_000_000
_COUNTS = {"connect": 1, "post": 1, "times": 1, "bytes": 1000}


class ScriptError(ValueError):
    """A script that cannot be used; the message says everything that is wrong with it, where, and what to do."""


@dataclass(frozen=True)
class Trouble:
    """One entry. Times are in seconds; without ``at``, ``connect`` and ``post`` it is due at once.

    ``lasts`` is ``for`` in the script. ``times`` counts strikes, or, with ``every``, how often it comes back.
    """

    what: str
    at: float | None = None
    connect: int | None = None
    post: int | None = None
    on: str = "stream"
    lasts: float | None = None
    times: int | None = None
    every: float | None = None
    reset: float = 60.0
    pause: float = 0.02
    bytes: int = 5_000_000
    id: str = ""
    text: str = ""
    reason: str = "deleted"


def read(path: Path) -> list[Trouble]:
    """The entries of a script. Raises ScriptError, OSError."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScriptError(f"{path}: not UTF-8; save the file as UTF-8") from error
    return parse(str(path), text)


def parse(file: str, text: str) -> list[Trouble]:
    """The entries of a script given as text; ``file`` names it in errors. Raises ScriptError."""
    document = read_yaml(file, text)
    entries = document.value.get("faults") if isinstance(document.value, dict) else None
    if not document.faults and (not isinstance(entries, list) or len(document.value) > 1):
        document.fault(1, (), "a script has one key, faults, with a list", "write faults: and one `- {…}` a line")
    if not document.faults:
        for number, entry in enumerate(entries or ()):
            _check(document, number, entry)
    if document.faults:
        raise ScriptError("\n".join(map(str, document.faults)))
    return [_made(entry) for entry in entries or ()]


def trouble(what: str | int, **keys: Any) -> Trouble:
    """One entry from its keys (``for`` may be written ``lasts``). Raises ScriptError."""
    entry = {"for" if key == "lasts" else key: value for key, value in keys.items()} | {"what": what}
    problems = [f"{key}: {message}; {advice}" for key, message, advice in _problems(entry)]
    if problems:
        raise ScriptError("\n".join(problems))
    return _made(entry)


def _check(document: Document, number: int, entry: Any) -> None:
    here = document.lines["faults", number]
    if not isinstance(entry, dict):
        document.fault(here, ("faults", number), "keys with values are wanted here", "write {at: 10, what: close}")
        return
    if not any(key in entry for key in _WHEN):
        document.fault(here, ("faults", number), "it does not say when", f"add one of {', '.join(_WHEN)}")
    for key, message, advice in _problems(entry):
        path = ("faults", number, key)
        document.fault(document.lines.get(path, here), path, message, advice)


def _problems(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Key, message and advice for all that is wrong with an entry."""
    what = str(entry.get("what", ""))
    if what not in KINDS:
        yield "what", f'"{what}" is no kind of fault' if what else "the key is missing", nearest(what, KINDS)
        return
    allowed = {"what", *_WHEN, "for", "times", "every"} | _OWN.get(what, set()) | ({"on"} if what in ANSWERS else set())
    for key in entry:
        if key not in allowed:
            yield key, f'the key "{key}" is unknown for {what}', nearest(key, allowed)
    for key in sorted(_NEEDED.get(what, set()) - entry.keys()):
        yield key, "the key is missing", f"{what} needs it: add {key}"
    if len(given := [key for key in _WHEN if key in entry]) > 1:
        yield given[1], f"{' and '.join(given)} stand together", "keep one of them"
    yield from _bad_values({key: value for key, value in entry.items() if key in allowed})


def _bad_values(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for key, value in entry.items():
        if key in _NUMBERS and not (_is_number(value) and _NUMBERS[key] <= value <= _MOST):
            yield key, "a number of seconds is wanted here", f"write digits, {_NUMBERS[key]:g} to {_MOST}"
        if key in _COUNTS and not (type(value) is int and _COUNTS[key] <= value <= _MOST):
            yield key, "a whole number is wanted here", f"write digits, {_COUNTS[key]} to {_MOST}"
        if key in ("id", "text") and not (isinstance(value, str | int) and str(value)):
            yield key, "a text is wanted here", "write it between quotes"
        if key == "on" and value not in PLACES:
            yield key, f'"{value}" is no place where requests come', nearest(str(value), PLACES)
        if key == "reason" and value not in REASONS:
            yield key, f'"{value}" is no reason that X gives', nearest(str(value), REASONS)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _made(entry: Mapping[str, Any]) -> Trouble:
    keys = {"lasts" if key == "for" else key: value for key, value in entry.items()}
    keys |= {key: str(keys[key]) for key in ("what", "id", "text") if key in keys}
    return Trouble(**keys)
