"""The lines of ``vigie annotate``: JSON to posts, annotations to JSON, and what is wrong with a bad line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from nlp.annotate import Annotator, Depth
from nlp.context import NOWHERE, Context
from store.codec import read
from store.records import Annotation, Geo, Location, Quantity
from store.text import encodable

FIELDS = (
    "lang", "depth", "about", "relevance", "tags", "labels", "hazard", "need", "urgency", "source", "stance", "when",
    "refuted", "quantities",
)  # fmt: skip


PLACE_FIELDS = (
    "text", "start", "end", "name", "level", "role", "lat", "lon", "radius_m", "country", "admin1", "departement",
    "insee", "confidence", "alternatives",
)  # fmt: skip


LONGEST = 16_000_000
"""Bytes of one line; a longer one is refused."""
LONGEST_TEXT = 25_000
"""Code points that are read of one text, as many as the longest post of X holds."""


class BadLine(ValueError):
    """A line that is no post; the message says what is wrong, ``id`` is the line's own id where it has one."""

    def __init__(self, reason: str, id: str | None = None) -> None:
        super().__init__(reason)
        self.id = id


@dataclass(frozen=True, slots=True)
class Line:
    """A post as a line gives it."""

    id: str
    text: str
    lang: str | None = None
    geo: Geo | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of output, and the reason where the line of input was bad."""

    json: bytes
    error: str | None = None


def answer(lines: Iterable[bytes], annotator: Annotator, depth: Depth, *, context: Context = NOWHERE) -> list[Answer]:
    """The answers to ``lines``, one each, in order."""
    posts = [_try(line) for line in lines]
    good = [post for post in posts if isinstance(post, Line)]
    made = iter(annotator.annotate(good, depth, context=context))
    return [_error(post) if isinstance(post, BadLine) else Answer(encode(next(made))) for post in posts]


def _error(bad: BadLine) -> Answer:
    return Answer(orjson.dumps({"id": bad.id, "error": str(bad)}), str(bad))


def _try(line: bytes) -> Line | BadLine:
    try:
        return decode(line)
    except BadLine as bad:
        return bad


def decode(line: bytes) -> Line:
    """The post of one line. Raises BadLine."""
    if len(line) > LONGEST:
        raise BadLine(f"a line may hold {LONGEST:,} bytes: this one is longer")
    told = _load(line)
    if not isinstance(told, dict):
        raise BadLine(f"a post is a JSON object, not {_kind(told)}")
    id = told.get("id")
    if not isinstance(id, str):
        raise BadLine("the key id is missing" if id is None else f"id must be a string, not {_kind(id)}")
    id = encodable(id)
    text = told.get("text")
    if not isinstance(text, str):
        raise BadLine("the key text is missing" if text is None else f"text must be a string, not {_kind(text)}", id)
    _check_optional(told, id)
    return Line(id, encodable(text[:LONGEST_TEXT]), told.get("lang"), _geo(told.get("geo"), id))


def _load(line: bytes) -> Any:
    try:
        return read(line.removeprefix(b"\xef\xbb\xbf"))
    except ValueError as error:
        raise BadLine(f"not JSON: {error}" if line.strip() else "empty line") from error


def _check_optional(told: dict[str, Any], id: str) -> None:
    for name in ("lang", "author", "created_at"):
        if not isinstance(told.get(name), str | None):
            raise BadLine(f"{name} must be a string, not {_kind(told[name])}", id)
    if created := told.get("created_at"):
        try:
            datetime.fromisoformat(created)
        except ValueError as error:
            raise BadLine(f"created_at must be an ISO 8601 time, not {created[:40]!a}", id) from error


def _geo(told: object, id: str) -> Geo | None:
    if told is None:
        return None
    if not isinstance(told, dict):
        raise BadLine(f"geo must be an object with lat and lon, not {_kind(told)}", id)
    lat, lon = told.get("lat"), told.get("lon")
    if not (_degrees(lat, 90) and _degrees(lon, 180)):
        raise BadLine("geo must have lat from -90 to 90 and lon from -180 to 180", id)
    return Geo(float(lat), float(lon))  # type: ignore[arg-type]


def _degrees(value: object, most: int) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def encode(annotation: Annotation) -> bytes:
    """The line of an annotation, as the contract of ``vigie annotate`` has it."""
    told: dict[str, Any] = {"id": annotation.post_id}
    if annotation.error is not None:
        return orjson.dumps(told | {"error": annotation.error})
    told |= {name: getattr(annotation, name) for name in FIELDS}
    told["quantities"] = [_quantity(quantity) for quantity in annotation.quantities]
    told["locations"] = [_location(location) for location in annotation.locations]
    told["why"] = annotation.why
    return orjson.dumps(told, option=orjson.OPT_SERIALIZE_DATACLASS)


def _quantity(quantity: Quantity) -> dict[str, Any]:
    told = asdict(quantity)
    return told | {"value": int(quantity.value)} if quantity.value.is_integer() else told


def _location(location: Location) -> dict[str, Any]:
    told = {name: getattr(location, name) for name in PLACE_FIELDS}
    if location.road is not None:
        told["road"] = {"from" if key == "from_" else key: value for key, value in asdict(location.road).items()}
    return told
