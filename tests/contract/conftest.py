"""The command line on invented posts."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from config.settings import ROOT
from desk.cli import main

sys.path.insert(0, str(Path(__file__).parent))

FIRE = (
    "Grosse fumée noire au-dessus de la zone industrielle de Cholet, les flammes sortent du toit",
    "Un entrepôt brûle à Cholet, énorme incendie, évacuez la rue du Moulin",
    "Incendie en cours à Cholet : trois blessés devant l'entrepôt en flammes",
    "Cholet : les pompiers arrivent, l'entrepôt est en feu, explosion il y a deux minutes",
    "Explosion et incendie dans l'entrepôt de Cholet, au moins 2 blessés, restez loin",
    "Les flammes montent encore à Cholet, la N249 est coupée à la sortie 27, fumée épaisse",
)
LUNCH = ("Belle matinée au marché", "Mon chat dort", "The bus is on time today")


@pytest.fixture(scope="session")
def vigie() -> Callable[..., Result]:
    def run(*arguments: object, input: str = "") -> Result:
        return CliRunner().invoke(main, [*map(str, arguments)], input=input)

    return run


@pytest.fixture(scope="session")
def posts() -> list[dict[str, Any]]:
    """A fire told by six people, and ordinary life."""
    return [
        {"id": f"p{n}", "text": text, "created_at": f"2031-03-02T07:{n:02d}:00Z", "author": f"a{n}"}
        for n, text in enumerate([*FIRE, *LUNCH])
    ]


@pytest.fixture(scope="session")
def replayed(vigie, posts, tmp_path_factory) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The lines of --out and of --posts."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "in.jsonl").write_text("".join(json.dumps(post) + "\n" for post in posts), encoding="utf-8")
    config = ROOT / "config" / "catch-all"
    done = vigie(
        "replay", folder / "in.jsonl", "--out", folder / "out", "--posts", folder / "posts", "--config", config
    )
    assert (done.exit_code, done.stderr) == (0, "")
    read = [(folder / name).read_text(encoding="utf-8").splitlines() for name in ("out", "posts")]
    return [json.loads(line) for line in read[0]], [json.loads(line) for line in read[1]]
