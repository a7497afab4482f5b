"""Lens charts: each is one layer of columns over one data view, and how it is drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from desk.kibana.columns import Column, query
from desk.kibana.saved import Reference
from desk.kibana.views import View

LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Chart:
    """One Lens panel. ``columns``: id → column, groups first, as the requests are nested; ``kql`` keeps it to some
    documents. ``alone`` charts look past the filters of the dashboard, for families that lack the field filtered by:
    Kibana would find nothing in them. They look past ``kql`` as well, so it must be empty; the range of time holds."""

    title: str
    kind: str
    view: View
    columns: Mapping[str, Column]
    drawn: Mapping[str, Any]
    kql: str = ""
    alone: bool = False
    help: str = ""

    @property
    def references(self) -> tuple[Reference, ...]:
        """What it needs: its data view."""
        return (self.view.reference(f"indexpattern-datasource-layer-{LAYER}"),)

    def plain(self) -> dict[str, Any]:
        """The attributes of the chart, as a dashboard keeps them."""
        layer = {
            "columns": {key: column.plain() for key, column in self.columns.items()},
            "columnOrder": list(self.columns),
            "incompleteColumns": {},
            "sampling": 1,
            "ignoreGlobalFilters": self.alone,
        }
        return {
            "title": self.title,
            "description": self.help,
            "visualizationType": self.kind,
            "type": "lens",
            "references": [reference.plain() for reference in self.references],
            "state": {
                "visualization": dict(self.drawn),
                "query": query(self.kql),
                "filters": [],
                "datasourceStates": {"formBased": {"layers": {LAYER: layer}}},
                "internalReferences": [],
                "adHocDataViews": {},
            },
        }


def over_time(series: str, x: str, y: Sequence[str], split: str | None = None) -> tuple[str, dict[str, Any]]:
    """Lines, areas or bars: column ``x`` along the bottom, the columns ``y`` up, one series a value of ``split``."""
    layer: dict[str, Any] = {
        "layerId": LAYER,
        "layerType": "data",
        "seriesType": series,
        "xAccessor": x,
        "accessors": list(y),
        "position": "top",
        "showGridlines": False,
    }
    shown = {"x": False, "yLeft": False, "yRight": False}
    return "lnsXY", {
        "layers": [layer | ({"splitAccessor": split} if split else {})],
        "preferredSeriesType": series,
        "legend": {"isVisible": True, "position": "right", "shouldTruncate": False},
        "valueLabels": "hide",
        "fittingFunction": "None",
        "axisTitlesVisibilitySettings": shown,
        "tickLabelsVisibilitySettings": {"x": True, "yLeft": True, "yRight": True},
        "gridlinesVisibilitySettings": {"x": False, "yLeft": True, "yRight": False},
        "labelsOrientation": {"x": 0, "yLeft": 0, "yRight": 0},
    }


def table(columns: Iterable[str], sort: str | None = None) -> tuple[str, dict[str, Any]]:
    """A table of these columns, the highest ``sort`` first."""
    drawn: dict[str, Any] = {
        "layerId": LAYER,
        "layerType": "data",
        "columns": [{"columnId": column, "isTransposed": False} for column in columns],
        "paging": {"size": 20, "enabled": True},
    }
    return "lnsDatatable", drawn | ({"sorting": {"columnId": sort, "direction": "desc"}} if sort else {})


def figure(value: str, color: str | None = None, group: str | None = None) -> tuple[str, dict[str, Any]]:
    """One large figure, or one a value of ``group``."""
    drawn = {"layerId": LAYER, "layerType": "data", "metricAccessor": value}
    drawn |= {"color": color} if color else {}
    return "lnsMetric", drawn | ({"breakdownByAccessor": group} if group else {})


def treemap(groups: Sequence[str], value: str) -> tuple[str, dict[str, Any]]:
    """Areas as large as ``value``, one within the other."""
    layer = {
        "layerId": LAYER,
        "layerType": "data",
        "primaryGroups": list(groups),
        "metrics": [value],
        "numberDisplay": "value",
        "categoryDisplay": "default",
        "legendDisplay": "hide",
        "nestedLegend": False,
    }
    return "lnsPie", {"shape": "treemap", "layers": [layer]}


def heatmap(x: str, y: str, value: str) -> tuple[str, dict[str, Any]]:
    """A grid of cells, darker where ``value`` is higher."""
    cells = {
        "type": "heatmap_grid",
        "isCellLabelVisible": True,
        "isYAxisLabelVisible": True,
        "isXAxisLabelVisible": True,
        "isYAxisTitleVisible": False,
        "isXAxisTitleVisible": False,
    }
    return "lnsHeatmap", {
        "shape": "heatmap",
        "layerId": LAYER,
        "layerType": "data",
        "xAccessor": x,
        "yAccessor": y,
        "valueAccessor": value,
        "legend": {"isVisible": False, "position": "right", "type": "heatmap_legend"},
        "gridConfig": cells,
    }
