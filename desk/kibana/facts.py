"""What Kibana 9.2 demands of a saved object, read from its public sources; :mod:`desk.kibana.check` holds us to it.

``version`` is the *typeMigrationVersion* that our objects declare: the one whose shape they have. An import brings an
object up from there to what the running Kibana holds, and refuses one that is newer than itself, so each is the oldest
with that shape; a shape of one version never changes once it was released. ``where`` names the files of elastic/kibana,
each with the commit at which it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RELEASE = "9.2"
CORE = "8.8.0"  # coreMigrationVersion: the last change to what all objects share
GRID = 48  # columns of a dashboard
DATA_VIEW = "index-pattern"


@dataclass(frozen=True, slots=True)
class Fact:
    """A type of saved object: attributes it must and may have, and which of them are JSON written as a string."""

    version: str
    must: frozenset[str]
    may: frozenset[str]
    json: frozenset[str]
    where: str


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _fact(version: str, must: str, may: str, json: str, where: str) -> Fact:
    return Fact(version, _names(must), _names(may), _names(json), where)


_SHARED = "src/platform/plugins/shared"
TYPES: Mapping[str, Fact] = {
    DATA_VIEW: _fact(
        "8.0.0",
        "title name",
        "timeFieldName fieldFormatMap fieldAttrs fields sourceFilters runtimeFieldMap typeMeta allowNoIndex",
        "fieldFormatMap fieldAttrs fields sourceFilters runtimeFieldMap typeMeta",
        f"{_SHARED}/data_views/server/saved_objects/data_views.ts@385d45e4",
    ),
    "dashboard": _fact(
        "10.3.0",
        "title panelsJSON optionsJSON kibanaSavedObjectMeta",
        "description timeRestore timeFrom timeTo refreshInterval controlGroupInput sections version hits",
        "panelsJSON optionsJSON kibanaSavedObjectMeta.searchSourceJSON controlGroupInput.panelsJSON"
        " controlGroupInput.ignoreParentSettingsJSON",
        f"{_SHARED}/dashboard/server/dashboard_saved_object/schema:"
        " v1/v1.ts@3c37204b, v2/v2.ts@353fb1c2, v3/v3.ts@1b722a55",
    ),
    "search": _fact(
        "10.5.0",
        "title description columns sort grid hideChart isTextBasedQuery kibanaSavedObjectMeta",
        "timeRestore rowHeight headerRowHeight rowsPerPage sampleSize density viewMode hideAggregatedPreview",
        "kibanaSavedObjectMeta.searchSourceJSON",
        f"{_SHARED}/saved_search/server/saved_objects/search.ts@01a60f27, schema.ts",
    ),
    "map": _fact(
        "8.4.0",
        "title layerListJSON mapStateJSON uiStateJSON",
        "description",
        "layerListJSON mapStateJSON uiStateJSON",
        "x-pack/platform/plugins/shared/maps/server/saved_objects/setup_saved_objects.ts@2dd01fe0",
    ),
    "links": _fact(
        "10.1.0",
        "title links layout",
        "description",
        "",
        "src/platform/plugins/private/links/server/saved_objects/links.ts@2cda376d, schema/v1/v1.ts@7c2e599d",
    ),
}

# x-pack/platform/plugins/shared/lens/public/datasources/form_based/operations/definitions (metrics.tsx@0d321280,
# last_value.tsx@1a146850): those that we use, with the kinds of field that each takes
OPERATIONS: Mapping[str, frozenset[str]] = {
    "terms": frozenset({"string", "number", "boolean"}),
    "date_histogram": frozenset({"date"}),
    "filters": frozenset({"document"}),
    "count": frozenset({"document"}),
    "unique_count": frozenset({"string", "number", "boolean", "date"}),
    "sum": frozenset({"number"}),
    "max": frozenset({"number", "date"}),
    "average": frozenset({"number"}),
    "median": frozenset({"number"}),
    "percentile": frozenset({"number"}),
    "last_value": frozenset({"string", "number", "boolean", "date"}),
}
BUCKETS = frozenset({"terms", "date_histogram", "filters"})
RECORDS = "___records___"  # the source field of an operation that looks at whole documents

CHARTS = frozenset({"lnsXY", "lnsDatatable", "lnsMetric", "lnsPie", "lnsHeatmap"})
PANELS = frozenset({"lens", "map", "search", "links"})
SERIES = frozenset({"line", "bar_stacked", "bar_horizontal_stacked", "bar_horizontal_percentage_stacked"})
SHAPES = frozenset({"treemap", "donut"})
# src/platform/plugins/shared/field_formats/common/types.ts@03a8a96a, converters/
FORMATS: Mapping[str, frozenset[str]] = {
    "url": frozenset({"string"}),
    "static_lookup": frozenset({"string", "boolean"}),
    "duration": frozenset({"number"}),
    "percent": frozenset({"number"}),
}
# x-pack/platform/plugins/shared/maps/common/constants.ts@3d357946; what each may hold, and nothing else:
# maps/server/content_management/schema/v1: layer_schemas/layer_schemas.ts@096378e7, source_schemas/source_schemas.ts
# @07a9e962, es_source_schemas.ts@26f66d2b, es_agg_source_schemas.ts@20167912, style_schemas/vector_style_schemas/
# vector_style_schemas.ts@320e238e, map_attributes_schema/settings_schema.ts@216b8e4a
_LAYER = _names("id type label alpha visible minZoom maxZoom includeInFitToBounds query sourceDescriptor style")
LAYERS: Mapping[str, frozenset[str]] = {
    "EMS_VECTOR_TILE": _LAYER | {"areLabelsOnTop", "locale"},
    "GEOJSON_VECTOR": _LAYER | {"disableTooltips", "joins"},
    "HEATMAP": _LAYER,
}
_ASKED = _names("type id indexPatternRefName geoField applyForceRefresh applyGlobalQuery applyGlobalTime")
SOURCES: Mapping[str, frozenset[str]] = {
    "EMS_TMS": _names("id type isAutoSelect lightModeDefault"),
    "ES_SEARCH": _ASKED | _names("filterByMapBounds scalingType sortField sortOrder topHitsSize tooltipProperties"),
    "ES_GEO_GRID": _ASKED | _names("metrics requestType resolution"),
}
STYLES = _names("symbolizeAs fillColor lineColor lineWidth icon iconSize labelText labelColor labelSize")
MAP_SETTINGS = _names("autoFitToDataBounds initialLocation")

# What an Elasticsearch type is to Kibana (src/platform/packages/shared/kbn-field-types)
KINDS: Mapping[str, str] = {
    "keyword": "string", "text": "text", "date": "date", "boolean": "boolean", "integer": "number", "long": "number",
    "float": "number", "geo_point": "geo_point",
}  # fmt: skip
