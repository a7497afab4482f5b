"""``vigie restore``: a backup takes the place of the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from config.settings import settings
from store import backup, times
from store.database import Database, file_of
from store.leases import alive, every
from store.owners import gone
from store.trouble import Unusable


@click.command(epilog="Example: vigie restore --check /var/backups/vigie/vigie-20270211T021240Z.db")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--check", "only_check", is_flag=True, help="Only prove that FILE could be restored.")
@click.option("--force", is_flag=True, help="Also where a database is there: it is kept beside the restored one.")
@click.option("--hold-deliveries", is_flag=True, help="Cancel the messages that were still to be sent at the backup.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(file: Path, only_check: bool, force: bool, hold_deliveries: bool, as_json: bool) -> None:
    """Put the backup FILE in the place of the database, after proving it: integrity, version, chain of the ledger.

    Vigie must not run. What was heard since the backup is asked of X again as far as X allows; what was decided and
    sent since is unknown to the restored database: it may be told again.
    """
    here, now = settings(), times.now()
    place = file_of(here.database)
    try:
        found = backup.check(file)
        told: dict[str, Any] = {"file": str(file), "made_at": times.to_iso(found.made_at), "version": found.version}
        told |= {"counts": found.counts, "pending": found.pending, "restored": not only_check}
        if not only_check:
            _refuse(place, force=force)
            backup.restore(found, place, now, hold=hold_deliveries)
        elif bad := backup.broken_chain(found):
            raise backup.BadBackup(f"{file}: line {bad} of its ledger is missing or was changed")
    except backup.BadBackup as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(told) if as_json else _sentences(found, place if not only_check else None, hold_deliveries))


def _refuse(place: Path, *, force: bool) -> None:
    """Raise ClickException where Vigie runs on the database, or where one is there and it is not to be replaced."""
    if not place.exists():
        return
    try:
        db = Database.open(f"sqlite:///{place}")
        with db.read() as conn:
            running = sorted({one.owner for one in every(conn) if alive(one, times.now()) and not gone(one.owner)})
        db.close()
    except Unusable:
        running = []  # a damaged database is what a restore is for
    if running:
        raise click.ClickException(f"Vigie runs on {place} ({', '.join(running)}): end it first")
    if backup.held(place):
        pages = "the desk, the acknowledgement page and the watchdog too"
        raise click.ClickException(f"another process has {place} open: end Vigie first, {pages}")
    if not force:
        raise click.ClickException(f"{place} is there: with --force it is kept beside the restored one")


def _sentences(found: backup.Backup, place: Path | None, held: bool) -> str:
    counts = ", ".join(f"{count:,} {table}" for table, count in found.counts.items())
    lines = [f"{found.file}: whole, of {times.to_iso(found.made_at)}, version {found.version}; {counts}."]
    if place:
        lines.append(f"Restored to {place}. The next `vigie run` goes on from there.")
    if found.pending:
        fate = "are cancelled" if held else "go out when dispatch starts; --hold-deliveries cancels them"
        lines.append(f"{found.pending} messages were still to be sent then and may have left since: they {fate}.")
    return "\n".join(lines)
