"""Templates and indices: each is made before it is written to, so that nothing relies on the cluster's own guesses.

A family's index template is composed of its component templates, each named with the version of the mapping; it forbids
that a write makes an index by itself. The alias is given to an index as it is made, never by a template: a rebuild's
indices stay out of it until they are whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from store.index.cluster import Cluster
from store.index.families import FAMILIES, Family, template
from store.index.generations import Generation, Named, named

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

PRIORITY = 500


def install(
    client: Elasticsearch, cluster: Cluster, families: Sequence[Family] = FAMILIES, *, anew: bool = False
) -> list[str]:
    """Put the templates of ``families`` in place that are not there as this Vigie has them; gives their names. With
    ``anew`` all of them, for somebody may have changed one and left the sign by which it is known.

    Two requests where nothing is to be done. Raises elasticsearch's ApiError and TransportError.
    """
    parts, wholes = _components(cluster.prefix, families), _templates(cluster.prefix, families)
    todo = [*parts, *wholes] if anew else outdated(client, cluster, families)
    for name in parts:
        if name in todo:
            body = parts[name]
            client.cluster.put_component_template(name=name, template=body["template"], meta=body["_meta"])
    for name in wholes:
        if name in todo:
            body = {("meta" if key == "_meta" else key): value for key, value in wholes[name].items()}
            client.indices.put_index_template(name=name, **body)
    return todo


def outdated(client: Elasticsearch, cluster: Cluster, families: Sequence[Family] = FAMILIES) -> list[str]:
    """The templates of ``families`` that are not there as this Vigie has them. Raises as :func:`install`."""
    parts, wholes = _components(cluster.prefix, families), _templates(cluster.prefix, families)
    patient = client.options(ignore_status=404)  # the answer where there is none
    found = patient.cluster.get_component_template(name=f"{cluster.prefix}-*").body.get("component_templates", ())
    have = {one["name"]: _digest_of(one["component_template"]) for one in found}
    found = patient.indices.get_index_template(name=f"{cluster.prefix}-*").body.get("index_templates", ())
    have_whole = {one["name"]: _digest_of(one["index_template"]) for one in found}
    old = [name for name, body in parts.items() if have.get(name) != _digest_of(body)]
    return old + [name for name, body in wholes.items() if have_whole.get(name) != _digest_of(body)]


def index_of(cluster: Cluster, family: Family, at: datetime, generation: Generation | None = None) -> str:
    """The name of the index in which a document of ``family`` of that time (UTC) lies."""
    return (generation or Generation(family.version)).name(family, cluster.prefix, at)


def existing(client: Elasticsearch, cluster: Cluster, family: Family) -> dict[str, bool]:
    """The family's indices of every generation → whether its alias leads to them."""
    alias = family.alias(cluster.prefix)
    found = client.indices.get_alias(index=f"{alias}-v*", allow_no_indices=True, expand_wildcards="open").body
    return {name: alias in one["aliases"] for name, one in found.items() if named(name, family, cluster.prefix)}


def ensure(
    client: Elasticsearch,
    cluster: Cluster,
    family: Family,
    generation: Generation,
    periods: Collection[str],
    *,
    live: bool = True,
) -> list[str]:
    """Make the indices of these periods that are not there; gives the names of all of them.

    ``live`` says whether the alias leads to the new ones. The templates must be installed. Raises elasticsearch's
    ApiError and TransportError.
    """
    stem, there = generation.stem(family, cluster.prefix), existing(client, cluster, family)
    names = [f"{stem}-{period}" for period in periods]
    for name in names:
        if name not in there:
            _create(client, name, family.alias(cluster.prefix) if live else None)
    return names


def foreign(client: Elasticsearch, index: str, family: Family) -> str | None:
    """Why ``index`` has not the family's mapping, None where it has: then a refused document is itself at fault."""
    found = client.indices.get_mapping(index=index).body
    have: Mapping[str, Any] = next(iter(found.values()))["mappings"]
    for name, field in _fields(family).items():
        known = have.get("properties", {}).get(name)
        if known is None:
            return f"{index} has no field {name}"
        if _shape(known) != _shape(field):
            return f"{index} has another kind of field {name} ({known.get('type', 'object')})"
    return None if have.get("dynamic") == "strict" else f"the mapping of {index} is not Vigie's"


def name_of(index: str, family: Family, cluster: Cluster) -> Named | None:
    """What the name of one of the family's indices tells."""
    return named(index, family, cluster.prefix)


def _create(client: Elasticsearch, name: str, alias: str | None) -> None:
    from elasticsearch import BadRequestError

    try:
        client.indices.create(index=name, aliases={alias: {}} if alias else {})
    except BadRequestError as error:
        if error.error != "resource_already_exists_exception":  # another was faster
            raise


def _components(prefix: str, families: Sequence[Family]) -> dict[str, dict[str, Any]]:
    bodies = {"settings": template("settings"), "position": template("position")}
    named_so = {f"{prefix}-{name}": body for name, body in bodies.items()}
    named_so |= {f"{prefix}-{one.name}-v{one.version}": template(one.name) for one in families}
    return {name: _signed({"template": body["template"]}) for name, body in named_so.items()}


def _templates(prefix: str, families: Sequence[Family]) -> dict[str, dict[str, Any]]:
    return {
        f"{one.alias(prefix)}-v{one.version}": _signed(
            {
                "index_patterns": [f"{one.alias(prefix)}-v{one.version}-*"],
                "composed_of": [f"{prefix}-{part}" for part in (*_parts(one), f"{one.name}-v{one.version}")],
                "priority": PRIORITY,
                "allow_auto_create": False,
            }
        )
        for one in families
    }


def _parts(family: Family) -> tuple[str, ...]:
    return ("settings", "position") if family.located else ("settings",)


def _fields(family: Family) -> Mapping[str, Any]:
    parts = ("position", family.name) if family.located else (family.name,)
    mappings = [template(part)["template"]["mappings"]["properties"] for part in parts]
    return {name: field for mapping in mappings for name, field in mapping.items()}


def _shape(field: Mapping[str, Any]) -> tuple[str, frozenset[str]]:
    return field.get("type", "object"), frozenset(field.get("properties", ()))


def _signed(body: dict[str, Any]) -> dict[str, Any]:
    digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return {**body, "_meta": {"vigie": digest}}


def _digest_of(body: Mapping[str, Any]) -> str | None:
    digest: str | None = body.get("_meta", {}).get("vigie")
    return digest
