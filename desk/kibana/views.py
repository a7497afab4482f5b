"""Data views: which indices, which time field, how each field is called and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from desk.kibana.facts import DATA_VIEW, KINDS
from desk.kibana.saved import Reference, Saved, text
from desk.kibana.say import Say, strings
from store.index.families import FAMILIES, PUBLIC_ORDER, Family, template

_BY_NAME = {family.name: family for family in FAMILIES}
# The time by which a wall is looked at, where it is not the one by which the family is cut; a source has none, so that
# one that fell silent last week is still there
TIMES: Mapping[str, str | None] = {"incidents": "updated_at", "sources": None}
SHOWN = tuple(family for family in FAMILIES if family is not PUBLIC_ORDER)


@cache
def fields(family: str) -> Mapping[str, str]:
    """Every field of a family, with its dotted name: name → Elasticsearch type."""
    parts = [template(family)] + ([template("position")] if _BY_NAME[family].located else [])
    return {name: kind for part in parts for name, kind in _flat(part["template"]["mappings"]["properties"], "")}


def _flat(properties: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in properties.items():
        if "properties" in field:
            yield from _flat(field["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field["type"]
            for sub, subfield in field.get("fields", {}).items():
                yield f"{prefix}{name}.{sub}", subfield["type"]


def kind(family: str, field: str) -> str:
    """What a field is to Kibana: string, number, date, boolean, text or geo_point. KeyError where there is none."""
    return KINDS[fields(family)[field]]


@dataclass(frozen=True, slots=True)
class View:
    """The data view of one family in one language."""

    family: Family
    prefix: str
    say: Say

    @property
    def id(self) -> str:
        """Its id: ``vigie-incidents-fr``; it does not follow the prefix, so that dashboards stay."""
        return f"vigie-{self.family.name}-{self.say.lang}"

    @property
    def time(self) -> str | None:
        """The field that the time picker looks at, None where it looks at none."""
        return TIMES.get(self.family.name, self.family.time)

    def reference(self, name: str) -> Reference:
        """The reference by which an object calls this data view ``name``."""
        return Reference(name, DATA_VIEW, self.id)

    def label(self, field: str) -> str:
        """What people call a field."""
        return self.say(f"field.{field}")


def view(name: str, prefix: str, say: Say) -> View:
    """The data view of a family, by its name."""
    return View(_BY_NAME[name], prefix, say)


def saved(view: View, desk_url: str) -> Saved:
    """The data view as a saved object; ``desk_url`` is where its links to incidents lead."""
    name = view.family.name
    labels = {field: {"customLabel": view.label(field)} for field in fields(name) if f"field.{field}" in strings()}
    attributes = {
        "title": view.family.alias(view.prefix),
        "name": f"Vigie · {view.say(f'view.{name}')}",
        "fieldAttrs": text(labels),
        "fieldFormatMap": text(formats(view, desk_url)),
        "sourceFilters": "[]",
        "fields": "[]",
        "runtimeFieldMap": "{}",
        "typeMeta": "{}",
        "allowNoIndex": True,
    }
    return Saved(DATA_VIEW, view.id, attributes | ({"timeFieldName": view.time} if view.time else {}))


def formats(view: View, desk_url: str) -> dict[str, Any]:
    """How the values of its fields are written: labels for codes, links to the desk, lengths of time."""
    name, say = view.family.name, view.say
    lookups = _labels(say) | {"hazard": say.hazards()}
    coded = [field for field in lookups if field in fields(name) and kind(name, field) in ("string", "boolean")]
    written = {field: _lookup(lookups[field]) for field in coded}
    written |= {"state": _lookup(_states(name, say))} if "state" in fields(name) else {}
    written |= {field: _DURATION for field in fields(name) if field.endswith("_s") or field == "seconds"}
    written |= {field: _PERCENT for field in _PROBABILITIES if fields(name).get(field) == "float"}
    link = "id" if name == "incidents" else "incident"
    return written | ({link: _link(desk_url, say)} if link in fields(name) else {})


_DURATION = {
    "id": "duration",
    "params": {
        "inputFormat": "seconds",
        "outputFormat": "humanizePrecise",
        "outputPrecision": 1,
        "useShortSuffix": True,
        "includeSpaceWithSuffix": True,
    },
}
_PERCENT = {"id": "percent", "params": {"pattern": "0%"}}
_PROBABILITIES = ("about", "relevance", "tags.rumour", "tags.emerging_incident", "hazard.p", "need.p", "urgency")


def _labels(say: Say) -> dict[str, dict[str, str]]:
    """Field → code → label, for every field that holds codes of a closed list, whatever its family."""
    tags = {name: label for name, label in say.listed("tags").items() if name != "public_order_threat"}
    yes_no = {code: say(f"flag.{code}") for code in ("true", "false")}
    flags = ("acknowledged", "late", "paged", "refuted", "trusted", "repost", "backfilled", "author_known")
    return {
        "severity": say.listed("severities"),
        "urgency": say.listed("urgencies"),
        "certainty": say.listed("certainties"),
        "verification": say.listed("verifications"),
        "status": say.listed("statuses"),
        "tags": say.hazards() | say.listed("tags"),
        "labels": tags,
        "hazard.name": say.hazards(),
        "need.name": say.listed("needs"),
        "voice": say.listed("sources"),
        "stance": say.listed("stances"),
        "when": say.listed("whens"),
        "place.level": say.listed("levels"),
        "knowledge": say.desk("knowledge", "unknown", "known", "new_fact"),
        "event": say.desk("event", "new", "update", "closed"),
        "role": say.desk("role", "lead", "support"),
        "hearing": {code: say(f"hearing.{code}") for code in ("hearing", "quiet", "silent", "blind", "halted")},
        **dict.fromkeys(flags, yes_no),
    }


def _states(name: str, say: Say) -> dict[str, str]:
    match name:
        case "incidents":
            return say.desk("state", "open", "watching", "closed")
        case "deliveries":
            return say.desk("delivery", "pending", "sending", "sent", "failed", "cancelled")
        case "sources":
            return say.desk("source", "on", "off", "waiting")
        case _:
            return say.desk("hole", "open", "waiting", "filled", "partly", "lost")


def _lookup(labels: Mapping[str, str]) -> dict[str, Any]:
    entries = [{"key": key, "value": label} for key, label in labels.items()]
    return {"id": "static_lookup", "params": {"lookupEntries": entries, "unknownKeyValue": None}}


def _link(desk_url: str, say: Say) -> dict[str, Any]:
    template = f"{desk_url}/incidents/{{{{value}}}}"
    params = {"type": "a", "urlTemplate": template, "labelTemplate": say("open"), "openLinkInCurrentTab": False}
    return {"id": "url", "params": params}
