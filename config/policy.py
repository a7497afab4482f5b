"""The policy gate: situations, not people. Which filters it refuses, and why.

Refused: watching an account outside the register of institutional accounts (``from:``, ``to:``, ``@``), a person's
name, and gatherings (assembly words) not joined with harm. An exemption lets a refused filter through until its day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from config.bundle import Bundle, Exemption, Filter
from config.lexicon import policy_words
from config.person import names_in, plain, term_words
from config.text import fold

_ACCOUNT = re.compile(
    r"(?<!\w)(?:from|to|retweets_of|retweets_of_status_id|in_reply_to|mentions|list|bio|bio_name|author|user)\s*:\s*@?(\w*)"
    r"|@\s?(\w+)|(?:twitter|x|facebook|instagram|tiktok)\.com/@?(\w+)",
    re.IGNORECASE,
)


def refuse(declared: Filter, bundle: Bundle) -> list[str]:
    """Why the policy gate refuses a filter, a sentence each; [] where it passes. Exemptions do not count here."""
    return list(dict.fromkeys([*_accounts(declared, bundle), *_people(declared), *_assemblies(declared)]))


def exemption(declared: Filter, bundle: Bundle, today: date) -> Exemption | None:
    """The exemption that lets the filter through on a day, or None."""
    fits = (e for e in bundle.exemptions if e.filter == declared.id and e.until >= today)
    return next(fits, None)


def _terms(declared: Filter) -> tuple[str, ...]:
    return (*declared.keywords, *declared.with_, *declared.without)


def _accounts(declared: Filter, bundle: Bundle) -> Iterator[str]:
    register = {fold(name) for account in bundle.accounts for name in (account.handle.lstrip("@"), account.id) if name}
    for term in _terms(declared):
        for match in _ACCOUNT.finditer(plain(term)):
            handle = next((group for group in match.groups() if group), "")
            if fold(handle) not in register:
                yield f'"{term}" watches the account "{handle}", which is not in the register of institutional accounts'


def _people(declared: Filter) -> Iterator[str]:
    for term in _terms(declared):
        for name in names_in(term):
            yield f'"{term}" holds what reads as a person\'s name: {name}'
    for term in declared.keywords:
        for other in declared.with_:
            if " " not in term + other and (names_in(f"{term} {other}") or names_in(f"{other} {term}")):
                yield f'"{term}" with "{other}" reads as a person\'s name'


def _assemblies(declared: Filter) -> Iterator[str]:
    harmful = [_harms(term) for term in declared.with_]
    joined = bool(harmful) and all(harmful)
    for term in declared.keywords:
        if _assembles(term) and not _harms(term) and not joined:
            yield f'"{term}" watches gatherings that harm nobody: join it with a harm word, in the keyword or in `with`'
    for term in declared.with_:
        if _assembles(term) and not _harms(term) and not all(map(_harms, declared.keywords)):
            yield f'"{term}" in `with` watches gatherings: every keyword beside it must be a harm word'


def _assembles(term: str) -> bool:
    return bool(policy_words().assembly.search(term_words(term)))


def _harms(term: str) -> bool:
    return bool(policy_words().harm.search(term_words(term)))
