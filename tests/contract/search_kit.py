"""What both engines of the search are asked on the same posts, and where their answers may differ, and why.

``python tests/contract/search_kit.py`` prints the part of docs/search.md that is made of this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from store.search import request
from store.search.request import Area, Engine, Query

START = datetime(2026, 2, 27, 21, 30, tzinfo=UTC)
BEGIN, END = "<!-- made of tests/contract/search_kit.py -->", "<!-- until here -->"

REASONS = {
    "forms": "Elasticsearch also finds the other forms of a word, by its French and its English stem (`inondé` finds "
    "*inondations*, `floods` finds *flooding*); the database finds words as they stand, the last one as a beginning.",
    "letters": "Letters that are no accented letter, but are often typed as others (`ß`, `ø`, `ł`, `ı`), are spelt out "
    "by Elasticsearch alone: `strasse` finds *Straße*. As they stand both find them.",
    "scripts": "To the database a run of Chinese or Japanese is one word, found by its beginning and marked whole; "
    "Elasticsearch finds and marks any part of it.",
    "strange": "Characters that Unicode keeps out of every text part words in Elasticsearch, and not in the database; "
    "Elasticsearch marks nothing in such a text.",
    "instants": "Elasticsearch keeps times to the millisecond: within one, posts stand in the order in which they "
    "came, and a bound below it is that of the millisecond.",
    "unlabelled": "The index holds what was found about public order only of the posts that bear the label, not the "
    "lower probabilities of others.",
    "scores": "Both order by BM25; Elasticsearch rounds the lengths of texts and counts the forms of words too: the "
    "same posts, some in another order.",
}


@dataclass(frozen=True)
class Differ:
    """What is allowed to differ, and must: posts that only Elasticsearch (``far``) or only the database (``near``)
    finds, posts that stand elsewhere, posts that are marked otherwise. The ids are those of the corpus."""

    reason: str
    far: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ask:
    """One request: the method of the seam, the conditions of the query, what else is given, how the answers differ."""

    kind: str
    query: Mapping[str, Any] = field(default_factory=dict)
    method: str = "search"
    given: Mapping[str, Any] = field(default_factory=dict)
    differs: tuple[Differ, ...] = ()

    @property
    def name(self) -> str:
        """What tells it from the others, and stands on the page."""
        parts = [f"{name}={_short(value)}" for name, value in (self.query | self.given).items()]
        return f"{self.method}({', '.join(parts)})"

    def of(self, engine: Engine) -> Any:
        """The answer of an engine, whole."""
        whole = {"limit": request.AT_ONCE} if self.method == "search" else {}
        return getattr(engine, self.method)(Query(**self.query), **(whole | self.given))


def _short(value: Any) -> str:
    if isinstance(value, Area):
        return next(name for name, area in AREAS.items() if area is value)
    return (
        f"{value:%d %b %H:%M:%S.%f}" if isinstance(value, datetime) else repr(value) if len(repr(value)) < 60 else "…"
    )


def rectangle(south: float, west: float, north: float, east: float) -> Area:
    """The area between two parallels and two meridians."""
    return Area(((south, west), (south, east), (north, east), (north, west)))


def at(**length: float) -> datetime:
    """So long after the first of the posts."""
    return START + timedelta(**length)


_TRIANGLE = ((47.0, -1.0), (47.5, -0.4), (47.0, -0.4))
_ELL = ((46.8, -1.4), (46.8, -0.5), (47.0, -0.5), (47.0, -1.1), (47.4, -1.1), (47.4, -1.4))
_STAR = (
    *((47.8, -0.7), (47.3, -0.6), (47.25, -0.2), (47.1, -0.6)),
    *((46.6, -0.7), (47.1, -0.8), (47.25, -1.2), (47.3, -0.8)),
)
AREAS = {
    "a triangle": Area(_TRIANGLE),
    "the triangle backwards": Area(tuple(reversed(_TRIANGLE))),
    "the triangle closed": Area((*_TRIANGLE, _TRIANGLE[0])),
    "an L": Area(_ELL),
    "a star of four points": Area(_STAR),
    "some streets": rectangle(47.25, -0.7525, 47.252, -0.7515),
    "half the world": rectangle(-90, 0, 90, 180),
    "the whole world": rectangle(-90, -180, 90, 180),
    "an island far away": rectangle(-25, 50, -10, 60),
}
INSTANTS = Differ("instants", moved=("x:instant-early", "x:instant-late"))
MOMENT = tuple(
    f"x:{name}" for name in ("smoke-fr", "smoke-plain", "smoke-caps", "smoke-en", "flood-stem", "flood-plural")
)
STRANGE = Differ("strange", far=("x:bounds",))


def forms(*names: str) -> Differ:
    """Posts that only Elasticsearch finds, by another form of the word."""
    return Differ("forms", far=tuple(f"x:{name}" for name in names))


def asks() -> list[Ask]:
    """The list."""
    return [*_words(), *_phrases(), *_conditions(), *_places_and_times(), *_together(), *_orders(), *_counts()]


def words(*typed: str, differs: tuple[Differ, ...] = ()) -> Iterator[Ask]:
    """Each of these, typed into the search."""
    yield from (Ask("words", {"words": one}, differs=differs) for one in typed)


def _words() -> Iterator[Ask]:
    yield from words("", "  ", differs=(INSTANTS,))
    yield from words("fumée", "FUMEE", "fume\u0301e", "fumé", "fum*", "fumée\0", "fumée\ufdd0", differs=(STRANGE,))
    yield from words("incendie", "gaz odeur", "explosion valbrune", "smoke", "brouillard", "effacée", "rien", "zzz")
    yield from words("inondé", differs=(forms("flood-plural", "flood-hash", "flood-under"),))
    yield from words("inondations", differs=(forms("flood-stem", "flood-hash", "flood-under"),))
    yield from words("#inondation", differs=(forms("flood-stem"),))
    yield from words("flooding", differs=(forms("flood-en-2"),))
    yield from words("floods", differs=(forms("flood-en"),))
    smoke = ("control", "json", "markup", "nul", "quotes", "smoke-caps", "smoke-fr", "smoke-nfd")
    smoke += ("smoke-plain", "spaces", "surrogate", "syntax")
    yield from words("fumées", differs=(forms(*smoke), STRANGE))
    yield from words("l'incendie", "d’après", "aujourd'hui", "presqu'île", "l’usine", "qu'elle")
    yield from words("coeur", "cœur", "oeuvre", "oeufs", "vitae", "Œuilly")
    yield from words("saint-éloi", "arc en ciel", "A89", "112+300", "3,5", "sdis99", "sdis", "RN7")
    yield from words(
        "inondation_valbrune", "@mairie_valbrune", "https://exemple.fr/carte", "exemple.fr", "<b>fumée</b>"
    )
    yield from words("🔥", "🔥 incendie", "👨‍👩‍👧‍👦 camping", "🇫🇷", "?!", '"', "*")
    yield from words("fumée AND gare", "gare OR usine", "NOT gare", "and or not near", "text:fumée", "(toxique")
    yield from words("straße", "røg", "łukowie", "izmarit", "ılık")
    for typed, name in (("strasse", "german"), ("rog", "danish"), ("lukowie", "polish"), ("ilik", "turkish")):
        yield from words(typed, differs=(Differ("letters", far=(f"x:{name}",)),))
    yield from words("工厂", differs=(Differ("scripts", marked=("x:chinese",)),))
    yield from words("東京", differs=(Differ("scripts", marked=("x:japanese",)),))
    yield from words("爆炸", differs=(Differ("scripts", far=("x:chinese",)),))
    yield from words("火事", differs=(Differ("scripts", far=("x:japanese",)),))
    yield from words("工厂爆炸", "공장", "연기", "حريق", "حَرِيق", "المصنع", "φωτια", "пожар", "дым")
    yield from words("a" * 300, "digue fragile", "feu", "te", " ".join(f"mot{n}" for n in range(64)))


def _phrases() -> Iterator[Ask]:
    for typed in (
        '"barrage de la Brenne"', '"la Brenne"', '"brenne la"', "« fumée noire »", "“fumée toxique” puis", '"fum"',
        '"fumée" épais', '"l\'incendie"', '"incendie de l\'entrepôt"', '"saint eloi sur brenne"', '"feu feu feu"',
        '"arc-en-ciel"', '"火势很大"', '"sans fin',
    ):  # fmt: skip
        yield Ask("phrase", {"words": typed})


def _conditions() -> Iterator[Ask]:
    yield Ask("tag", {"tag": "rumour"})
    yield Ask("tag", {"tag": "public_order_threat"})
    yield Ask("tag", {"tag": "emerging_incident"}, differs=(INSTANTS,))
    for tag, least in (("rumour", 0.9), ("emerging_incident", 1.0), ("public_order_threat", 0.71)):
        yield Ask("tag and its least probability", {"tag": tag, "least": least})
    for tag, least in (("rumour", 0.0), ("emerging_incident", 0.5)):
        yield Ask("tag and its least probability", {"tag": tag, "least": least}, differs=(INSTANTS,))
    apart = {"tag": "public_order_threat", "least": 0.3}
    yield Ask("tag and its least probability", apart, differs=(Differ("unlabelled", near=("x:threat-low",)),))
    for one in ({"about": 0.7}, {"relevance": 0.33}, {"about": 0.5, "relevance": 0.5}):
        yield Ask("about and relevance", one)
    for name, values in (
        ("hazard", ("fire", "smoke", "gas_leak", "Fire", "none")), ("incident", ("i1", "i4", "i9")),
        ("source", ("x-recherche", "x-flux", "x")), ("filter", ("incendie", "gaz", "inc", "%")),
        ("lang", ("fr", "de", "FR")),
    ):  # fmt: skip
        yield from (Ask(name, {name: value}) for value in values)
    yield Ask("source", {"source": "hand"}, differs=(INSTANTS,))
    yield Ask("cleared or not", {"cleared": False}, differs=(INSTANTS,))
    yield Ask("cleared or not", {"cleared": False, "words": "casse"})
    yield Ask("cleared or not", {"words": "casse"})
    yield Ask("cleared or not", {"cleared": False, "tag": "rumour", "since": at(hours=1)})


def _places_and_times() -> Iterator[Ask]:
    yield from (Ask("area", {"area": area}) for area in AREAS.values())
    for bounds in (
        {"until": START}, {"since": at(days=400)}, {"until": at(days=-400)},
        {"since": at(hours=5), "until": at(hours=2)}, {"since": at(minutes=7), "until": at(minutes=8)},
    ):  # fmt: skip
        yield Ask("time", bounds)
    for bounds in ({"since": START}, {"since": at(minutes=30), "until": at(hours=3)}):
        yield Ask("time", bounds, differs=(INSTANTS,))
    soon = at(microseconds=1)
    yield Ask("time", {"since": START, "until": soon}, differs=(Differ("instants", near=MOMENT),))
    yield Ask("time", {"since": soon, "until": at(minutes=1)}, differs=(Differ("instants", far=MOMENT),))
    within = {"since": at(minutes=90, microseconds=500), "until": at(minutes=90, milliseconds=2)}
    yield Ask("time", within, differs=(Differ("instants", far=("x:instant-early",)),))


def _together() -> Iterator[Ask]:
    yield Ask("together", {"words": "valbrune", "hazard": "fire", "source": "x-flux"})
    yield Ask("together", {"words": "montferré", "tag": "emerging_incident", "least": 0.4, "since": at(hours=6)})
    yield Ask("together", {"area": AREAS["a star of four points"], "hazard": "flood", "lang": "fr"})
    yield Ask("together", {"incident": "i2", "filter": "incendie", "about": 0.2})
    everywhere = AREAS["the whole world"]
    yield Ask("together", {"words": '"feu de forêt"', "area": everywhere, "until": at(days=1), "cleared": False})


def _orders() -> Iterator[Ask]:
    for sort in ("newest", "oldest"):
        yield Ask("order", {}, given={"sort": sort}, differs=(INSTANTS,))
        yield Ask("order", {"words": "explosion"}, given={"sort": sort})
    yield Ask("order", {}, given={"sort": "relevance"}, differs=(INSTANTS,))
    relevant = {"sort": "relevance"}
    yield from (Ask("order", {"words": typed}, given=relevant) for typed in RELEVANT)
    yield Ask("order", {"words": "la"}, given=relevant, differs=(Differ("strange", marked=("x:bounds",)), INSTANTS))
    hail = Differ("scores", moved=("x:hail-long", "x:hail-short"))
    yield Ask("order", {"words": "grésil"}, given=relevant, differs=(hail,))


RELEVANT = (
    *("feu", "fumée noire", "incendie entrepôt", '"la Brenne"', "gaz", "brenne barrage", "valbrune", "explosion"),
    *("incendie", "saint", "feu de", "coupure depuis", "river", "pompiers incendie"),
)


def _counts() -> Iterator[Ask]:
    for step in get_args(request.Step):
        yield Ask("histogram", {}, "histogram", {"step": step})
        yield Ask("histogram", {"words": "valbrune", "cleared": False}, "histogram", {"step": step})
    early = {"words": "valbrune", "until": at(days=1)}
    for name in get_args(request.Field):
        yield Ask("most frequent values", {}, "top", {"field": name, "limit": 50})
        yield Ask("most frequent values", early, "top", {"field": name, "limit": 3})
    yield Ask("most frequent values", {"cleared": False}, "top", {"field": "labels"})
    for zoom in range(21):
        yield Ask("map tiles", {"cleared": zoom % 2 == 0}, "tiles", {"zoom": zoom})
    for query in ({"words": "zzz"}, {"words": "?!"}):
        yield Ask("nothing", query, "histogram", {"step": "day"})
        yield Ask("nothing", query, "top", {"field": "hazard"})
        yield Ask("nothing", query, "tiles", {"zoom": 3})


WRONG: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
    ("search", {"words": "x" * 2001}, {}),
    ("search", {"words": " ".join(f"mot{n}" for n in range(65))}, {}),
    ("search", {}, {"limit": 0}),
    ("search", {}, {"limit": 1001}),
    ("search", {}, {"sort": "best"}),
    ("search", {}, {"after": (1,)}),
    ("search", {}, {"after": (0.5, 1)}),
    ("search", {}, {"after": (2**63, 1)}),
    ("search", {"words": "feu"}, {"sort": "relevance", "after": (-1, 1)}),
    ("search", {"words": "?!"}, {"after": ("a", "b")}),
    ("histogram", {}, {"step": "week"}),
    ("histogram", {"words": "?!"}, {"step": "week"}),
    ("top", {}, {"field": "author"}),
    ("top", {}, {"field": "source", "limit": 0}),
    ("tiles", {}, {"zoom": -1}),
    ("tiles", {"words": "zzz"}, {"zoom": 30}),
)
"""What nobody can answer: method, conditions, what else is given. Both refuse it in the same words."""


def page() -> str:
    """The part of docs/search.md that says what is tried, and what may differ."""
    known = asks()
    kinds = Counter(one.kind for one in known)
    lines = [f"{len(known)} requests are put to both engines, and {len(WRONG)} that both refuse in the same words.", ""]
    lines += ["| kind | requests | such as |", "|---|---|---|"]
    for kind, n in kinds.items():
        some = [one.name for one in known if one.kind == kind]
        lines.append(f"| {kind} | {n} | `{some[len(some) // 2].replace('|', chr(92) + '|')}` |")
    lines += ["", "Where the answers may differ, and must, to the post:", "", "| why | requests |", "|---|---|"]
    for reason, why in REASONS.items():
        some = [one.name for one in known for differ in one.differs if differ.reason == reason]
        shown = ", ".join(f"`{name}`" for name in some[:3]) + (f" and {len(some) - 3} more" if len(some) > 3 else "")
        lines.append(f"| {why} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(page())
