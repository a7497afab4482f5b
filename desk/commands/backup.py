"""``vigie backup``: a copy of the database, taken while Vigie runs."""

from __future__ import annotations

import json
from pathlib import Path

import click

from config.settings import settings
from store import backup, times
from store.database import Database, file_of


@click.command(epilog="Example: vigie backup /var/backups/vigie --json")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--with-secret", is_flag=True, help="Copy the key file of the home too: TARGET.secret, mode 0600.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(target: Path, with_secret: bool, as_json: bool) -> None:
    """Copy the database to TARGET, a new file, or into the folder TARGET, as it is now; the stages write on meanwhile.

    Posts, incidents, deliveries, the ledger and every configuration version are in it. The key file of the home is
    not: without it, links in messages already sent no longer open, and authors count as new voices.
    """
    here, now = settings(), times.now()
    file = file_of(here.database)
    if target.is_dir():
        target = target / f"vigie-{now:%Y%m%dT%H%M%SZ}.db"
    db = Database.open(here.database)
    try:
        made = backup.take(db, file, target, now)
        secret = _copy_secret(here.home / "secret", target) if with_secret else None
    except backup.BadBackup as error:
        raise click.ClickException(f"the copy does not prove itself and was not kept: {error}") from error
    finally:
        db.close()
    if as_json:
        told = {"file": str(target), "made_at": times.to_iso(now), "version": made.version, "counts": made.counts}
        click.echo(json.dumps(told | {"secret": str(secret) if secret else None}))
        return
    held = ", ".join(f"{count:,} {table}" for table, count in made.counts.items())
    click.echo(f"{target}: {held}; {target.stat().st_size / 1e6:,.1f} MB, mode 0600.")
    click.echo(f"The key file is in {secret}: keep it apart." if secret else "The key file of the home is not in it.")


def _copy_secret(secret: Path, target: Path) -> Path | None:
    """The copy of the key file, where the home has one: with VIGIE_SECRET there is none."""
    if not secret.exists():
        return None
    copy = target.with_name(target.name + ".secret")
    copy.touch(mode=0o600)
    copy.write_bytes(secret.read_bytes())
    return copy
