"""The columns of a Lens layer: what a chart groups by, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from desk.kibana import views
from desk.kibana.facts import BUCKETS, RECORDS
from desk.kibana.views import View

Scale = Literal["ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``label`` is what people read, ``params`` and ``more`` what Lens keeps with its operation.

    ``kql`` keeps what it counts to the documents that match.
    """

    operation: str
    label: str
    kind: str
    scale: Scale
    field: str | None
    params: Mapping[str, Any]
    kql: str = ""

    def plain(self) -> dict[str, Any]:
        """As Lens keeps it."""
        column: dict[str, Any] = {
            "label": self.label,
            "customLabel": True,
            "dataType": self.kind,
            "operationType": self.operation,
            "isBucketed": self.operation in BUCKETS,
            "scale": self.scale,
            "params": dict(self.params),
        }
        column |= {"sourceField": self.field} if self.field else {}
        return column | ({"filter": query(self.kql)} if self.kql else {})


def query(kql: str) -> dict[str, str]:
    """A query in Kibana's own language."""
    return {"query": kql, "language": "kuery"}


@dataclass(frozen=True, slots=True)
class On:
    """Columns over the fields of one data view; a label is the field's own where none is given."""

    view: View

    def count(self, label: str, kql: str = "") -> Column:
        """How many documents."""
        return Column("count", label, "number", "ratio", RECORDS, {"emptyAsNull": False}, kql)

    def number(self, operation: str, field: str, label: str = "", kql: str = "") -> Column:
        """``sum``, ``max``, ``average``, ``median`` or ``unique_count`` of a field."""
        kind = "number" if operation == "unique_count" else self._kind(field)
        return Column(operation, label or self.view.label(field), kind, "ratio", field, {"emptyAsNull": True}, kql)

    def percentile(self, field: str, percentile: int, label: str) -> Column:
        """The value under which ``percentile`` in a hundred lie."""
        return Column("percentile", label, "number", "ratio", field, {"percentile": percentile})

    def last(self, field: str, by: str, label: str = "") -> Column:
        """The value of the newest document, by the date field ``by``; of several values all."""
        kind = self._kind(field)
        scale: Scale = "ratio" if kind == "number" else "ordinal"
        params = {"sortField": by, "showArrayValues": True}  # so it asks top_hits, not top_metrics
        return Column("last_value", label or self.view.label(field), kind, scale, field, params, f"{field}: *")

    def terms(self, field: str, size: int, by: str | None, label: str = "", *, missing: bool = False) -> Column:
        """The most frequent values: the highest ``by`` first, a column of the same layer, or in alphabetical order."""
        order = {"type": "column", "columnId": by} if by else {"type": "alphabetical", "fallback": False}
        params = {
            "size": size,
            "orderBy": order,
            "orderDirection": "desc" if by else "asc",
            "otherBucket": missing,
            "missingBucket": missing,
            "parentFormat": {"id": "terms"},
        }
        return Column("terms", label or self.view.label(field), self._kind(field), "ordinal", field, params)

    def time(self, field: str, interval: str = "auto", label: str = "") -> Column:
        """Slices of time; with ``auto`` Kibana chooses their length from the range on show."""
        params = {"interval": interval, "includeEmptyRows": True, "dropPartials": False}
        return Column("date_histogram", label or self.view.label(field), "date", "interval", field, params)

    def _kind(self, field: str) -> str:
        return views.kind(self.view.family.name, field)


def filters(label: str, choices: Sequence[tuple[str, str]]) -> Column:
    """One group for each (label, KQL); a document may be in several."""
    params = {"filters": [{"label": name, "input": query(kql)} for name, kql in choices]}
    return Column("filters", label, "string", "ordinal", None, params)
