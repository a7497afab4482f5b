"""The dashboards put to the proof: recorded posts in a real Elasticsearch, what panels show, what the database says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from config.world import World
from desk.kibana import pack
from desk.kibana.panels.compare import said_by, told_by
from desk.kibana.panels.proof import Proof, prove
from desk.kibana.panels.scene import scene, take_down
from desk.kibana.say import Say
from desk.stack import DRILL
from desk.trials import engine
from desk.web.words import Lang
from store.index.cluster import Cluster, connect

COLUMNS = "{:<2} {:<14} {:<44} {:<44} {:>16} {:>16} {}"
HEAD = COLUMNS.format("", "dashboard", "panel", "asks for", "shows", "database", "")


def proofs(
    files: Sequence[Path], world: World, langs: Sequence[Lang], cluster: Cluster | None
) -> Iterator[tuple[Lang, Proof]]:
    """Play ``files`` (none: the bundled drill) into the index, and put every panel to it; a proof a layer.

    ``cluster``: None starts a node of its own. A scene leaves nothing behind: its prefix is its own. Raises BadScene,
    NoEngine, OSError, and what the client raises.
    """
    with (
        tempfile.TemporaryDirectory(prefix="vigie-prove-") as work,
        _somewhere(cluster, Path(work)) as place,
        scene(files or [DRILL], world, place, Path(work)) as played,
        played.db.read() as conn,
    ):
        for lang in langs:
            made, within = [one.plain() for one in pack.objects(lang, place.prefix)], (played.start, played.end)
            for proof in prove(played.client, conn, made, Say(lang), played.end, within=within):
                yield lang, proof


@contextmanager
def _somewhere(cluster: Cluster | None, work: Path) -> Iterator[Cluster]:
    """The cluster under a prefix beside the one in use, or a node that lives as long as this."""
    if cluster is None:
        with engine.one_node(work) as node:
            yield Cluster((node.url,))
        return
    beside = replace(cluster, prefix=f"{cluster.prefix}-{work.name.removeprefix('vigie-').lower().replace('_', '0')}")
    try:
        yield beside
    finally:
        with connect(beside) as client:
            take_down(client, beside)


def line(lang: Lang, proof: Proof) -> str:
    """A proof as a line of the table, with what is wrong under it."""
    table, name = proof.shown.table, proof.name.partition(".")[0]
    shows = summary(told_by(table).values(), proof.told) if table else "-"
    said = summary(said_by(proof.told).values(), proof.told)
    asks = asked(table.request) if table else "-"
    good = "WRONG" if proof.wrong else "ok"
    row = COLUMNS.format(lang, name, f"{proof.shown.title:.44}", f"{asks:.44}", shows, said, good)
    return "\n".join([row, *(f"     {one}" for one in proof.wrong)])


def summary(rows: Any, told: Mapping[Any, Mapping[str, Any]]) -> str:
    """How many rows there are, and the sum of their first number: ``5 rows, 311``; a lone number as it is."""
    rows = list(rows)
    name = next((name for of in told.values() for name, one in of.items() if _counts(one)), None)
    total = sum(of.get(name) or 0 for of in rows) if name else 0
    if set(told) == {()}:
        return f"{total:g}"
    return f"{len(rows)} row{'s' if len(rows) != 1 else ''}" + (f", {total:g}" if name and name != "updated" else "")


def _counts(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def asked(request: Mapping[str, Any]) -> str:
    """What kind of question a request is: ``terms › date_histogram``, or ``documents``."""
    if "aggs" not in request:
        return "documents"
    steps = list(_steps(request["aggs"]))
    return " › ".join(steps) if steps else "count"


def _steps(aggs: Mapping[str, Any]) -> Iterator[str]:
    """From the outside in; what stands side by side is joined with commas."""
    kinds = {next(key for key in of if key not in ("aggs", "meta")): of for of in aggs.values()}
    if kinds:
        yield ", ".join(kinds)
    for of in aggs.values():
        if inner := of.get("aggs"):
            yield from _steps(inner)
            return
