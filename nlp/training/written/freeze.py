"""The test part is frozen by a hash, so that nobody changes it to please a model."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nlp.training.written.finding import Finding
from nlp.training.written.read import CORPUS

FROZEN = "FROZEN"


class AlreadyFrozen(RuntimeError):
    """The test part was frozen before; the message says how it was and is."""


def digest(folder: Path = CORPUS) -> str:
    """SHA-256 over the names, sizes and bytes of the JSON lines of the test part, in the order of the names."""
    total = hashlib.sha256()
    for path in sorted((folder / "test").glob("*.jsonl")):
        content = path.read_bytes()
        total.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def freeze(folder: Path = CORPUS) -> str:
    """Write ``test/FROZEN``, once; gives the hash. Raises :class:`AlreadyFrozen`; FileNotFoundError without posts."""
    path = folder / "test" / FROZEN
    if not any((folder / "test").glob("posts-*.jsonl")):
        raise FileNotFoundError(2, "no posts to freeze", str(folder / "test"))
    if path.exists():
        raise AlreadyFrozen(f"{path} holds {path.read_text().strip()}; the files now give {digest(folder)}")
    path.write_text(digest(folder) + "\n", encoding="ascii")
    return digest(folder)


def check(folder: Path = CORPUS) -> Finding:
    """Whether the test part is what it was when it was frozen."""
    path = folder / "test" / FROZEN
    if not path.exists():
        return Finding("frozen", None, "the test part is not frozen yet: vigie corpus freeze")
    told, now = path.read_text(encoding="ascii").strip(), digest(folder)
    if told == now:
        return Finding("frozen", True, f"the test part is what was frozen ({now[:12]}…)", {"sha256": now})
    return Finding("frozen", False, f"the test part gives {now[:12]}…, FROZEN says {told[:12]}…", {"sha256": now})
