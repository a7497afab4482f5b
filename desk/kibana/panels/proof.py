"""Every panel of our own dashboards, as a cluster shows it, beside what the database says it should show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from desk.kibana.panels.check import Shown, look
from desk.kibana.panels.compare import differences
from desk.kibana.panels.facts import Facts, facts
from desk.kibana.panels.told import Figures, Near, figures
from desk.kibana.say import Say, strings

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

BOARDS = ("watch.", "analysts.", "exercise.")


@dataclass(frozen=True, slots=True)
class Proof:
    """One layer of a panel. ``name``: what its title is called in ``strings.yaml``; ``told``: what the database says;
    ``wrong``: where they differ, or why the panel cannot be shown."""

    name: str
    shown: Shown
    told: Figures
    wrong: Sequence[str]

    def plain(self) -> dict[str, Any]:
        """As ``--json`` writes it."""
        told = [{"key": list(key), **{name: _plain(of) for name, of in of.items()}} for key, of in self.told.items()]
        return {"name": self.name, **self.shown.plain(), "told": told, "wrong": list(self.wrong)}


def prove(
    client: Elasticsearch,
    conn: Connection,
    objects: Iterable[Mapping[str, Any]],
    say: Say,
    now: datetime,
    *,
    zone: str = "Europe/Paris",
    within: tuple[datetime, datetime] | None = None,
) -> Iterator[Proof]:
    """Put every panel of ``objects`` (the parsed lines of an export) to the cluster and to the database.

    Times are the dashboards' own at ``now``, or ``within``. What the client raises is raised.
    """
    names = {text[say.lang]: key for key, text in strings().items() if key.startswith(BOARDS)}
    read: dict[tuple[datetime, datetime], Facts] = {}
    layers: dict[tuple[str, str], int] = {}
    for shown in look(client, objects, now, zone=zone, within=within):
        span = shown.scope.start, shown.scope.end
        if span not in read:
            read[span] = facts(conn, shown.scope)
        place = layers.get((shown.dashboard, shown.panel), 0)
        layers[shown.dashboard, shown.panel] = place + 1
        told = figures(names[shown.title], read[span], say)
        yield _one(names[shown.title], shown, told[place] if place < len(told) else {})


def _one(name: str, shown: Shown, told: Figures) -> Proof:
    if shown.table is None:
        return Proof(name, shown, told, [shown.fault])
    return Proof(name, shown, told, differences(shown.table, told))


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return {"from": value.low, "to": value.high} if isinstance(value, Near) else value
