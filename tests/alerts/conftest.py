"""A fresh database, a real SMTP server and a real webhook receiver."""

import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

sys.path.insert(0, str(Path(__file__).parent))

from alerts_kit import Clock, Inbox, Receiver, invented_posts

from store import posts
from store.database import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(migrated: Path, tmp_path: Path, clock: Clock) -> Iterator[Database]:
    shutil.copy(migrated, tmp_path / "vigie.db")
    base = Database.open(f"sqlite:///{tmp_path / 'vigie.db'}", clock=clock)
    with base.write() as conn:
        posts.add(conn, invented_posts())
    yield base
    base.close()


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    box = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("TEST_WEBHOOK_KEY", "shared between two")
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
