"""The ownership map as a whole: what nobody owns, and where rules contradict each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from config.bundle import OwnershipRule
from config.faults import Fault
from config.rules.case import Case
from config.vocabulary import TOPICS

SAME_SIZE = 1e-3
LISTED = 8


def unowned(case: Case) -> Iterator[Fault]:
    """Topics that no rule gives to anybody in an area; the default lead takes them."""
    default = case.bundle.default_lead
    for index, area in enumerate(case.bundle.areas):
        rules = [r for r in case.bundle.ownership if r.min_severity == "Unknown" and _applies(case, r, area.id)]
        owned = {topic for rule in rules for topic in rule.topics}
        missing = [] if "*" in owned else [topic for topic in TOPICS if topic not in owned]
        if missing:
            shown = ", ".join(missing[:LISTED]) + (
                f" and {len(missing) - LISTED} more" if len(missing) > LISTED else ""
            )
            message = f'nobody owns, in "{area.id}": {shown}'
            yield case.warning(("areas", index), message, f'"{default}" is told; add a rule, or one with topics: ["*"]')


def _applies(case: Case, rule: OwnershipRule, area: str) -> bool:
    known = {area.id for area in case.bundle.areas}
    return any(name == "*" or (name in known and case.areas.inside(area, name)) for name in rule.areas)


def contradictions(case: Case) -> Iterator[Fault]:
    """Two rules equally specific for one topic in one area, with different leads."""
    for (i, one), (j, other) in combinations(enumerate(case.bundle.ownership), 2):
        topics = sorted(set(one.topics) & set(other.topics))
        if one.lead == other.lead or one.min_severity != other.min_severity or not topics:
            continue
        if shared := _equal_area(case, one, other):
            file, line = case.source.place(("ownership", i))
            message = f'"{other.id}" gives {topics[0]} in "{shared}" to "{other.lead}", "{one.id}" to "{one.lead}"'
            advice = f"keep one lead and name the other in `support:`, or narrow an area; see {file}:{line}"
            yield case.error(("ownership", j), message, advice)


def _equal_area(case: Case, one: OwnershipRule, other: OwnershipRule) -> str:
    """An area that both rules name, or one of two overlapping areas of the same size; "" where there is none."""
    if both := sorted(set(one.areas) & set(other.areas)):
        return both[0]
    known = {area.id for area in case.bundle.areas}
    pairs = ((a, b) for a in one.areas for b in other.areas if a in known and b in known)
    return next((a for a, b in pairs if _same_size(case, a, b) and _overlap(case, a, b)), "")


def _same_size(case: Case, a: str, b: str) -> bool:
    one, other = case.areas.size_km2(a), case.areas.size_km2(b)
    return abs(one - other) <= SAME_SIZE * max(one, other)


def _overlap(case: Case, a: str, b: str) -> bool:
    shared = {place.insee for place in case.areas.communes(a)} & {place.insee for place in case.areas.communes(b)}
    return bool(shared) or case.areas.inside(a, b)
