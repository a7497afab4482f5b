"""Vigie's image: installed as its Dockerfile says, each service started as the stack says, until it is well.

One environment is made for all. Containers run as the image's user, who can change nothing of the code.
"""

import sqlite3
import stat
import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from image_kit import ONCE, PATIENCE_S, container
from stack_kit import as_user

pytestmark = pytest.mark.slow
PAGES = ("desk", "acknowledge", "watchdog", "backup", "drill-x", "drill-mailbox")


def test_the_image_can_change_nothing_of_its_code(image):
    if image.user is None:
        pytest.skip("only root can become the image's user, and it needs a Python that others may run")
    code = image.root / "opt" / "vigie" / "vigie.py"
    for path in (code, image.root / "opt" / "venv" / "bin" / "vigie"):
        done = subprocess.run(as_user(image.user, "sh", "-c", f"echo >> {path}"), capture_output=True)
        assert done.returncode != 0
    assert not code.stat().st_mode & 0o022


def test_the_image_holds_the_rooms_and_neither_tests_nor_secrets(image):
    held = {path.name for path in (image.root / "opt" / "vigie").iterdir()}
    assert {"vigie.py", "alerts", "config", "dags", "desk", "docker", "listeners", "nlp", "store"} <= held
    assert not held & {"tests", "docs", ".git", "var", ".venv", "shared"}
    assert {path.name for path in (image.root / "opt" / "vigie" / "docker").iterdir()} == {"vigie", "requirements.lock"}
    assert not (image.root / "opt" / "venv" / "bin" / "pytest").exists()


def test_the_keys_lie_where_only_vigie_reads_them_and_the_dashboards_are_in_their_space(image, prepared, stand_in):
    assert prepared == list(ONCE)
    keys = list(Path(image.here("/var/lib/vigie-keys")).iterdir())
    assert {(key.name, stat.S_IMODE(key.stat().st_mode)) for key in keys} == {
        ("feed.key", 0o600),
        ("kibana.key", 0o600),
    }
    assert [space for space, _ in stand_in.imports] == ["crise"]


def test_every_page_and_helper_starts_as_the_stack_says_and_is_well(image, compose, folder, prepared):
    with ExitStack() as up:
        started = [up.enter_context(container(image, name, compose["services"][name], folder)) for name in PAGES]
        for one in started:
            one.until_healthy(PATIENCE_S)
            assert one.process.poll() is None, one.said()
    (copy,) = Path(image.here("/var/backups/vigie")).glob("vigie-*.db")
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert [one.name for one in started if one.process.returncode not in (0, -15, 143)] == []
