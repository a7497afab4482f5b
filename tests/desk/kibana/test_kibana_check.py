"""The checker itself: one thing made wrong in objects that were right, and what it says of it."""

import copy

import orjson
import pytest

from desk.kibana import check, pack

RIGHT = [one.plain() for one in pack.objects("fr")]


def of(objects, id):
    return next(one for one in objects if one["id"] == id)


def panels(objects, change, board="vigie-watch-fr"):
    attributes = of(objects, board)["attributes"]
    inside = orjson.loads(attributes["panelsJSON"])
    change(inside)
    attributes["panelsJSON"] = orjson.dumps(inside).decode()


def charts(objects, change, title, board="vigie-watch-fr"):
    def find(inside):
        attributes = next(p for p in inside if p["embeddableConfig"]["title"] == title)["embeddableConfig"][
            "attributes"
        ]
        layer = attributes["state"]["datasourceStates"]["formBased"]["layers"]["layer"]
        change(attributes, layer["columns"])

    panels(objects, find, board)


def layers(objects, change):
    attributes = of(objects, "vigie-watch-map-fr")["attributes"]
    inside = orjson.loads(attributes["layerListJSON"])
    change(inside)
    attributes["layerListJSON"] = orjson.dumps(inside).decode()


def put(thing, **values):
    thing.update(values)


TAGS, TIMES, RUMOURS = (
    "Posts par étiquette",
    "Délais d’alerte et d’acquittement par service",
    "Rumeurs et leur vérification",
)
BY, HEARING = {"type": "column"}, "Calme ou aveugle ?"
WRONGS = {
    "an unknown type": (
        lambda all: put(all[0], type="visualization"), "is of a type that we do not make"),
    "a version that Kibana 9.2 would refuse": (
        lambda all: put(of(all, "vigie-watch-fr"), typeMigrationVersion="10.9.0"), "must declare typeMigrationVersion"),
    "an attribute that is missing": (
        lambda all: of(all, "vigie-watch-fr")["attributes"].pop("optionsJSON"), "lacks optionsJSON"),
    "an attribute that the type does not have": (
        lambda all: put(of(all, "vigie-watch-fr")["attributes"], visState="{}"), "has visState"),
    "JSON that cannot be read": (
        lambda all: put(of(all, "vigie-watch-fr")["attributes"], panelsJSON="[{]"), "panelsJSON is not JSON"),
    "JSON that is no string": (
        lambda all: put(of(all, "vigie-watch-fr")["attributes"], panelsJSON=[]), "must be JSON written as a string"),
    "an object left out": (
        lambda all: all.remove(of(all, "vigie-posts-fr")), "index-pattern vigie-posts-fr, which is not among"),
    "a reference left out": (
        lambda all: of(all, "vigie-watch-incidents-fr")["references"].clear(), "asks for the reference kibanaSaved"),
    "an object twice": (lambda all: all.append(all[0]), "1 objects have the type and id of another"),
    "panels that lie on each other": (
        lambda all: panels(all, lambda inside: put(inside[2]["gridData"], x=6)), "lie on each other"),
    "a panel that leaves the grid": (
        lambda all: panels(all, lambda inside: put(inside[0]["gridData"], w=49)), "leaves the grid of 48 columns"),
    "a legacy chart": (
        lambda all: panels(all, lambda inside: put(inside[0], type="visualization")), "of the type visualization"),
    "an operation that Lens does not have": (
        lambda all: charts(all, lambda _, columns: put(columns["posts"], operationType="counts"), TAGS),
        "has the operation counts"),
    "a field that no template has": (
        lambda all: charts(all, lambda _, columns: put(columns["tag"], sourceField="label"), TAGS),
        "uses label, which is not there"),
    "terms of a text": (
        lambda all: charts(all, lambda _, columns: put(columns["tag"], sourceField="text"), TAGS),
        "cannot take the terms of text, a text"),
    "the median of a keyword": (
        lambda all: charts(all, lambda _, columns: put(columns["alert_median"], sourceField="agency"), TIMES),
        "cannot take the median of agency, a string"),
    "an order by what counts nothing": (
        lambda all: charts(
            all, lambda _, columns: put(columns["tag"]["params"], orderBy={**BY, "columnId": "time"}), TAGS),
        "is ordered by time, which counts nothing"),
    "a newest by what is no date": (
        lambda all: charts(all, lambda _, columns: put(columns["title"]["params"], sortField="posts"), RUMOURS),
        "takes the newest by posts, which is no date"),
    "a column that is drawn and not there": (
        lambda all: charts(
            all, lambda chart, _: put(chart["state"]["visualization"]["layers"][0], xAccessor="when"), TAGS),
        "draws the column when, which is not there"),
    "a count drawn as a group": (
        lambda all: charts(
            all, lambda chart, _: put(chart["state"]["visualization"]["layers"][0], xAccessor="posts"), TAGS),
        "draws posts as a group, which it is not"),
    "a chart that is not Lens's": (
        lambda all: charts(all, lambda chart, _: put(chart, visualizationType="metrics"), TAGS), "is drawn as metrics"),
    "a query for a field that is not there": (
        lambda all: charts(
            all, lambda chart, _: put(chart["state"], query={"query": "statut: vrai", "language": "kuery"}), TAGS),
        "has no field statut"),
    "a query that we cannot read": (
        lambda all: charts(
            all, lambda chart, _: put(chart["state"], query={"query": "labels: (a or b", "language": "kuery"}), TAGS),
        "a ) is missing"),
    "a query of every field": (
        lambda all: charts(
            all, lambda chart, _: put(chart["state"], query={"query": "incendie", "language": "kuery"}), TAGS),
        "asks «incendie» of every field"),
    "a query that Kibana would pass over": (
        lambda all: charts(
            all, lambda chart, _: put(chart["state"], query={"query": "kept > 0", "language": "kuery"}), HEARING),
        "past its own query"),
    "a format for the wrong kind of field": (
        lambda all: put(
            of(all, "vigie-posts-fr")["attributes"], fieldFormatMap='{"created_at": {"id": "duration", "params": {}}}'),
        "writes created_at as duration, which cannot write a date"),
    "a time field that is no date": (
        lambda all: put(of(all, "vigie-posts-fr")["attributes"], timeFieldName="lang"), "has the time field lang"),
    "runtime fields": (
        lambda all: put(of(all, "vigie-posts-fr")["attributes"], runtimeFieldMap='{"a": {}}'), "has runtime fields"),
    "a list sorted by a text": (
        lambda all: put(of(all, "vigie-watch-incidents-fr")["attributes"], sort=[["position", "asc"]]),
        "cannot be sorted by position asc"),
    "positions from a field that holds none": (
        lambda all: layers(all, lambda inside: put(inside[2]["sourceDescriptor"], geoField="place.name")),
        "takes its positions from place.name, which holds none"),
    "an attribute that a layer does not have": (
        lambda all: layers(all, lambda inside: put(inside[2]["sourceDescriptor"], geoFields="position")),
        "layer 2 has geoFields, which Kibana does not know there"),
    "colours from a number": (
        lambda all: layers(
            all, lambda inside: put(inside[2]["style"]["properties"]["fillColor"]["options"]["field"], name="posts")),
        "draws fillColor from posts, which is no string"),
    "a title in the other language": (
        lambda all: put(of(all, "vigie-watch-fr")["attributes"], title="Vigie · Watch"), "no text of ours in fr"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_wrong_is_found(wrong):
    change, told = WRONGS[wrong]
    objects = copy.deepcopy(RIGHT)
    change(objects)
    assert any(told in fault for fault in check.faults(objects, "fr"))
