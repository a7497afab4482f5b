"""A configuration that changes while Vigie runs: checked, then published; adopted by each stage at a batch boundary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from config.bundle import Bundle
from config.check import check
from config.faults import Fault
from config.load import load, read, yaml_files
from config.policy import exemption, refuse
from config.world import World
from store import config_versions, ledger
from store.database import Database
from store.records import LedgerEntry


def publish_folder(db: Database, folder: Path, by: str, now: datetime) -> Sequence[Fault]:
    """Check the bundle in ``folder`` and publish it where no fault is an error; gives every fault, warnings included.

    With an error nothing is published and the configuration in force stays. ``now`` is aware. Publishing what is in
    force already changes nothing; anything new goes to the ledger, with the exemptions it rests on.
    """
    files, faults = read(folder)
    faults += check(files, now=now) if files else []
    if any(fault.level == "error" for fault in faults):
        return faults
    bundle = load(files)
    with db.write(durable=True) as conn:
        before = config_versions.latest(conn)
        version = config_versions.publish(conn, files, by, now)
        if before is None or before[0] != version:
            ledger.append(conn, list(_entries(bundle, version, by, now)))
    return faults


def _entries(bundle: Bundle, version: str, by: str, now: datetime) -> Iterator[LedgerEntry]:
    """What the ledger keeps of a publication: the version, and each filter that only an exemption lets through."""
    yield LedgerEntry(at=now, kind="configuration", subject=version, actor=by)
    for declared in bundle.filters:
        leave = exemption(declared, bundle, now.date())
        if leave and refuse(declared, bundle):
            detail = {"reason": leave.reason, "legal_basis": leave.legal_basis, "until": leave.until.isoformat()}
            detail["version"] = version
            yield LedgerEntry(at=now, kind="exemption", subject=declared.id, actor=leave.author, detail=detail)


class Configuration:
    """The newest published configuration, for a loop to ask at each batch boundary."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._world: World | None = None

    def current(self) -> World | None:
        """The world in force, built again only where the version changed; None before the first is published.

        Raises BundleError where a published version does not load, which only a change of Vigie itself can cause.
        """
        with self._db.read() as conn:
            version = config_versions.newest(conn)
            stale = version is not None and (self._world is None or self._world.version != version)
            changed = config_versions.latest(conn) if stale else None
        if changed is not None:
            self._world = World.from_files(*changed)
        return self._world


class FolderWatch:
    """Publishes a folder of YAML whenever its files change."""

    def __init__(self, db: Database, folder: Path) -> None:
        self._db, self._folder = db, folder
        self._seen: list[tuple[str, int, int]] | None = None

    def look(self, now: datetime) -> Sequence[Fault] | None:
        """Publish what changed since the last look. None: nothing did; else the faults, none where it was published."""
        seen = self._stamps()
        if seen == self._seen:
            return None
        self._seen = seen
        return publish_folder(self._db, self._folder, by="listen", now=now)

    def _stamps(self) -> list[tuple[str, int, int]]:
        """What tells a changed folder: names, times and sizes. Empty while the folder or a file of it is replaced."""
        try:
            files = [(path.name, path.stat()) for path in yaml_files(self._folder)]
        except OSError:
            return []
        return [(name, stat.st_mtime_ns, stat.st_size) for name, stat in files]
