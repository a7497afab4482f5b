"""Filters → rules of X's filtered stream, and the rules at X made the same as ours."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import tweepy

from listeners.x_places import places
from listeners.x_text import TooLong, compose

if TYPE_CHECKING:
    from config.world import World

LONGEST = 1024
AT_MOST = 1000
_A_REQUEST = 100
_NAMES = (200, 100, 50, 25, 10)
_Item = TypeVar("_Item")


class TooManyRules(ValueError):
    """The filters need more rules than X allows; the message says how many, and which filters need most."""


class Strange(ValueError):
    """X's answer about rules is not of its kind; the message says in what way."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules by tag (an opaque id made from the value), the filters each stands for, and what could not be said."""

    values: Mapping[str, str]
    filters: Mapping[str, tuple[str, ...]]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation changed, and the rules that X refused with its reason (value → reason)."""

    added: int = 0
    deleted: int = 0
    refused: Mapping[str, str] = field(default_factory=dict)


def compiled(world: World, *, longest: int = LONGEST, at_most: int = AT_MOST) -> RuleSet:
    """The rules for every filter of ``world`` that wants the stream.

    Filters name up to 200 places each, fewer where the rules would be too many. A filter that no rule has room for is
    left out and named in ``faults``. Raises TooManyRules.
    """
    for most_names in _NAMES:
        rules = _compiled(world, longest, most_names)
        if len(rules.values) <= at_most:
            return rules
    raise TooManyRules(_too_many(rules.filters, len(rules.values), at_most))


def _compiled(world: World, longest: int, most_names: int) -> RuleSet:
    values: dict[str, str] = {}
    filters: dict[str, tuple[str, ...]] = {}
    faults: list[str] = []
    for one in world.bundle.filters:
        if not one.stream:
            continue
        try:
            where = places(one, world, accents=True, most_names=most_names)
            rules = compose(one, where, longest=longest, accents=True, retweets=False)
        except TooLong as error:
            faults.append(str(error))
            continue
        for value in rules:
            tag = tag_of(value)
            values[tag] = value
            filters[tag] = (*filters.get(tag, ()), one.id)
    return RuleSet(values, filters, tuple(faults))


def tag_of(value: str) -> str:
    """The tag of a rule: 16 hexadecimal digits of its value's SHA-256, since X lets nobody change a tag."""
    return hashlib.sha256(value.encode()).hexdigest()[:16]


def _too_many(filters: Mapping[str, tuple[str, ...]], needed: int, at_most: int) -> str:
    most = Counter(name for names in filters.values() for name in names).most_common(3)
    costs = ", ".join(f"{name} ({count})" for name, count in most)
    return (
        f"the filters need {needed} rules and X allows {at_most}: most go to {costs}; give these fewer keywords or "
        "smaller areas, or set stream: false"
    )


def synchronise(client: tweepy.StreamingClient, wanted: RuleSet, *, at_most: int = AT_MOST) -> Synced:
    """Makes X's rules those of ``wanted``: only differences travel, each addition is tried with ``dry_run`` first.

    Rules are added before others are deleted, so that nothing is deaf meanwhile, unless the limit leaves no room.
    ``client`` must return dicts. A rule that X refuses is left out and told. Raises tweepy's and requests' exceptions,
    and Strange.
    """
    try:
        return _synchronise(client, wanted, at_most)
    except (AttributeError, KeyError, TypeError) as error:
        raise Strange(f"X answered something strange about its rules: {type(error).__name__}: {error}"[:200]) from error


def _synchronise(client: tweepy.StreamingClient, wanted: RuleSet, at_most: int) -> Synced:
    current = {rule["value"]: str(rule["id"]) for rule in client.get_rules().get("data") or ()}
    ours = set(wanted.values.values())
    missing = [(tag, value) for tag, value in wanted.values.items() if value not in current]
    stale = [identity for value, identity in current.items() if value not in ours]
    crowded = len(current) + len(missing) > at_most
    if crowded:
        _delete(client, stale)
    refused = _refused(client, missing)
    good = [(tag, value) for tag, value in missing if value not in refused]
    for some in _parts(good):
        client.add_rules(_rules(some))
    if not crowded:
        _delete(client, stale)
    return Synced(len(good), len(stale), refused)


def _refused(client: tweepy.StreamingClient, wanted: Sequence[tuple[str, str]]) -> dict[str, str]:
    refused: dict[str, str] = {}
    for some in _parts(wanted):
        for error in client.add_rules(_rules(some), dry_run="true").get("errors") or ():
            if error.get("title") != "DuplicateRule" and "value" in error:
                refused[str(error["value"])] = _reason(error)
    return refused


def _reason(error: Mapping[str, Any]) -> str:
    details = error.get("details") or [error.get("detail") or error.get("title") or "no reason given"]
    return "; ".join(str(detail) for detail in details)


def _delete(client: tweepy.StreamingClient, ids: Sequence[str]) -> None:
    for some in _parts(ids):
        client.delete_rules(list(some))


def _rules(some: Sequence[tuple[str, str]]) -> list[tweepy.StreamRule]:
    return [tweepy.StreamRule(value=value, tag=tag) for tag, value in some]


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for start in range(0, len(items), _A_REQUEST):
        yield items[start : start + _A_REQUEST]
