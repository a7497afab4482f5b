"""Who holds a lease: a process, named so that others on its machine can tell when it is gone."""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

_NAME = re.compile(r"(?P<place>[^:]+):(?P<pid>\d+):")


def this_process(task: str) -> str:
    """The name under which this process holds the leases of ``task``: its machine, its number, the task."""
    return f"{_place()}:{os.getpid()}:{task}"


def gone(owner: str) -> bool:
    """Whether the process of that name has certainly ended. One of another machine or container is not known to have.

    False as well where its number was given to a new process: then the lease runs out by itself.
    """
    known = _NAME.match(owner)
    return known is not None and known["place"] == _place() and _ended(int(known["pid"]))


def _ended(pid: int) -> bool:
    """Whether no such process runs; one that was killed counts, though its parent may not have noticed yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


@cache
def _place() -> str:
    """The machine's name with its space of process numbers: containers may share the one and not the other."""
    space = ""
    with suppress(OSError):  # only Linux has these; elsewhere the machine's name is all there is
        space = f"[{Path('/proc/self/ns/pid').stat().st_ino}]"
    return socket.gethostname().replace(":", "-") + space
