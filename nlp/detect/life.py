"""The life of incidents: opened by the gate, told again when something changes, watched, closed, reopened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from config.world import World
from nlp.detect import gate, match
from nlp.detect.case import Case, agreed_place, counted, decided, utc
from nlp.detect.cluster import Cluster
from nlp.detect.member import Member
from nlp.detect.memory import Memory
from store.records import Change, EventName, Incident, IncidentEvent

LATE_S = 600.0
WATCHED = 6
REMEMBERED_S = 72 * 3600.0
MORE_VOICES = 3
LOOKS = ((20, 1), (200, 10), (1 << 60, 50))


class Detector:
    """One batch: takes changes in order, gathers ``events``, ``links`` (incident → posts), ``unlinked`` posts."""

    def __init__(self, memory: Memory, world: World, found: datetime) -> None:
        self._memory = memory
        self._world = world
        self._found = found.timestamp()
        self._quiet = 60.0 * world.bundle.gate.quiet_minutes
        self.events: list[IncidentEvent] = []
        self.links: dict[str, list[str]] = {}
        self.unlinked: set[str] = set()
        self._forgotten: dict[str, Incident] = {}

    def take(self, change: Change, new: Member | None) -> None:
        """Deal with one change of annotations; ``new`` is the post's vote, None where it speaks of no situation."""
        held = self._memory.where.get(change.key)
        if held and change.op != "insert":
            cluster = self._memory.cluster(held)
            if new == cluster.members[change.key][1]:
                return
            self._memory.drop(cluster, {change.key})
            if new and change.op == "update" and held in self._memory.cases and self._outlived(new):
                self._memory.add(cluster, new)
                return
            self._unlink(held, change.key)
        elif held or (new and change.op == "update" and self._outlived(new)):
            return
        if new and change.op != "delete":
            self._place(new)

    def _outlived(self, new: Member) -> bool:
        """Whether a post is too old to start anything: read again, for retention as an example, it is no news."""
        return new.received < self._memory.now - gate.kept_s(self._world.bundle.gate)

    def advance(self, now: float) -> None:
        """Let event time run to ``now`` (seconds), firing what falls due on the way in the order it does."""
        while True:
            due = min(((case.due, name) for name, case in self._memory.cases.items()), default=None)
            if due is None or due[0] > now:
                break
            self._fire(self._memory.cases[due[1]])
        self._memory.now = max(self._memory.now, now)

    def incidents(self) -> list[Incident]:
        """The incidents that this batch changed, as they are now."""
        living = [self._memory.cases[name] for name in sorted(self._memory.touched)]
        for case in living:
            case.incident = counted(case)
        return [*self._forgotten.values(), *(case.incident for case in living)]

    def _place(self, new: Member) -> None:
        self.advance(new.received)
        self._memory.prune(gate.kept_s(self._world.bundle.gate))
        bids = [(worth, bid) for bid in self._memory.bids(new) if (worth := bid.worth(new)) is not None]
        best = max(bids, key=lambda each: (each[0], each[1].cluster.id), default=None)
        if best and best[1].kind == "incident":
            self._enrich(self._memory.cases[best[1].cluster.id], new)
        elif new.telling:
            cluster = best[1].cluster if best else None
            if cluster is None:
                cluster = self._memory.start(new)
            else:
                self._memory.add(cluster, new)
            if reasons := gate.opens(cluster, new, self._world.bundle.gate):
                self._open(cluster, new, reasons)

    def _enrich(self, case: Case, new: Member) -> None:
        self._memory.add(case.cluster, new)
        self._link(case, [new.post])
        case.incident = replace(case.incident, updated_at=utc(max(self._memory.now, new.received)))
        if new.telling and not new.repost:
            self._stir(case)
        if new.trusted or _looked_at(len(case.cluster.voices)):
            self._review(case, new)

    def _review(self, case: Case, new: Member) -> None:
        incident, reasons = decided(case, self._world)
        voices = len(case.cluster.voices)
        if voices >= MORE_VOICES * case.told_voices:
            reasons = (*reasons, f"voices {case.told_voices} to {voices}")
        case.incident = incident
        if reasons:
            self._tell(case, "update", self._memory.now, reasons, new)

    def _stir(self, case: Case) -> None:
        if case.incident.state == "watching":
            case.incident = replace(case.incident, state="open")
        if case.incident.state == "open":
            case.due = max(case.cluster.last_told, self._memory.now) + self._quiet

    def _open(self, cluster: Cluster, new: Member, reasons: tuple[str, ...]) -> None:
        if case := self._kindred(cluster):
            self._join(cluster, case, new, reasons)
            return
        late = max(self._found, new.received) - new.at > LATE_S
        at = utc(self._memory.now)
        blank = Incident(cluster.id, cluster.status, "open", utc(cluster.first_at), at, at, late=late)
        case = Case(cluster, blank, new.post, self._memory.now + self._quiet)
        self._memory.promote(cluster, case)
        self._link(case, list(cluster.members))
        case.incident, _ = decided(case, self._world)
        self._tell(case, "new", self._memory.now, reasons, new)

    def _join(self, cluster: Cluster, case: Case, new: Member, reasons: tuple[str, ...]) -> None:
        """A cluster that opens tells of an incident we have: it enriches it, or opens it again."""
        self._link(case, list(cluster.members))
        self._memory.merge(cluster, case)
        reopened = case.incident.state == "closed"
        case.incident = replace(case.incident, state="open", closed_at=None, updated_at=utc(self._memory.now))
        self._stir(case)
        if not reopened:
            self._review(case, new)
            return
        case.incident, changed = decided(case, self._world)
        self._tell(case, "update", self._memory.now, ("reopened", *reasons, *changed), new)

    def _kindred(self, cluster: Cluster) -> Case | None:
        """The case that ``cluster`` tells of as well, closed ones included; the best fit."""
        place = agreed_place(cluster, cluster.hazard)
        mine = match.Where((place,) if place else (), cluster.named)
        fits: list[tuple[float, str]] = []
        for name, case in self._memory.cases.items():
            if case.cluster.status != cluster.status:
                continue
            theirs = match.Where(case.cluster.place_list(), case.cluster.named)
            hazards = (cluster.hazard, case.incident.hazard)
            worth = match.fit("incident", match.cosine(cluster, case.cluster), hazards, (mine, theirs))
            if worth is not None:
                fits.append((worth, name))
        return self._memory.cases[max(fits)[1]] if fits else None

    def _fire(self, case: Case) -> None:
        due = case.due
        self._memory.now = max(self._memory.now, due)
        self._memory.touched.add(case.cluster.id)
        if case.incident.state == "open":
            case.incident = replace(case.incident, state="watching", updated_at=utc(due))
            case.due = due + WATCHED * self._quiet
        elif case.incident.state == "watching":
            case.incident = replace(case.incident, state="closed", closed_at=utc(due), updated_at=utc(due))
            case.due = due + REMEMBERED_S
            self._tell(case, "closed", due, (f"quiet since {utc(case.cluster.last_told):%Y-%m-%dT%H:%M:%SZ}",), None)
        else:
            self._forgotten[case.cluster.id] = counted(case)
            self._memory.forget(case)

    def _tell(self, case: Case, event: EventName, at: float, reasons: tuple[str, ...], new: Member | None) -> None:
        revision = case.incident.revision + (event != "new")
        case.incident = replace(counted(case), revision=revision)
        case.told_voices = max(case.told_voices, case.incident.voices)
        self._memory.touched.add(case.cluster.id)
        self.events.append(
            IncidentEvent(
                id=f"{case.incident.id}-{revision}",
                event=event,
                at=utc(at),
                incident=case.incident,
                reason=reasons,
                trigger=new.post if new else None,
                trigger_received_at=utc(new.received) if new else None,
            )
        )

    def _link(self, case: Case, posts: list[str]) -> None:
        self.links.setdefault(case.incident.id, []).extend(posts)
        self.unlinked.difference_update(posts)

    def _unlink(self, incident: str, post: str) -> None:
        self.unlinked.add(post)
        if incident in self.links:
            self.links[incident] = [each for each in self.links[incident] if each != post]


def _looked_at(voices: int) -> bool:
    """Whether an incident is weighed anew at so many voices: at each, then each tenth, then each fiftieth."""
    return voices % next(step for least, step in LOOKS if voices <= least) == 0
