"""How many cases each door gets and what came of them, and the generators that several doors share.

``VIGIE_CASES`` is the share of the cases that is run: ``make test`` runs a fifth, ``vigie bench hostile`` all. The same
come each time, or with ``VIGIE_SEED`` others. What really ran is counted, and written to the file ``VIGIE_TALLY``.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.errors import UnsatisfiedAssumption

SHARE = float(os.environ.get("VIGIE_CASES", "0.2"))
SEEDED = "VIGIE_SEED" in os.environ
WORK_S, PATIENCE_S = 5.0, 60.0
"""Of the processor's time and of the clock's: a machine that is busy with other things makes no case slow."""
MEMORY_MB = 1500.0
PROCESS = Path("/proc/self")


@dataclass
class Door:
    """What came to a door: ``cases`` that ran, how many of them ``failed``, the slowest, and the peak of memory."""

    cases: int = 0
    failed: int = 0
    slowest_s: float = 0.0
    peak_mb: float = 0.0


tally: dict[str, Door] = {}


def cases(door: str, examples: int, *, each: int = 1) -> Callable[[Any], Any]:
    """So many examples, of ``each`` cases, come to one door; each that runs is counted, timed and weighed.

    An example that takes longer than WORK_S or PATIENCE_S, or more memory than MEMORY_MB, has failed.
    """
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    many = max(1, round(examples * SHARE))
    chosen = settings(
        max_examples=many, deadline=None, derandomize=not SEEDED, database=None, suppress_health_check=slow
    )

    def counted(test: Any) -> Any:
        test.hypothesis.inner_test = _watched(door, each, test.hypothesis.inner_test)
        return chosen(test)

    return counted


def _watched(door: str, each: int, inner: Callable[..., None]) -> Callable[..., None]:
    @wraps(inner)
    def one(*given: Any, **named: Any) -> None:
        seen = tally.get(door) or _entered(door)
        began, worked = time.monotonic(), time.process_time()
        try:
            inner(*given, **named)
            took, work, peak = time.monotonic() - began, time.process_time() - worked, _peak_mb()
            seen.slowest_s, seen.peak_mb = max(seen.slowest_s, took), max(seen.peak_mb, peak)
            assert work < WORK_S and took < PATIENCE_S, f"{door}: a case took {took:.1f} s, {work:.1f} s of work"  # noqa: PT018
            assert peak < MEMORY_MB, f"{door}: {peak:,.0f} MB of memory"
        except UnsatisfiedAssumption:
            raise
        except (Exception, pytest.fail.Exception):
            seen.failed += 1
            seen.cases += each
            raise
        seen.cases += each

    return one


def _entered(door: str) -> Door:
    """The first case of a door: the peak of memory is counted anew."""
    with suppress(OSError):
        (PROCESS / "clear_refs").write_text("5")
    return tally.setdefault(door, Door())


def _peak_mb() -> float:
    [line] = [one for one in (PROCESS / "status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) / 1000


ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=120)
NASTY = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\u202eEVIL",
        "‮",
        "a" * 5000,
        "é" * 3000,
        "<script>alert(1)</script>",
        "'; DROP TABLE posts; --",
        "{{7*7}}",
        "../../etc/passwd",
        "%s%n",
        "\ud83d",
        "NaN",
        "-0",
        "1e999",
        "٣",
        "Z̴͎̐a̷͈͝l̵̰͋g̸̭͑o̵",
        "\r\nX: y",
        "#" * 300,
        "@" * 300,
        "🔥" * 200,
        "n'a " * 400,
        "(" * 400,
        "pas " * 600,
        "Cholet " * 300,
    ]
)
TEXT = ANY_TEXT | NASTY
LEAF: Any = st.none() | st.booleans() | st.integers() | st.floats() | TEXT


def objects(keys: list[str]) -> Any:
    """JSON values whose objects mostly hold these keys."""
    names = st.sampled_from(keys) | TEXT
    return st.recursive(
        LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6), max_leaves=10
    )


@contextmanager
def answering(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that lets ``talk`` do as it likes with each connection; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=one, args=(connection,), daemon=True).start()

        def one(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
