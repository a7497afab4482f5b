"""Ids in lists that one statement can take."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

SIZE = 1000


def batches(ids: Collection[str], size: int = SIZE) -> Iterator[list[str]]:
    """``ids`` in lists of at most ``size``, in order."""
    rest = iter(ids)
    while some := list(islice(rest, size)):
        yield some
