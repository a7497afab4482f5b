from importlib import import_module
from pathlib import Path

from hostile_kit import planned


def test_more_than_ten_thousand_cases_are_generated() -> None:
    for file in Path(__file__).parent.glob("test_*.py"):
        if file.name != Path(__file__).name:
            import_module(file.stem)
    assert sum(planned.values()) > 10_000
