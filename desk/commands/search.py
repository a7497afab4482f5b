"""``vigie search``: posts by their words and what was understood of them, as on the desk's search page."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import click

from config.settings import settings
from desk.commands.desk import adopted
from desk.web import clearance
from desk.web.asking import FIELDS, HOLES, Asked, read
from desk.web.evidence import readable
from desk.web.words import Words
from store import annotations, posts, times
from store.database import Database
from store.search.either import Answer, Either
from store.search.request import Away, Engine, Page

Command = Callable[..., None]


def _fields(command: Command) -> Command:
    """An option for each field of the search page."""
    words = Words("en", ZoneInfo("UTC"), times.now())
    for name in reversed([name for name in FIELDS if name != "q"]):
        command = click.option(f"--{name}", default="", help=f"{words.say(f'search.field.{name}')}.")(command)
    return command


@click.command()
@click.argument("words", nargs=-1)
@_fields
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Posts on the page.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def command(words: tuple[str, ...], limit: int, as_json: bool, **fields: str) -> None:
    """Search the posts: WORDS, each of which must be there; a phrase between double quotes inside one argument.

    Times without a zone are those of the bundle; --area takes corners as latitude,longitude with spaces between.
    Answers with Elasticsearch where it is configured, with the database where it is not or is away, and says which.

    Example: vigie search fumée noire --hazard industrial_fire --since 2026-03-02T06:00 --json
    """
    chosen = settings()
    db = Database.open(chosen.database)
    with closing(db), closing(Either(db, chosen.cluster)) as search:
        bundle = adopted(db, chosen)().bundle
        cleared = clearance.cleared(bundle)
        asked = read({"q": " ".join(words), **fields}, ZoneInfo(bundle.time_zone), cleared=cleared)
        if asked.problems:
            raise click.UsageError("\n".join(_problems(asked)))
        try:
            answer = search.answer(partial(_page, asked=asked, limit=limit), only=asked.by)
        except Away as away:
            raise click.ClickException(
                f"the pages before came from {asked.by}, which does not answer: {away}"
            ) from away
        found = _found(db, answer.value, cleared=cleared)
    click.echo(json.dumps(_plain(answer, found), ensure_ascii=False) if as_json else "\n".join(_lines(answer, found)))


def _page(engine: Engine, asked: Asked, limit: int) -> Page:
    return engine.search(asked.query, sort=asked.sort, limit=limit, after=asked.after)


def _problems(asked: Asked) -> list[str]:
    say = Words("en", ZoneInfo("UTC"), times.now()).say
    return [f"--{one.field}: {say(f'search.bad.{one.why}', given=one.given, **HOLES)}" for one in asked.problems]


def _found(db: Database, page: Page, *, cleared: bool) -> list[dict[str, Any]]:
    """The posts as the database has them now, without those that an index may not know to be reserved yet."""
    marks = {one.post_id: one.marks for one in page.found}
    with db.read() as conn:
        said, understood = posts.get(conn, marks), annotations.get(conn, marks)
    shown = [one for id, one in said.items() if cleared or id not in understood or not _reserved(understood[id].labels)]
    return [
        {
            "id": one.id,
            "created_at": times.to_iso(one.created_at),
            "source": one.source,
            "text": one.text,
            "marks": [[mark.start, mark.end] for mark in marks[one.id]],
        }
        for one in shown
    ]


def _reserved(labels: tuple[str, ...]) -> bool:
    return clearance.THREAT in labels


def _plain(answer: Answer[Page], found: list[dict[str, Any]]) -> Mapping[str, Any]:
    page, by = answer.value, answer.by
    return {
        "total": page.total,
        "engine": by.engine,
        "instead_of": by.instead_of,
        "reason": by.reason or None,
        "behind": page.behind,
        "after": ",".join(map(str, page.after)) if page.after else None,
        "posts": found,
    }


def _lines(answer: Answer[Page], found: list[dict[str, Any]]) -> list[str]:
    page, by = answer.value, answer.by
    lines = [f"{by.instead_of} did not answer ({by.reason}); {by.engine} answered instead"] if by.instead_of else []
    lines += [f"{one['created_at']}  {one['source']}  {' '.join(readable(one['text']).split())}" for one in found]
    lines.append(
        f"{page.total:,} posts, answered by {by.engine}" + (f", {page.behind:,} changes behind" * bool(page.behind))
    )
    if page.after:
        lines.append(f"the next ones: --after {','.join(map(str, page.after))} --by {by.engine}")
    return lines
