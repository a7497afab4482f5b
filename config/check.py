"""Everything that is wrong with a bundle, at once: form, types, and what the declarations mean together.

Each rule is a function from a :class:`Case` to faults; :data:`RULES` is the list that is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from config.faults import Fault
from config.load import read, typed
from config.rules import listening, owning, people, places, references, running
from config.rules.case import Case

RULES: tuple[Callable[[Case], Iterator[Fault]], ...] = (
    references.ids,
    references.references,
    places.shapes,
    people.reach,
    people.hours,
    people.addresses,
    people.acknowledgement,
    owning.unowned,
    owning.contradictions,
    listening.terms,
    listening.lengths,
    listening.sense,
    listening.policy,
    running.time_zone,
    running.operations,
    running.channels,
    running.watchdog,
    running.anchors,
)


def check(files: Mapping[str, str], *, now: datetime | None = None) -> list[Fault]:
    """Every fault of the files (name → text) of a bundle, errors first, then by file and line; [] for a clean one.

    ``now`` (aware; the present by default) decides which operations and exemptions are over.
    """
    bundle, source = typed(files)
    faults = list(source.faults)
    if bundle is not None:
        case = Case(bundle, source, now)
        faults += [fault for rule in RULES for fault in rule(case)]
    return sorted(set(faults), key=lambda fault: (fault.level, fault.file, fault.line, fault.key, fault.message))


def check_folder(folder: Path, *, now: datetime | None = None) -> list[Fault]:
    """:func:`check` of a folder, with a fault for each file that cannot be read."""
    files, unread = read(folder)
    return unread + (check(files, now=now) if files else [])
