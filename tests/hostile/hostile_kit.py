"""How many cases each door gets, and the generators that several doors share.

``VIGIE_CASES`` multiplies the numbers (10 runs ten times as many). The same cases come each time.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

TIMES = int(os.environ.get("VIGIE_CASES", "1"))
planned: dict[str, int] = {}


def cases(door: str, examples: int, *, each: int = 1) -> settings:
    """Settings for so many examples, of ``each`` cases, at one door."""
    planned[door] = examples * each
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=examples * TIMES, deadline=None, derandomize=True, suppress_health_check=slow)


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
