"""Curves as a PNG, drawn here: lines, dots and letters on a grid of pixels, without a library for it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Color = tuple[int, int, int]
BLACK, GREY = (32, 32, 32), (208, 208, 208)
PALETTE: tuple[Color, ...] = (
    (0, 84, 159), (204, 7, 30), (87, 171, 39), (246, 168, 0), (97, 33, 88), (0, 152, 161), (122, 111, 172),
    (142, 80, 16),
)  # fmt: skip
WIDTH, HEIGHT = 960, 560
LEFT, RIGHT, TOP, BOTTOM = 70, 400, 60, 60
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.,-%+():_/ "
GLYPHS = bytes.fromhex(
    "3e5149453e00427f400042615149462141454b311814127f1027454545393c4a49493001710905033649494936064949291e"
    "7e1111117e7f494949363e414141227f4141221c7f494949417f090909013e4149497a7f0808087f00417f41002040413f01"
    "7f081422417f404040407f020c027f7f0408107f3e4141413e7f090909063e4151215e7f09192946464949493101017f0101"
    "3f4040403f1f2040201f3f4038403f63140814630708700807615149454320545454787f484444383844444420384444487f"
    "3854545418087e0901020c5252523e7f0804047800447d40002040443d007f1028440000417f40007c041804787c08040478"
    "38444444387c14141408081414187c7c080404084854545420043f4440203c4040207c1c2040201c3c4030403c4428102844"
    "0c5050503c4464544c44006060000000503000000808080808231308646208083e0808001c2241000041221c000036360000"
    "404040404020100804020000000000"
)
"""Five columns of seven dots a letter, the lowest bit on top."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A named line through points (x, y) with y from 0 to 1."""

    name: str
    points: tuple[tuple[float, float], ...]


class Canvas:
    """An image of WIDTH by HEIGHT pixels, white."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.pixels: npt.NDArray[np.uint8] = np.full((height, width, 3), 255, np.uint8)

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Fill a box whose upper left corner is (x, y)."""
        self.pixels[round(y) : round(y + height), round(x) : round(x + width)] = color

    def line(self, start: tuple[float, float], end: tuple[float, float], color: Color, *, wide: int = 1) -> None:
        """Draw a line from ``start`` to ``end`` (x, y)."""
        steps = int(max(abs(end[0] - start[0]), abs(end[1] - start[1]), 1))
        for x, y in np.linspace(start, end, steps + 1).tolist():
            self.box(x - wide / 2, y - wide / 2, wide, wide, color)

    def text(self, x: float, y: float, words: str, color: Color = BLACK, *, size: int = 2) -> None:
        """Write ``words`` with their upper left corner at (x, y); letters that are not known are left out."""
        for letter in words:
            at = LETTERS.find(letter)
            for column, dots in enumerate(GLYPHS[5 * at : 5 * at + 5] if at >= 0 else b""):
                for row in range(7):
                    if dots >> row & 1:
                        self.box(x + column * size, y + row * size, size, size, color)
            x += 6 * size

    def png(self) -> bytes:
        """The image as a PNG file."""
        height, width = self.pixels.shape[:2]
        rows = b"".join(b"\0" + row.tobytes() for row in self.pixels)
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def chart(title: str, across: str, curves: Sequence[Curve], *, ends: bool = True) -> bytes:
    """A PNG of curves over one axis, shares from 0 to 100 %, with the name of each beside it, and where it ends."""
    canvas = Canvas()
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    most = max((x for curve in curves for x, _ in curve.points), default=1.0) or 1.0
    canvas.text(LEFT, 18, title)
    canvas.text(LEFT, HEIGHT - 24, across)
    for tick in range(0, 101, 20):
        y = TOP + high * (1 - tick / 100)
        canvas.line((LEFT, y), (LEFT + wide, y), GREY)
        canvas.text(8, y - 7, f"{tick}%".rjust(4))
    for x in sorted({x for curve in curves for x, _ in curve.points}):
        canvas.line((LEFT + wide * x / most, TOP + high), (LEFT + wide * x / most, TOP + high + 6), BLACK)
    canvas.text(LEFT + wide - 60, TOP + high + 12, f"{most:g}")
    for number, curve in enumerate(curves):
        color = PALETTE[number % len(PALETTE)]
        dots = [(LEFT + wide * x / most, TOP + high * (1 - min(max(y, 0), 1))) for x, y in curve.points]
        for start, end in pairwise(dots):
            canvas.line(start, end, color, wide=3)
        for x, y in dots:
            canvas.box(x - 4, y - 4, 8, 8, color)
        last = f"{curve.points[-1][1]:.0%} " if curve.points and ends else ""
        canvas.box(LEFT + wide + 20, TOP + 26 * number + 2, 10, 10, color)
        canvas.text(LEFT + wide + 36, TOP + 26 * number, last + curve.name)
    return canvas.png()
