"""What the store holds: can it be written, does everything move, is the ledger whole, is there a backup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from alerts import anchoring
from desk.doctor.finding import Finding, Level, Patient
from desk.pulse import vitals
from desk.pulse.clock import LOOKED_AT, doubt
from desk.pulse.ear import Ear
from desk.pulse.storage import PATIENCE_S
from desk.pulse.troubles import Trouble, of_vitals
from desk.pulse.watchdog import DEFAULT_STALLED
from store import aside, backup, gaps, ledger, state, times
from store.trouble import ADVICE

OLD_BACKUP = timedelta(hours=26)
DO = {
    "stopped": "start it: `vigie run`; where it runs, look into its log in the home",
    "hung": "look into its log; end its process by its number: it is started again",
    "lag": "look at the load of the machine; posts wait, none is lost",
    "deliveries": "look at the channel: `vigie ledger --kind delivery.retry`, `vigie doctor --reach`",
    "blind": "look at the sources on the desk: each says why it is off",
    "deaf": "look at its filter: `vigie check`, and what it brought before on the desk",
}


def database(patient: Patient) -> Iterator[Finding]:
    """Whether a write is taken now."""
    if patient.db is None:
        return
    what = patient.db.ailing(PATIENCE_S)
    if what:
        yield Finding("database", "fail", f"it takes no write: {what.replace('_', ' ')}", ADVICE[what])
    else:
        yield Finding("database", "ok", f"{patient.db.file} takes writes")


def movement(patient: Patient) -> Iterator[Finding]:
    """Stages, cursors, deliveries and sources: what stands still."""
    if patient.db is None or patient.world is None:
        return
    bundle = patient.world.bundle
    with patient.db.read() as conn:
        found = vitals.read(conn, patient.now, bundle, Ear(patient.settings.status))
    troubles = list(of_vitals(found, bundle, DEFAULT_STALLED))
    stopped = [trouble.name for trouble in troubles if trouble.kind == "stopped"]
    if stopped:
        yield Finding("movement", "fail", f"stopped: {', '.join(stopped)}", DO["stopped"])
    for trouble in troubles:
        if trouble.kind == "stopped":
            continue
        level: Level = "warn" if trouble.kind in ("lag", "deaf") else "fail"
        yield Finding("movement", level, _said(trouble), DO.get(trouble.kind, ""))
    if not troubles:
        lags = ", ".join(f"{stage.name} {stage.lag}" for stage in found.stages if stage.lag is not None)
        yield Finding("movement", "ok", f"five stages run; changes unread: {lags}")


def _said(trouble: Trouble) -> str:
    since = f" since {times.to_iso(trouble.since)}" if trouble.since else ""
    return f"{trouble.kind} {trouble.name}".strip() + since + (f": {trouble.detail}" if trouble.detail else "")


def clock_of_posts(patient: Patient) -> Iterator[Finding]:
    """Whether the newest posts make sense of this machine's clock."""
    if patient.db is None:
        return
    with patient.db.read() as conn:
        found = doubt(conn, patient.now)
    do = "set the clock: turn on NTP (timedatectl set-ntp true); while it is ahead, incidents count as found late"
    if found.future:
        yield Finding("clock of posts", "fail", f"{found.future} of the last {LOOKED_AT} posts came in the future", do)
    elif found.ahead is not None and found.wrong:
        said = f"posts of the stream seem {found.ahead.total_seconds():+,.0f} s old when they come"
        yield Finding("clock of posts", "fail", said, do)
    else:
        yield Finding("clock of posts", "ok", "the times of the last posts make sense")


def holes(patient: Patient) -> Iterator[Finding]:
    """Times in which a source did not hear and that nobody has filled yet."""
    if patient.db is None:
        return
    with patient.db.read() as conn:
        left = gaps.in_state(conn, "open", "waiting")
    if left:
        first = f"{len(left)} holes are open or wait to be filled, the oldest of {times.to_iso(left[0].started_at)}"
        yield Finding("holes", "warn", first, "see `vigie gaps`; a search source of the bundle fills them")
    else:
        yield Finding("holes", "ok", "none is open")


def set_aside(patient: Patient) -> Iterator[Finding]:
    """What no stage could deal with."""
    if patient.db is None:
        return
    with patient.db.read() as conn:
        many, newest = aside.count(conn), aside.newest(conn, 5)
    if many:
        listed = "; ".join(f"{one.key} ({one.stage}: {one.reason})" for one in newest)
        yield Finding("set aside", "warn", f"{many}, such as {listed}", "read them by hand, and report the reason")
    else:
        yield Finding("set aside", "ok", "nothing")


def chain(patient: Patient) -> Iterator[Finding]:
    """Whether the ledger is whole, and its head reaches the places that keep it outside."""
    if patient.db is None:
        return
    with patient.db.read() as conn:
        bad, failing = ledger.verify(conn), anchoring.failing(state.get(conn, anchoring.STATE))
    for place, why in failing.items():
        do = "put it right: it is tried again every five minutes"
        yield Finding("ledger", "warn", f"its head cannot be written down in {place}: {why}", do)
    if bad:
        do = "see `vigie ledger verify`; keep this database, and find out who changed it"
        yield Finding("ledger", "fail", f"line {bad} is missing or was changed", do)
    else:
        yield Finding("ledger", "ok", "every line is in its chain")


def copy(patient: Patient) -> Iterator[Finding]:
    """How old the last backup is, and whether this database came from it."""
    if patient.db is None:
        return
    with patient.db.read() as conn:
        memory = state.get(conn, backup.MEMORY)
    last, restored = memory.get("last"), memory.get("restored")
    do = "`vigie backup FOLDER`, every day, to another disk"
    if last is None:
        yield Finding("backup", "warn", "none was ever taken", do)
        return
    age = patient.now - times.from_iso(last["at"])
    said = f"the last is of {last['at']}, in {last['file']}"
    if restored and times.from_iso(last["at"]) <= times.from_iso(restored):
        said += f"; this database was restored from it at {restored}"
    yield Finding("backup", "warn", said, do) if age > OLD_BACKUP else Finding("backup", "ok", said)
