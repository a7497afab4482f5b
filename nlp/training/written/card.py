"""The corpus' card: prose in ``CARD.md``, and between its markers tables made from the corpus and from kept figures.

Figures that take minutes are kept as JSON in ``nlp/corpus/figures`` by the commands that measure them, each with the
digest of the corpus it was measured on, so that the card says when they are of an earlier state.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from nlp.training.written import coverage
from nlp.training.written.agreement import Agreement
from nlp.training.written.curve import Point, round_of
from nlp.training.written.finding import Finding, Table
from nlp.training.written.guide import filled as guide_filled
from nlp.training.written.guide import read_guide
from nlp.training.written.lists import LANGS
from nlp.training.written.read import CORPUS, PARTS, Corpus, read_corpus

MARKER = re.compile(r"<!-- (?P<name>\w+) -->\n.*?<!-- end -->", re.DOTALL)
Maker = Callable[[Corpus, Path], str]


def digest(folder: Path) -> str:
    """What names a state of the corpus: twelve digits of the hash of all its posts and sheets."""
    total = hashlib.sha256()
    for part in PARTS:
        for path in sorted((folder / part).glob("*.jsonl")):
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def keep(name: str, told: Any, folder: Path = CORPUS) -> Path:
    """Keep figures for the card as ``figures/name.json``; gives the file."""
    path = folder / "figures" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    kept = {"corpus": digest(folder), "figures": told}
    path.write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    return path


def kept(name: str, folder: Path = CORPUS) -> Mapping[str, Any] | None:
    """Kept figures with the digest they belong to, None where nothing was kept."""
    path = folder / "figures" / f"{name}.json"
    return orjson.loads(path.read_bytes()) if path.exists() else None


def write(folder: Path = CORPUS) -> list[Path]:
    """Fill ``CARD.md`` and ``GUIDE.md`` anew; gives the files."""
    written = {folder / "CARD.md": card(folder), folder / "GUIDE.md": guide(folder)}
    for path, text in written.items():
        path.write_text(text, encoding="utf-8")
    return list(written)


def guide(folder: Path = CORPUS) -> str:
    """``GUIDE.md`` as it should be."""
    examples, _ = read_guide(folder / "guide.jsonl")
    return guide_filled((folder / "GUIDE.md").read_text(encoding="utf-8"), examples)


def card(folder: Path = CORPUS) -> str:
    """``CARD.md`` as it should be. Raises KeyError for a marker that nothing fills."""
    corpus = read_corpus(folder)
    text = (folder / "CARD.md").read_text(encoding="utf-8")
    return MARKER.sub(
        lambda match: f"<!-- {match['name']} -->\n{MAKERS[match['name']](corpus, folder)}\n<!-- end -->", text
    )


def markdown(table: Table) -> str:
    """A table as Markdown, zeros as dots."""
    rows = [table.columns, ("---",) * len(table.columns), *table.rows]
    return "\n".join("| " + " | ".join("·" if cell == 0 else str(cell) for cell in row) + " |" for row in rows)


def _sizes(corpus: Corpus, folder: Path) -> str:
    del folder
    rows = []
    for part in PARTS:
        for lang in LANGS:
            posts = [one for one in corpus.part(part) if one.lang == lang]
            told = [one for one in posts if one.about]
            stories = {one.story for one in posts if one.story}
            counts = (sum(one.crisis for one in posts), len(told), len(posts) - len(told))
            rows.append((part, lang, len(posts), *counts, sum(len(one.text.split()) for one in posts), len(stories)))
    columns = ("part", "language", "posts", "a service could act", "about harm", "about none", "words", "stories")
    sheets = f"\n\n{len(corpus.sheets)} fact sheets." if corpus.sheets else ""
    return markdown(Table("", columns, tuple(rows))) + sheets


def _rounds(corpus: Corpus, folder: Path) -> str:
    del folder
    counts = Counter((round_of(one), one.lang) for one in corpus.part("train"))
    names = sorted({name for name, _ in counts})
    rows = tuple((name, *(counts[name, lang] for lang in LANGS)) for name in names)
    return markdown(Table("", ("round", *LANGS), rows))


def _coverage(part: str) -> Maker:
    def make(corpus: Corpus, folder: Path) -> str:
        del folder
        posts = corpus.part(part)
        if not posts:
            return "No post yet."
        tables = coverage.tables(posts, part)
        return "\n\n".join(f"**{table.title}**\n\n{markdown(table)}" for table in tables)

    return make


def _checks(corpus: Corpus, folder: Path) -> str:
    del corpus
    told = kept("check", folder)
    if told is None:
        return "Not measured yet: `vigie corpus check --models --keep`."
    marks = {True: "kept", False: "not kept", None: "not looked at"}
    rows = tuple((one["name"], marks[one["ok"]], one["told"]) for one in told["figures"])
    return _stamp(told, folder) + markdown(Table("", ("check", "", "figures"), rows))


def _agreement(corpus: Corpus, folder: Path) -> str:
    del corpus
    told = kept("agreement", folder)
    if told is None:
        return "Not read a second time yet: `vigie corpus agreement SECOND --keep`."
    rows = tuple(
        (one["field"], *map(_number, (one["alpha"], one["low"], one["high"])), one["units"], one["same"])
        for one in told["figures"]
    )
    columns = ("field", "alpha", "from", "to (95 %)", "posts or words", "the same")
    return _stamp(told, folder) + markdown(Table("", columns, rows))


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _curve(corpus: Corpus, folder: Path) -> str:
    del corpus
    told = kept("curve", folder)
    if told is None:
        return "Not measured yet: `vigie corpus curve --keep`."
    table = curve_table([(point["posts"], point["figures"]) for point in told["figures"]])
    return f"{_stamp(told, folder)}![The learning curve](figures/curve.png)\n\n{markdown(table)}"


def curve_table(points: Sequence[tuple[int, Sequence[Mapping[str, Any]]]]) -> Table:
    """Figures down, points across; each with its number of cases."""
    values = {(_name(one), at): one for at, (_, figures) in enumerate(points) for one in figures}
    names = list(dict.fromkeys(name for name, _ in values))
    cases = {name: one["n"] for (name, _), one in values.items()}
    rows = tuple((*name, *(_value(values.get((name, at))) for at in range(len(points))), cases[name]) for name in names)
    return Table("", ("measured on", "", "figure", *(f"{posts:,} posts" for posts, _ in points), "n"), rows)


def _value(one: Mapping[str, Any] | None) -> str:
    return f"{one['value']:.3f}" if one else "–"


def _name(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["task"], one["lang"], one["measure"]


def _stamp(told: Mapping[str, Any], folder: Path) -> str:
    same = told["corpus"] == digest(folder)
    return "" if same else f"*Measured on an earlier state of the corpus ({told['corpus']}).*\n\n"


def keep_findings(findings: Iterable[Finding], folder: Path) -> Path:
    """Keep what checks said, without their faults and tables, which the card makes anew."""
    rows = [{"name": one.name, "ok": one.ok, "told": one.told, "figures": one.figures} for one in findings]
    return keep("check", rows, folder)


def keep_agreements(found: Iterable[Agreement], folder: Path) -> Path:
    """Keep how far two readers agreed, field by field: what was kept of other fields stays."""
    told = kept("agreement", folder)
    before = {one["field"]: one for one in told["figures"]} if told else {}
    return keep("agreement", list((before | {one.field: asdict(one) for one in found}).values()), folder)


def keep_curve(points: Iterable[Point], folder: Path) -> Path:
    """Keep a learning curve."""
    return keep("curve", [asdict(point) for point in points], folder)


MAKERS: Mapping[str, Maker] = {
    "sizes": _sizes,
    "rounds": _rounds,
    "coverage_test": _coverage("test"),
    "coverage_train": _coverage("train"),
    "checks": _checks,
    "agreement": _agreement,
    "curve": _curve,
}
