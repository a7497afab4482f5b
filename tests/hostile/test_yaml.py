"""The files that an agency edits: whatever stands in them, a bundle or faults that say where and what to do."""

from __future__ import annotations

from pathlib import Path
from random import Random

from hostile_kit import TEXT, cases
from hypothesis import given
from hypothesis import strategies as st

from config.check import check

GOOD = (Path(__file__).parents[1] / "config" / "good.yaml").read_text(encoding="utf-8")
PIECES = [
    "[",
    "]",
    "{",
    "}",
    ":",
    "- ",
    "&a ",
    "*a",
    "!x ",
    "|",
    ">",
    "'",
    '"',
    "#",
    "%",
    "\t",
    "---\n",
    "<<: ",
    "~",
    ".inf",
    "0x1F",
    "1e999",
    "2026-02-30",
    "22:00",
    "no",
    "null",
    "\ufeff",
    "? ",
    "\u2028",
    "\x00",
    "99999999999999999999",
]


def mutated(seed: int, piece: str) -> str:
    """The good bundle with one to four lines cut, doubled, moved, swapped or sown with ``piece``."""
    draw = Random(seed)
    lines = GOOD.splitlines(keepends=True)
    for _ in range(draw.randint(1, 4)):
        at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
        match draw.randrange(6):
            case 0:
                lines[at] = ""
            case 1:
                lines.insert(other, lines[at])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                cut = draw.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + piece + lines[at][cut:]
            case 4:
                lines[at] = " " * draw.randrange(5) + lines[at].lstrip(" ")
            case _:
                key = lines[at].partition(":")[0]
                lines[at] = f"{key}: {piece}\n"
    return "".join(lines)


def judged(text: str) -> None:
    for fault in check({"bundle.yaml": text}):
        assert fault.file
        assert len(fault.message) > 3
        assert len(fault.advice) > 3
        str(fault).encode("utf-8", "backslashreplace")


@cases("YAML, mutated", 900)
@given(seed=st.integers(0, 1 << 30), piece=st.sampled_from(PIECES) | TEXT)
def test_a_spoilt_bundle_is_taken_or_refused_with_advice(seed: int, piece: str) -> None:
    judged(mutated(seed, piece))


@cases("YAML, anything", 500)
@given(text=TEXT | st.lists(st.sampled_from([*PIECES, "a", "\n", " "]), max_size=40).map("".join))
def test_any_text_is_taken_or_refused_with_advice(text: str) -> None:
    judged(text)


def test_a_nest_a_bomb_and_a_wide_line_are_refused_quickly() -> None:
    bomb = "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(50))
    for text in ("[" * 100_000, "- " * 100_000, "{a: " * 50_000, bomb, "name: " + "x" * 900_000):
        assert any(fault.level == "error" for fault in check({"bundle.yaml": text}))
