"""A saved search: the documents that Discover's table shows.

Follows ``discover/public/embeddable`` and ``data/common/search/search_source``: 500 documents, newest first unless the
search says otherwise (settings ``discover:sampleSize`` and ``discover:sort:defaultOrder`` as shipped).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from desk.kibana.panels.lens import Table
from desk.kibana.panels.scope import Scope, query_of
from desk.kibana.panels.views import View

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

SAMPLE = 500


def show(client: Elasticsearch, attributes: Mapping[str, Any], view: View, scope: Scope) -> Table:
    """Ask for the documents and give the columns of the table. Raises PanelError, and what the client raises."""
    columns = [view.field(name).name for name in attributes["columns"]]
    sort = attributes["sort"] or [[view.time_field, "desc"]]
    body = {
        "size": attributes.get("sampleSize") or SAMPLE,
        "track_total_hits": True,
        "query": query_of(view, scope),
        "sort": [{view.field(name).name: {"order": order, "unmapped_type": "boolean"}} for name, order in sort if name],
        "fields": columns,
        "_source": False,
    }
    hits = client.search(index=view.title, body=body).body["hits"]["hits"]
    rows = [{"_id": hit["_id"], **{name: _only(of) for name, of in hit.get("fields", {}).items()}} for hit in hits]
    return Table(view.title, body, ("_id",), {name: name for name in ("_id", *columns)}, rows)


def _only(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values
