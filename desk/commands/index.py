"""``vigie index``: how the search index in Elasticsearch stands; building it anew; comparing it with the database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple

import click
from elasticsearch import Elasticsearch

from config.settings import settings
from desk import indexing
from store import aside, times
from store.database import Database
from store.index import generations, listing
from store.index.bulk import Away, Missing
from store.index.cluster import Cluster, connect
from store.index.families import FAMILIES, STAGE, Family
from store.index.lag import Lag, lag
from store.index.reasons import FAULTS, reason
from store.index.sight import Sight, sight
from store.index.verify import Day

NAMED = {family.name: family for family in FAMILIES}
SHOWN = 10
VERIFY_S = 60.0

FAMILY = click.argument("families", nargs=-1, type=click.Choice(list(NAMED)), metavar="[FAMILY]...")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


class _Place(NamedTuple):
    db: Database
    client: Elasticsearch
    cluster: Cluster


@click.group(epilog="Example: vigie index status --json")
def command() -> None:
    """The search index in the Elasticsearch of VIGIE_ELASTICSEARCH: how it stands, building it anew, comparing it.

    `vigie watch` and `vigie run` feed it by themselves, and build anew what was lost. FAMILY is one of posts,
    public-order, incidents, alerts, deliveries, sources, gaps, hours; none means all.
    """


@command.command(epilog="Example: vigie index status --json")
@AS_JSON
def status(as_json: bool) -> None:
    """Show the cluster, who feeds the index, how far it is behind, and how many documents are on either side.

    The exit status is 1 where the cluster does not answer.
    """
    with _place() as (db, client, cluster):
        try:
            seen, why = sight(client, cluster), None
        except FAULTS as error:
            seen, why = None, reason(error)
        told = _status(db, cluster, seen, why)
    click.echo(json.dumps(told, ensure_ascii=False) if as_json else "\n".join(_lines(told)))
    sys.exit(1 if why else 0)


@command.command(epilog="Example: vigie index rebuild posts incidents")
@FAMILY
@AS_JSON
def rebuild(families: Sequence[str], as_json: bool) -> None:
    """Build new indices from the database beside those that are asked, which take over once they are whole.

    Searches find everything meanwhile. Whoever feeds the index builds them; where nobody does, it is done here, and the
    index is fed until the end. Interrupted, it is gone on with by the next who feeds the index.
    """
    done = []
    with _place() as (db, _, cluster):
        for one in indexing.rebuild(
            db, cluster, times.now, _families(families), lambda line: click.echo(line, err=True)
        ):
            done.append(asdict(one) | {"seconds": round(one.seconds, 1)})
            if not as_json:
                number = one.generation.number
                click.echo(
                    f"{one.family}: generation r{number} is asked, {one.documents:,} documents, {one.seconds:.1f} s"
                )
    if as_json:
        click.echo(json.dumps({"rebuilt": done}))


@command.command(epilog="Example: vigie index verify posts --since 2026-03-01 --repair")
@FAMILY
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only this day (UTC) and later ones.")
@click.option("--repair", is_flag=True, help="Feed anew what differs, and compare again.")
@AS_JSON
def verify(families: Sequence[str], since: datetime | None, repair: bool, as_json: bool) -> None:
    """Compare database and index: documents and a checksum for each family and day (UTC), and what differs by id.

    Works while the index is fed: what is on its way is waited for, and hours that are still counted are left out. The
    exit status is 1 where anything differs, also after a repair.
    """
    days: list[Day] = []
    with _place(VERIFY_S) as (db, client, cluster):
        try:
            first = since.date() if since else None
            for day in indexing.verify(db, client, cluster, times.now, _families(families), since=first, mend=repair):
                days.append(day)
                if not as_json:
                    click.echo("\n".join(_day(day)))
        except (*FAULTS, Away, Missing) as error:
            raise click.ClickException(_fault(error)) from error
    wrong = sum(len(day.faults) for day in days)
    if as_json:
        click.echo(json.dumps({"same": not wrong, "days": [_plain(day) for day in days]}, ensure_ascii=False))
    else:
        click.echo(f"{wrong:,} documents differ" if wrong else f"{len(days):,} days are the same on both sides")
    sys.exit(1 if wrong else 0)


@contextmanager
def _place(timeout_s: float | None = None) -> Iterator[_Place]:
    chosen = settings()
    if chosen.cluster is None:
        raise click.ClickException("no cluster is set: name its addresses in VIGIE_ELASTICSEARCH (docs/settings.md)")
    db, client = Database.open(chosen.database), connect(chosen.cluster, timeout_s=timeout_s)
    try:
        yield _Place(db, client, chosen.cluster)
    finally:
        client.close()
        db.close()


def _families(names: Sequence[str]) -> list[Family]:
    return [NAMED[name] for name in dict.fromkeys(names)] or list(FAMILIES)


def _fault(error: BaseException) -> str:
    return str(error) if isinstance(error, Away | Missing) else reason(error)


def _status(db: Database, cluster: Cluster, seen: Sight | None, why: str | None) -> dict[str, Any]:
    now, feeder = times.now(), indexing.feeding(db, times.now())
    with db.read() as conn:
        behind = lag(conn)
        families = []
        for family in FAMILIES:
            its = generations.standing(conn, family)
            told: dict[str, Any] = {"family": family.name, "generation": its.live.stem(family, cluster.prefix)}
            told |= {"database": listing.count(conn, family), "index": seen and seen.documents(family)}
            families.append(told)
        left_out = [one for one in aside.newest(conn, 1000) if one.stage == STAGE]
    return {
        "hosts": cluster.hosts,
        "answers": seen is not None,
        "reason": why,
        "versions": seen and seen.versions,
        "nodes": seen and seen.nodes,
        "health": seen and seen.health,
        "outdated_templates": seen and seen.templates,
        "fed_by": feeder.owner if feeder else None,
        **_behind(behind, now),
        "families": families,
        "set_aside": {one.key: one.reason for one in left_out},
    }


def _behind(behind: Lag, now: datetime) -> dict[str, Any]:
    away = behind.away
    return {
        "lag": behind.changes,
        "lag_s": round(behind.seconds(now), 3),
        "away": away and {"reason": away.reason, "since": times.to_iso(away.since)},
        "building": [asdict(one) for one in behind.building],
    }


def _lines(told: dict[str, Any]) -> Iterator[str]:
    where = ", ".join(told["hosts"])
    if told["answers"]:
        versions = ", ".join(told["versions"])
        yield f"Elasticsearch {versions} at {where}: {told['nodes']} nodes, {told['health']}"
    else:
        yield f"Elasticsearch at {where} does not answer: {told['reason']}"
    if told["outdated_templates"]:
        yield f"templates that the feeder will put in place: {', '.join(told['outdated_templates'])}"
    yield f"fed by {told['fed_by']}" if told["fed_by"] else "fed by nobody: start `vigie run` or `vigie watch`"
    yield f"behind by {told['lag']:,} changes, {told['lag_s']:g} s"
    if told["away"]:
        yield f"takes nothing since {told['away']['since']}: {told['away']['reason']}"
    for one in told["building"]:
        yield f"being rebuilt: {one['family']} ({one['why']}), {one['done']:,} of {one['total']:,}"
    for one in told["families"]:
        held = "?" if one["index"] is None else f"{one['index']:,}"
        counts = f"{one['database']:>12,} in the database {held:>12} in the index"
        yield f"  {one['family']:<13} {counts}  {one['generation']}"
    for key, why in told["set_aside"].items():
        yield f"set aside: {key}: {why}"


def _day(day: Day) -> Iterator[str]:
    mark = "same" if day.ok else "DIFFERS"
    counts = f"{day.database:>10,} {day.index:>10,}  {day.checksum_database} {day.checksum_index}"
    mended = f", {day.mended:,} fed anew" if day.mended else ""
    moving = f", {day.moving:,} changing" if day.moving else ""
    yield f"{day.family:<13} {day.day} {counts}  {mark}{mended}{moving}"
    for id, fault in list(day.faults.items())[:SHOWN]:
        yield f"    {fault}: {id}"
    if len(day.faults) > SHOWN:
        yield f"    … and {len(day.faults) - SHOWN:,} more: see --json"


def _plain(day: Day) -> dict[str, Any]:
    told = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(day).items()}
    return told | {"same": day.ok}
