"""Whether a container is well, for Compose's health checks: exit status 0, or 1 with the reason on standard output.

healthy.py URL [PART]               the address answers 200; with PART, Airflow says there that this part is healthy
healthy.py --answers URL            the address answers, if only to refuse
healthy.py --fresh FILE SECONDS    the newest file of that name (it may hold *) was written within so many seconds
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_S = 4.0


def main(words: Sequence[str], now: float) -> str:
    """What is wrong; "" when nothing is. ``now`` is in seconds since the epoch."""
    if words[:1] == ["--fresh"]:
        return stale(Path(words[1]), float(words[2]), now)
    if words[:1] == ["--answers"]:
        return mute(words[1])
    return unwell(words[0], words[1] if len(words) > 1 else None)


def mute(url: str) -> str:
    """What is wrong where nothing answers at ``url``, or only that the server is at fault."""
    said = unwell(url, None)
    return "" if "HTTP Error 4" in said else said


def unwell(url: str, part: str | None) -> str:
    """What is wrong with what answers at ``url``."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            body = answer.read()
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        return f"{url}: {error}"
    if part is None:
        return ""
    said = (json.loads(body).get(part) or {}).get("status")
    return "" if said == "healthy" else f"{part} is {said}"


def stale(pattern: Path, seconds: float, now: float) -> str:
    """What is wrong with the age of the newest file of that name."""
    ages = [now - file.stat().st_mtime for file in pattern.parent.glob(pattern.name)]
    if not ages:
        return f"{pattern} is not there"
    return "" if min(ages) <= seconds else f"{pattern} is {min(ages):.0f} s old"


if __name__ == "__main__":
    reason = main(sys.argv[1:], time.time())
    if reason:
        print(reason)
    sys.exit(1 if reason else 0)
