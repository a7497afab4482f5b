"""Generated input for every door: whatever comes, an answer that helps, in time, in little memory."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))


def pytest_sessionfinish() -> None:
    """Writes down what really ran, for ``vigie bench hostile``."""
    from hostile_kit import tally

    if wanted := os.environ.get("VIGIE_TALLY"):
        Path(wanted).write_text(json.dumps({door: asdict(seen) for door, seen in tally.items()}))
