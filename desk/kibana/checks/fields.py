"""The fields that a saved object may ask for, and those that a query in Kibana's language asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desk.kibana import views
from desk.kibana.facts import KINDS
from store.index.families import FAMILIES

_QUERY = re.compile(
    r'(?P<field>[a-z_]+(?:\.[a-z_]+)*)\s*(?P<sign>:|>=|<=|>|<)\s*(?P<value>"[^"]*"|\([^()]*\)|[\w*.-]+)'
)
_REST = re.compile(r"(?:\s|\(|\)|\band\b|\bor\b|\bnot\b)*")


@dataclass(frozen=True, slots=True)
class Views:
    """The data views at hand: id → the indices that each shows."""

    titles: Mapping[str, str]

    def kinds(self, view: str) -> Mapping[str, str]:
        """Field → what it is to Kibana, for the family that a data view shows; empty where it shows none."""
        title = self.titles.get(view, "")
        for family in sorted(FAMILIES, key=lambda family: -len(family.name)):
            if title.endswith(f"-{family.name}"):
                return {field: KINDS[kind] for field, kind in views.fields(family.name).items()}
        return {}


def in_query(query: Mapping[str, str], kinds: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a query, as Kibana keeps it, over these fields.

    We write a small part of the language: ``field: value``, ``field: *``, ``field: (a or b)``, ``field >= number``,
    joined with ``and``, ``or``, ``not`` and brackets.
    """
    if query["language"] != "kuery":
        yield f"asks in {query['language']}, not in kuery"
        return
    kql = query["query"]
    if not _REST.fullmatch(_QUERY.sub(" ", kql)):
        yield f"asks «{kql}», which is more of Kibana's language than we write"
    for match in _QUERY.finditer(kql):
        kind = kinds.get(match["field"])
        if kind is None:
            yield f"asks for {match['field']}, which is not there"
        elif match["sign"] != ":" and kind not in ("number", "date"):
            yield f"compares {match['field']}, which is no number"
        elif kind == "boolean" and match["value"] not in ("true", "false", "*"):
            yield f"asks whether {match['field']} is {match['value']}"
