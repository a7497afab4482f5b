"""Data views: the indices behind a panel, their time field, and their fields as Elasticsearch tells Kibana of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from desk.kibana.panels.errors import Dangling

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch


@dataclass(frozen=True, slots=True)
class Field:
    """A field. ``es_type`` is its type in Elasticsearch, such as ``keyword``."""

    name: str
    es_type: str
    aggregatable: bool


@dataclass(frozen=True, slots=True)
class View:
    """A data view. ``title`` is the index, alias or pattern that is asked."""

    id: str
    title: str
    time_field: str | None
    fields: Mapping[str, Field]

    def field(self, name: str) -> Field:
        """The field of that name. Raises Dangling."""
        if name not in self.fields:
            raise Dangling(f"{self.title} has no field {name}")
        return self.fields[name]


def read_view(client: Elasticsearch, saved: Mapping[str, Any]) -> View:
    """The data view of a saved object of type ``index-pattern``; its fields are asked of the cluster, as Kibana does.

    Raises Dangling where there is no such index, or its time field is none.
    """
    title, time_field = saved["attributes"]["title"], saved["attributes"].get("timeFieldName")
    said = client.field_caps(index=title, fields="*", allow_no_indices=True, ignore_unavailable=True)
    fields = {
        name: Field(name, *_kind(of))
        for name, of in said["fields"].items()
        if not name.startswith("_") and "object" not in of
    }
    if not said["indices"]:
        raise Dangling(f"{title}: there is no such index")
    if time_field and fields.get(time_field, Field("", "", False)).es_type != "date":
        raise Dangling(f"{title}: {time_field} is no date of it")
    return View(saved["id"], title, time_field, fields)


def _kind(of: Mapping[str, Any]) -> tuple[str, bool]:
    """A field that has several types is one that Kibana calls a conflict: it can be used for nothing."""
    (name, first), *others = of.items()
    return ("conflict", False) if others else (name, bool(first["aggregatable"]))
