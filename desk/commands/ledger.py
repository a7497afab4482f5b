"""``vigie ledger``: what was decided, sent and answered, in a log that nobody can quietly change."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from alerts import anchoring
from alerts.entries import KINDS
from config.publish import Configuration
from config.secrets import installation_key
from config.settings import settings
from store import anchors, ledger, state, times
from store.database import Database
from store.records import Anchor, LedgerEntry

KINDS_HELP = "Only this kind, such as delivery.sent. Those of alerts: " + ", ".join(KINDS)


@click.group(invoke_without_command=True)
@click.option("--kind", help=KINDS_HELP)
@click.option("--subject", help="Only about this id: an incident, an alert or a delivery.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Only lines after this number.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many lines.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@click.pass_context
def command(ctx: click.Context, kind: str | None, subject: str | None, after: int, limit: int, as_json: bool) -> None:
    """List the ledger, oldest first; `vigie ledger verify` proves that nobody changed it.

    Example: vigie ledger --kind acknowledged --json
    """
    if ctx.invoked_subcommand is not None:
        return
    db = Database.open(settings().database)
    with db.read() as conn:
        found = ledger.entries(conn, after=after, limit=limit, kind=kind, subject=subject)
    db.close()
    if as_json:
        click.echo(json.dumps([_plain(entry) for entry in found], ensure_ascii=False, indent=1))
        return
    for entry in found:
        click.echo(_line(entry))


@command.command()
@click.option(
    "--anchors",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with anchors from outside, a line each; again for more. Those of the bundle are read anyway.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(files: tuple[Path, ...], as_json: bool) -> None:
    """Check every line against the one before it, and the whole against its anchors: heads that were written down
    outside the database. Says up to which line they prove it. The exit status is 1 where something is wrong, also
    where an anchor is gone from its file.

    Example: vigie ledger verify --anchors /media/archive/ancres.jsonl
    """
    chosen = settings()
    db = Database.open(chosen.database)
    world = Configuration(db).current()
    declared = {place.id: chosen.home / place.file for place in world.bundle.anchors if place.file} if world else {}
    missing = [path for path in declared.values() if not path.exists()]
    outside = [one for path in (*files, *declared.values()) if path not in missing for one in _anchors(path)]
    with db.read() as conn:
        proof = anchors.prove(conn, outside, installation_key(chosen.home, "anchor"))
        lost = {path: gone for place, path in declared.items() if (gone := anchors.lost(conn, place, outside))}
        failing = anchoring.failing(state.get(conn, anchoring.STATE))
    db.close()
    if as_json:
        click.echo(json.dumps(_proof(proof, failing, missing, lost), ensure_ascii=False))
    else:
        click.echo("\n".join(_say(proof, failing, missing, lost)))
    if lost or not proof.intact:
        sys.exit(1)


def _anchors(path: Path) -> list[Anchor]:
    """The anchors of a file; lines that hold none are passed over."""
    return [found for line in path.read_bytes().splitlines() if (found := anchors.of_line(line))]


def _proof(
    proof: anchors.Proof, failing: Mapping[str, str], missing: list[Path], lost: Mapping[Path, Anchor]
) -> dict[str, Any]:
    return {
        "intact": proof.intact,
        "first_bad": proof.first_bad,
        "lines": proof.lines,
        "proved": proof.outside.seq if proof.outside else 0,
        "unproved": proof.unproved,
        "outside": proof.outside and _named(proof.outside),
        "inside": proof.inside and _named(proof.inside),
        "contradicted": [_named(one) for one in proof.contradicted],
        "refused": [_named(one) for one in proof.refused],
        "failing": dict(failing),
        "missing": [str(path) for path in missing],
        "lost": {str(path): _named(one) for path, one in lost.items()},
    }


def _named(anchor: Anchor) -> dict[str, Any]:
    return {"seq": anchor.seq, "at": times.to_iso(anchor.at), "place": anchor.place}


def _say(
    proof: anchors.Proof, failing: Mapping[str, str], missing: list[Path], lost: Mapping[Path, Anchor]
) -> Iterator[str]:
    if proof.intact:
        yield f"the ledger is intact: {proof.lines} lines"
    else:
        yield f"line {proof.first_bad} is missing, changed or out of order"
    for one in proof.contradicted:
        yield f"the anchor of {_where(one)} does not agree: the ledger was cut or rewritten at or before that line"
    for one in proof.refused:
        yield f"the anchor of {_where(one)} is not sealed with this installation's key: it proves nothing"
    if proof.outside:
        yield f"proved from outside up to {_where(proof.outside)}"
    if proof.unproved:
        first = proof.lines - proof.unproved + 1
        which = f"lines {first} to {proof.lines} are" if proof.unproved > 1 else f"line {first} is"
        yield f"{which} not proved: no anchor from outside is as new"
    if proof.inside and proof.inside.seq > (proof.outside.seq if proof.outside else 0):
        yield f"anchors in the database itself reach {_where(proof.inside)}: they hold unless somebody has the key"
    for place, why in failing.items():
        yield f"the place {place} cannot be anchored at present: {why}"
    for path, one in lost.items():
        what = "is gone" if path in missing else "no longer holds it"
        yield f"the anchor of {_where(one)} was written in {path}, which {what}: find it, and give it with --anchors"
    for path in missing:
        if path not in lost:
            yield f"{path} is not there: nothing was anchored in it yet"


def _where(anchor: Anchor) -> str:
    return f"line {anchor.seq}, {times.to_iso(anchor.at)}, in {anchor.place}"


def _plain(entry: LedgerEntry) -> dict[str, Any]:
    return {name: times.to_iso(v) if isinstance(v, datetime) else v for name, v in asdict(entry).items()}


def _line(entry: LedgerEntry) -> str:
    detail = " ".join(f"{name}={_short(value)}" for name, value in entry.detail.items())
    return f"{entry.seq:>6} {times.to_iso(entry.at)} {entry.kind:<20} {entry.subject} {entry.actor} {detail}"


def _short(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
