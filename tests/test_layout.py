import ast
from pathlib import Path

import pytest

from config.settings import ROOT

ROOMS = ("store", "config", "listeners", "nlp", "alerts", "desk", "dags")
SOURCES = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")] + [ROOT / "vigie.py"]


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    return plain | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def functions(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("room", ["store", "config", "listeners", "nlp", "alerts"])
def test_only_desk_and_dags_import_the_spine(room):
    assert [path.name for path in (ROOT / room).rglob("*.py") if "vigie" in imported(path)] == []


def test_no_file_is_longer_than_four_hundred_lines():
    assert [path.name for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_no_function_is_longer_than_fifty_lines():
    def length(node):
        return (node.end_lineno or node.lineno) - node.lineno + 1

    assert [f"{path.name}:{node.name}" for path in SOURCES for node in functions(path) if length(node) > 50] == []


def test_nothing_is_pickled():
    assert [path.name for path in SOURCES if imported(path) & {"pickle", "joblib", "cloudpickle", "dill"}] == []


def test_the_lock_names_no_host():
    locks = ROOT.glob("requirements*.lock")
    assert [path.name for path in locks if "://" in path.read_text(encoding="utf-8")] == []
