"""Posts without their labels, for a second reader with fresh eyes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from random import Random

from nlp.training.written.post import Written


def blind_id(id: str) -> str:
    """An id that tells neither who is whose neighbour nor in which order posts were written."""
    return hashlib.blake2b(id.encode(), digest_size=6).hexdigest()


def blind(posts: Sequence[Written], *, seed: int = 0) -> list[dict[str, str]]:
    """``{"id", "lang", "text"}`` of each post under its blind id, the text plain, in an order drawn with ``seed``."""
    lines = [{"id": blind_id(one.id), "lang": one.lang, "text": one.text} for one in posts]
    Random(seed).shuffle(lines)
    return lines
