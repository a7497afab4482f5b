"""A cluster: posts that tell one event, the voices behind them, and what they say together.

Everything but the posts themselves is summed up as posts come, in their order, so that a cluster read back from the
store is the same to the last digit.
"""

from __future__ import annotations

from collections import Counter
from math import sqrt

from nlp.detect import places
from nlp.detect.member import Member, digest
from store.records import Place, Status

COPY = 0.6
MANY_TERMS = 400
KEPT_TERMS = 200
WEAK = 0.1
WITNESSES = 2


class Cluster:
    """Posts of one event. ``id`` is that of the incident it is, or would be; see :func:`incident_id`."""

    def __init__(self, id: str, status: Status) -> None:
        self.id = id
        self.status: Status = status
        self.number = 0
        self.members: dict[str, tuple[int, Member, str]] = {}
        self._clear()

    def _clear(self) -> None:
        self.terms: dict[str, float] = {}
        self._norm2 = 0.0
        self._norm: float | None = None
        self._hazard: str | None = None
        self._voice_of: dict[int, str] = {}
        self._sizes: dict[str, int] = {}
        self.voices: Counter[str] = Counter()
        self.tellers: dict[str, float] = {}
        self.hazards: dict[str, float] = {}
        self.place_votes: dict[str, float] = {}
        self.places: dict[str, Place] = {}
        self.named: set[str] = set()
        self.namers: dict[str, set[str]] = {}
        self._best_places: list[Place] | None = None
        self.tags: dict[str, set[str]] = {}
        self.quantities: dict[str, dict[str, float]] = {}
        self.needs: Counter[str] = Counter()
        self.deniers: set[str] = set()
        self.why: Counter[str] = Counter()
        self.trusted = False
        self.told = 0
        self.urgency = 0.0
        self.last_told = 0.0
        self.last_at = 0.0
        self.first_at = 0.0

    @property
    def norm(self) -> float:
        """The length of the term vector."""
        if self._norm is None:
            self._norm = sqrt(max(self._norm2, 1e-9))
        return self._norm

    @property
    def hazard(self) -> str | None:
        """The hazard with the most votes so far, None without a vote."""
        if self._hazard is None and self.hazards:
            self._hazard = max(self.hazards, key=lambda name: (self.hazards[name], name))
        return self._hazard

    @property
    def authors_known(self) -> int:
        """How many of the voices are authors that the platform named."""
        return sum(voice.startswith("a") for voice in self.voices)

    def add(self, new: Member) -> int:
        """Count a post, which must not be here yet, in; gives its number."""
        voice = self._voice(new)
        self.number += 1
        self.restore(self.number, new, voice)
        return self.number

    def restore(self, number: int, new: Member, voice: str) -> None:
        """Count a post in as it was before: under its ``number`` and ``voice``. Numbers must rise."""
        self.number = number
        self.members[new.post] = (number, new, voice)
        self._sum(new, voice)

    def drop(self, posts: set[str]) -> list[int]:
        """Take posts out; gives their numbers. The sums are made anew from what stays."""
        gone = [self.members[post][0] for post in posts if post in self.members]
        kept = [entry for post, entry in self.members.items() if post not in posts]
        self.members = {}
        self._clear()
        for entry in kept:
            self.members[entry[1].post] = entry
            self._sum(entry[1], entry[2])
        return gone

    def voices_between(self, start: float, end: float) -> dict[str, float]:
        """Voice → weight of its best post, of those that tell of the event from ``start`` to ``end`` (seconds)."""
        heard: dict[str, float] = {}
        for _, each, voice in self.members.values():
            if voice and each.telling and start <= each.at <= end:
                heard[voice] = max(heard.get(voice, 0.0), each.weight)
        return heard

    def place_list(self) -> list[Place]:
        """The places named, those with most votes first, at most eight."""
        if self._best_places is None:
            best = sorted(self.place_votes, key=lambda each: (-self.place_votes[each], each))[:8]
            self._best_places = [self.places[each] for each in best]
        return self._best_places

    def _voice(self, new: Member) -> str:
        """The voice that ``new`` is: a known one for a near-copy, else its author, else itself; "" for a repost."""
        if new.repost:
            return ""
        if (copied := self._near_copy(new)) and (not new.author or len(new.shingles) > 1):
            return copied
        return f"a{new.author}" if new.author else f"t{digest(new.post)}"

    def _near_copy(self, new: Member) -> str | None:
        """The voice that said the same, by the share of three-word groups in the shorter of the two texts."""
        hits = Counter(self._voice_of[each] for each in new.shingles if each in self._voice_of)
        if not hits:
            return None
        voice, shared = max(hits.items(), key=lambda item: (item[1], item[0]))
        return voice if shared >= COPY * min(len(new.shingles), self._sizes[voice]) else None

    def _sum(self, new: Member, voice: str) -> None:
        self.first_at = min(self.first_at or new.at, new.at)
        self.last_at = max(self.last_at, new.at)
        if not voice:
            return
        first = voice not in self.voices
        self.voices[voice] += 1
        self._sizes.setdefault(voice, len(new.shingles))
        for each in new.shingles:
            self._voice_of.setdefault(each, voice)
        self._sum_terms(new, 1.0 if first else WEAK)
        self._vote(new, voice, 1.0 if first else WEAK)
        if new.telling:
            self.last_told = max(self.last_told, new.received)
            self.tellers.setdefault(voice, new.at)
            self.told += 1
            self.urgency += new.urgency

    def _sum_terms(self, new: Member, weight: float) -> None:
        self._norm = None
        for term, value in new.terms.items():
            old = self.terms.get(term, 0.0)
            added = value * weight
            self.terms[term] = old + added
            self._norm2 += 2 * added * old + added * added
        if len(self.terms) > MANY_TERMS:
            best = sorted(self.terms.items(), key=lambda item: (-item[1], item[0]))[:KEPT_TERMS]
            self.terms = dict(best)
            self._norm2 = sum(value * value for _, value in best)

    def _vote(self, new: Member, voice: str, weight: float) -> None:
        if new.hazard and new.telling:
            self._hazard = None
            self.hazards[new.hazard] = self.hazards.get(new.hazard, 0.0) + weight * new.hazard_p
        if new.telling:
            self.named.update(new.named)
        for place in new.places if new.telling else ():
            key = places.key(place)
            self.places.setdefault(key, place)
            self.place_votes[key] = self.place_votes.get(key, 0.0) + weight * place.confidence / len(new.places)
            self.namers.setdefault(key, set()).add(voice)
            self._best_places = None
        for tag in new.tags:
            self.tags.setdefault(tag, set()).add(voice)
        for kind, value in new.quantities.items():
            said = self.quantities.setdefault(kind, {})
            said[voice] = max(said.get(voice, 0.0), value)
        if new.need:
            self.needs[new.need] += 1
        if new.refuted:
            self.deniers.add(voice)
        self.why.update(new.why)
        self.trusted = self.trusted or (new.trusted and new.telling)

    def corroborated(self, kind: str) -> float:
        """The largest number of ``kind`` that two voices reach (the second largest said); 0 where only one says any."""
        said = sorted(self.quantities.get(kind, {}).values(), reverse=True)
        return said[WITNESSES - 1] if len(said) >= WITNESSES else 0.0


def incident_id(trigger: str, status: Status) -> str:
    """The id of the incident that the post ``trigger`` starts."""
    return f"inc-{digest(f'{status}:{trigger}')}"


def best_evidence(cluster: Cluster, first: str | None, limit: int = 8) -> tuple[str, ...]:
    """The posts to show: ``first`` if still there, then one a voice, trusted and surest first, earlier before later."""
    best: dict[str, Member] = {}
    for _, each, voice in cluster.members.values():
        held = best.get(voice)
        if voice and each.telling and (held is None or _rank(each) < _rank(held)):
            best[voice] = each
    ranked = [each.post for each in sorted(best.values(), key=_rank) if each.post != first]
    head = [first] if first in cluster.members else []
    return tuple((head + ranked)[:limit])


def _rank(each: Member) -> tuple[bool, float, float, str]:
    return (not each.trusted, -each.score, each.at, each.post)
