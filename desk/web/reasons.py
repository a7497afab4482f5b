"""The reasons that other rooms give in English, in French for the crew where the words are known."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("reasons.yaml")
HOLE = re.compile(r"\\\{(\w+)\\\}")

Name = Callable[[str, str], str]


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    known = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        (re.compile(HOLE.sub(r"(?P<\1>.+?)", re.escape(english)), re.DOTALL), french)
        for english, french in known.items()
    )


def in_french(reason: str, name: Name) -> str:
    """``reason`` in French, or as it is where nobody has translated it.

    ``name`` gives what a code is called: its arguments are the kind of the code (``hazard``, ``severity``, ``tag``,
    ``agency``) and the code; it returns what it does not know as it came.
    """
    for pattern, french in _patterns():
        if found := pattern.fullmatch(reason):
            return french.format(**{hole: _filled(hole, text, name) for hole, text in found.groupdict().items()})
    return reason


def _filled(hole: str, text: str, name: Name) -> str:
    return in_french(text, name) if hole == "rest" else name(hole.rstrip("2"), text)
