"""``vigie bench search``: how soon both engines of the search answer, on the same posts, in one run."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import click
import orjson

from desk.bench._archive import DAYS, START, Archive, Crisis, drawn, fill, incident_id
from desk.bench.pipeline import percentiles
from desk.trials.engine import NoEngine, one_node
from store.database import Database
from store.index import bulk, listing, setup
from store.index.cluster import Cluster, connect
from store.index.documents import documents
from store.index.families import POSTS, PUBLIC_ORDER
from store.index.generations import Generation
from store.search.elastic import Elastic
from store.search.embedded import Embedded
from store.search.request import Area, Engine, Query

FORM = "{:<44}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}"
AT_ONCE = 2_000
PAGE = 50
PATIENCE_S = 60.0
DEEP = 20
"""Which page is asked for deep down."""
FRENCH = ("fumée", "incendie", "route", "pompiers", "gaz", "eau", "quartier", "explosion", "blessés", "pont")
PHRASES = ("dans le", "il y a", "fumée noire", "en feu", "fuite de gaz", "on entend", "les pompiers", "pour le")
FILTERED = ("incendie", "crue", "transport")
BEGINNINGS = ("inon", "fum", "éva", "acc", "expl", "pomp", "aler", "cou")


@dataclass(frozen=True, slots=True)
class Typical:
    """A kind of request; ``variant`` makes the one with that number, which gives how many posts it was about."""

    name: str
    variant: Callable[[Engine, int], int]


@click.command(epilog="Example: vigie bench search --posts 100000 --json")
@click.option(
    "--posts", "number", default=1_000_000, show_default=True, type=click.IntRange(min=1000), help="How many."
)
@click.option(
    "--rounds", default=30, show_default=True, type=click.IntRange(min=2), help="Of each request, all others."
)
@click.option("--seed", default=0, show_default=True, help="Of everything that is drawn.")
@click.option(
    "--work", type=click.Path(file_okay=False, path_type=Path), help="Keep the posts here, and use them again."
)
@click.option("--without-cluster", is_flag=True, help="The database alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(number: int, rounds: int, seed: int, work: Path | None, without_cluster: bool, as_json: bool) -> None:
    """Time ten typical requests on invented posts, in the database and in a real Elasticsearch of one node.

    Each round asks for other words, times and places, so that nothing is answered from what was asked before. A real
    Elasticsearch needs Maven and a JDK; where none can be started the command ends with 1 and says what is missing.
    """
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as folder:
        archive = Archive(number, seed)
        began = time.perf_counter()
        db = _database((work or Path(folder)) / f"archive-{number}-{seed}.db", archive)
        written_s = time.perf_counter() - began
        asked = typical(archive, seed)
        result: dict[str, Any] = {"posts": number, "seed": seed, "rounds": rounds, "written_s": round(written_s, 1)}
        result["database_mb"] = round(db.file.stat().st_size / 1e6)
        try:
            result |= _alone(db, asked, rounds) if without_cluster else _both(db, Path(folder), asked, rounds)
        except NoEngine as missing:
            raise click.ClickException(f"{missing}; --without-cluster times the database alone") from missing
        finally:
            db.close()
    click.echo(orjson.dumps(result) if as_json else table(result))


def _database(path: Path, archive: Archive) -> Database:
    """The posts, written anew or, whole, of an earlier run."""
    whole = path.with_suffix(".whole")
    if not whole.exists():
        path.unlink(missing_ok=True)
    db = Database.open(f"sqlite:///{path}")
    if not whole.exists():
        fill(db, archive)
        whole.touch()
    return db


def _alone(db: Database, asked: Sequence[Typical], rounds: int) -> dict[str, Any]:
    return {"requests": measured({"sqlite": Embedded(db)}, asked, rounds)}


def _both(db: Database, folder: Path, asked: Sequence[Typical], rounds: int) -> dict[str, Any]:
    with one_node(folder) as node, elastic(db, Cluster((node.url,), timeout_s=PATIENCE_S)) as (engine, fed_s):
        requests = measured({"sqlite": Embedded(db), "elasticsearch": engine}, asked, rounds)
    return {"indexed_s": round(fed_s, 1), "requests": requests}


@contextmanager
def elastic(db: Database, cluster: Cluster) -> Iterator[tuple[Elastic, float]]:
    """The engine in the cluster, with the posts of the database in it, and the seconds that took to write."""
    client = connect(cluster)
    began = time.perf_counter()
    setup.install(client, cluster, (POSTS, PUBLIC_ORDER))
    for family in (POSTS, PUBLIC_ORDER):
        after: tuple[Any, ...] | None = None
        while True:
            with db.read() as conn:
                some = listing.page(conn, family, after, AT_ONCE)
                found = documents(conn, family, some.ids)
            periods = {family.period_of(one.at) for one in found.values()}
            setup.ensure(client, cluster, family, Generation(family.version), periods)
            index = {id: setup.index_of(cluster, family, one.at) for id, one in found.items()}
            bulk.send(client, [bulk.Action(index[id], id, 1, one.body) for id, one in found.items()])
            if (after := some.after) is None:
                break
    client.indices.refresh(index=f"{cluster.prefix}-*")
    client.close()
    engine = Elastic(cluster, timeout_s=PATIENCE_S)
    yield engine, time.perf_counter() - began
    engine.close()


def measured(engines: Mapping[str, Engine], asked: Sequence[Typical], rounds: int) -> list[dict[str, Any]]:
    """Milliseconds of each request in each engine, p50 and p95, and about how many posts it was on average.

    The engines take turns; a round before those that count warms both up.
    """
    took: dict[tuple[str, str], list[float]] = {(one.name, name): [] for one in asked for name in engines}
    about: dict[str, int] = dict.fromkeys((one.name for one in asked), 0)
    for turn in range(rounds + 1):
        for one in asked:
            for name, engine in engines.items():
                began = time.perf_counter()
                posts = one.variant(engine, turn)
                if turn:
                    took[one.name, name].append(time.perf_counter() - began)
                    about[one.name] += posts if name == "sqlite" else 0
    return [
        {"name": one.name, "posts": about[one.name] // rounds}
        | {name: percentiles(took[one.name, name], 50, 95) for name in engines}
        for one in asked
    ]


def typical(archive: Archive, seed: int) -> list[Typical]:
    """Ten requests as analysts make them, whose words, times and places change with each round."""
    crises, draw = drawn(archive, seed, 200), Random(f"times {seed}")
    since = [START + timedelta(days=draw.uniform(0, DAYS - 8)) for _ in range(200)]
    numbers = {id(one): n for n, one in enumerate(archive.crises)}

    def week(n: int, days: float = 7) -> dict[str, Any]:
        return {"since": since[n], "until": since[n] + timedelta(days=days)}

    def incident(n: int) -> Query:
        return Query(incident=incident_id(numbers[id(crises[n])]))

    asked: dict[str, Callable[[Engine, int], int]] = {
        "everything, newest first": lambda e, n: _total(e, Query(until=since[n])),
        "a frequent word": lambda e, n: _total(e, Query(_word(n), until=since[n])),
        "two words, closest first": lambda e, n: _total(e, Query(_pair(n)), sort="relevance"),
        "a phrase, one week": lambda e, n: _total(e, Query(f'"{PHRASES[n % len(PHRASES)]}"', **week(n))),
        "a beginning, one day": lambda e, n: _total(e, Query(BEGINNINGS[n % len(BEGINNINGS)], **week(n, 1))),
        "emerging ≥ 0.8, one week": lambda e, n: _total(e, Query(tag="emerging_incident", least=0.8, **week(n))),
        "a hazard in a drawn area": lambda e, n: _total(e, Query(hazard=crises[n].hazard, area=_around(crises[n]))),
        "page 21 of a filter": lambda e, n: _deep(e, Query(filter=FILTERED[n % 3], until=since[n] + timedelta(days=5))),
        "histogram of a word, one week by hours": lambda e, n: _hours(e, Query(_word(n), **week(n))),
        "map tiles and top places of an incident": lambda e, n: _map(e, incident(n)),
    }
    return [Typical(name, variant) for name, variant in asked.items()]


def _total(engine: Engine, query: Query, **how: Any) -> int:
    return engine.search(query, limit=PAGE, **how).total


def _deep(engine: Engine, query: Query) -> int:
    """The page after :data:`DEEP` others, which are read as one."""
    page = engine.search(query, limit=PAGE * DEEP)
    return engine.search(query, limit=PAGE, after=page.after).total if page.after else page.total


def _hours(engine: Engine, query: Query) -> int:
    return sum(one.posts for one in engine.histogram(query, "hour"))


def _around(crisis: Crisis) -> Area:
    around = ((-0.3, -0.4), (-0.25, 0.35), (0.1, 0.45), (0.3, 0.1), (0.2, -0.4))
    return Area(tuple((crisis.town.lat + north, crisis.town.lon + east) for north, east in around))


def _word(n: int) -> str:
    return FRENCH[n % len(FRENCH)]


def _pair(n: int) -> str:
    return f"{_word(n)} {_word(n // len(FRENCH) + n + 3)}"


def _map(engine: Engine, query: Query) -> int:
    engine.top(query, "place")
    return sum(one.posts for one in engine.tiles(query, 10))


def table(result: Mapping[str, Any]) -> str:
    """The figures as lines."""
    names = [name for name in ("sqlite", "elasticsearch") if name in result["requests"][0]]
    heads = [f"{name} {p}" for name in ("sqlite", "elastic")[: len(names)] for p in ("p50", "p95")]
    lines = [
        f"{result['posts']:,} posts (seed {result['seed']}), written in {result['written_s']} s, "
        f"{result['database_mb']:,} MB"
        + (f"; indexed in {result['indexed_s']} s" if "indexed_s" in result else "")
        + f"; {result['rounds']} rounds, milliseconds",
        FORM.format("request", "posts", *heads, *[""] * (4 - len(heads))),
    ]
    for one in result["requests"]:
        figures = [one[name][p] for name in names for p in ("p50_ms", "p95_ms")]
        lines.append(FORM.format(one["name"], f"{one['posts']:,}", *figures, *[""] * (4 - len(figures))))
    return "\n".join(line.rstrip() for line in lines)
