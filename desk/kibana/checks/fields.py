"""The fields that a saved object may ask for, and those that a query in Kibana's language asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from desk.kibana import views
from desk.kibana.facts import KINDS
from desk.kibana.panels.errors import PanelError
from desk.kibana.panels.kql import to_dsl
from desk.kibana.panels.views import Field
from store.index.families import FAMILIES


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
    """What is wrong with a query, as Kibana keeps it, over these fields."""
    if query["language"] != "kuery":
        yield f"asks in {query['language']}, not in kuery"
        return
    try:
        asked = to_dsl(query["query"], {name: Field(name, kind, True) for name, kind in kinds.items()}, "UTC")
    except PanelError as error:
        yield f"asks what cannot be read: {error}"
        return
    if "multi_match" in str(asked):
        yield f"asks «{query['query']}» of every field"
