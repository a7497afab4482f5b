"""Filters that X, the local matcher or the policy gate would refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.bundle import Filter
from config.faults import Fault
from config.filters import term_key
from config.lexicon import small_words
from config.load import KeyPath
from config.person import plain
from config.policy import exemption, refuse
from config.rules.case import Case

SEARCH_LONGEST = 512
STREAM_LONGEST = 1024
LANGUAGE = 20  # what ` (lang:fr OR lang:und)` takes
GEOGRAPHY = 40  # what `point_radius:[-0.55 47.47 40km]` takes
_OPERATOR = re.compile(r"(?:^|[\s(-])[a-z_]{2,}:\S|\bOR\b|\bAND\b|\bNOT\b|[()\"]|^\s*-")
_AUTHOR = re.compile(r"\s*(?:from|to)\s*:\s*@?\w+\s*\Z", re.IGNORECASE)


def terms(case: Case) -> Iterator[Fault]:
    """Words that X cannot search or the matcher cannot find: operators, wildcards, stop-words, nothing at all."""
    for index, declared in enumerate(case.bundle.filters):
        path = ("filters", index)
        if all(term.lstrip().startswith("-") for term in declared.keywords):
            advice = "add what to listen for to `keywords`, and write exclusions in `without`, without the dash"
            yield case.error((*path, "keywords"), "only negations", advice)
            continue
        for name, values in (("keywords", declared.keywords), ("with", declared.with_), ("without", declared.without)):
            for place, term in enumerate(values):
                yield from _term(case, (*path, name, place), term)


def _term(case: Case, path: KeyPath, term: str) -> Iterator[Fault]:
    words = term_key(term).split()
    if "*" in term or "?" in term.strip("?"):
        yield case.error(path, f'"{term}" holds a wildcard, which X does not have', "write each form of the word out")
    elif _AUTHOR.match(plain(term)):
        advice = "delete it: posts of trusted `accounts:` are marked as such without a filter"
        yield case.warning(path, f'"{term}" asks who writes, which the local matcher does not see', advice)
    elif _OPERATOR.search(term) and not plain(term).startswith("@"):
        advice = "write plain words; languages, areas and exclusions have keys of their own"
        yield case.error(path, f'"{term}" holds an operator', advice)
    elif not words:
        yield case.error(path, f'"{term}" holds no letter or digit', "write a word")
    elif all(word in small_words() for word in words) and path[2] != "without":
        yield case.error(path, f'"{term}" is only small words, which X refuses', "add a word that carries meaning")


def lengths(case: Case) -> Iterator[Fault]:
    """A filter whose shortest query is still too long, however it is split over several."""
    for index, declared in enumerate(case.bundle.filters):
        shortest = _shortest(declared)
        limits = ((declared.search, SEARCH_LONGEST, "a search"), (declared.stream, STREAM_LONGEST, "a stream rule"))
        for wanted, limit, what in limits:
            if wanted and shortest > limit:
                message = f"even split, {what} needs {shortest} characters and X takes {limit}"
                advice = "shorten the longest keyword, or cut it into two filters"
                yield case.error(("filters", index), message, advice)
                break


def _shortest(declared: Filter) -> int:
    """Characters of what must stay whole: the longest keyword and `with`, place and language; exclusions can go."""
    language = LANGUAGE if declared.languages else 0
    place = GEOGRAPHY if declared.areas and declared.where != "anywhere" else 0
    joined = max((len(term) + 5 for term in declared.with_), default=0)
    return max(len(term) + 2 for term in declared.keywords) + joined + language + place


def sense(case: Case) -> Iterator[Fault]:
    """A filter that can never match, lacks its areas, or is missing altogether."""
    if case.bundle.policy == "filters" and not case.bundle.filters:
        yield case.error(("policy",), "no filter: nothing would be kept", "add filters, or write policy: keep_all")
    off = case.bundle.public_order is None
    for index, declared in enumerate(case.bundle.filters):
        path = ("filters", index)
        if declared.where in ("named", "tagged") and not declared.areas:
            yield case.error(
                (*path, "where"), f"{declared.where} needs areas", "add `areas:`, or write where: anywhere"
            )
        excluded = {term_key(term) for term in declared.without}
        for place, term in enumerate(declared.keywords):
            if term_key(term) in excluded:
                advice = "delete it from one of the two"
                yield case.error((*path, "keywords", place), f'"{term}" is in `without` too: it never matches', advice)
        if off and "public_order_threat" in declared.topics:
            advice = "declare `public_order:` with its legal basis, or delete the topic"
            yield case.warning((*path, "topics"), "public-order tagging is off", advice)


def policy(case: Case) -> Iterator[Fault]:
    """What the policy gate refuses, unless exempt; and exemptions that are in use, over or useless."""
    today = case.now.date()
    refused = set()
    for index, declared in enumerate(case.bundle.filters):
        reasons = refuse(declared, case.bundle)
        if not reasons:
            continue
        refused.add(declared.id)
        if leave := exemption(declared, case.bundle, today):
            message = f"exempt from the policy gate until {leave.until} by {leave.author}: {leave.reason}"
            yield case.warning(("filters", index), message, f"it goes to the ledger; the gate says: {reasons[0]}")
            continue
        for reason in reasons:
            yield case.error(("filters", index), f"refused by the policy gate: {reason}", _advice(reason))
    yield from _exemptions(case, refused)


def _advice(reason: str) -> str:
    if "account" in reason:
        return "listen to words, not people; an institution's account goes to `accounts:` first"
    if "name" in reason:
        return "listen to the situation, or write the place before the name (rue…, hôpital…, tempête…)"
    return "add a harm word (incendie, blessés, violences…), or ask for an exemption with its legal basis"


def _exemptions(case: Case, refused: set[str]) -> Iterator[Fault]:
    for index, leave in enumerate(case.bundle.exemptions):
        path = ("exemptions", index)
        for name in ("author", "reason", "legal_basis"):
            if not getattr(leave, name).strip():
                yield case.error((*path, name), f"the exemption has no {name.replace('_', ' ')}", "write it out")
        if leave.until < case.now.date():
            say = case.error if leave.filter in refused else case.warning
            yield say((*path, "until"), f"the exemption ended on {leave.until}", "delete it, or have it renewed")
        elif leave.filter not in refused and any(f.id == leave.filter for f in case.bundle.filters):
            yield case.warning(path, f'the policy gate passes "{leave.filter}" without it', "delete the exemption")
