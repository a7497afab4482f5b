"""All saved objects of one language or of both, and the file that Kibana imports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson

from config.settings import HOST
from desk.kibana import views
from desk.kibana.board import Board
from desk.kibana.boards import analysts, exercise, watch
from desk.kibana.boards.shared import Kit
from desk.kibana.saved import Saved
from desk.kibana.say import LANGS, Say
from desk.web.words import Lang
from store.index.cluster import PREFIX

DESK = f"http://{HOST}:8710"  # where the desk of the shipped files is: that of an installation with no settings


def boards(kit: Kit) -> list[Board]:
    """The dashboards of a language."""
    return [watch.board(kit), analysts.board(kit), exercise.board(kit)]


def objects(lang: Lang, prefix: str = PREFIX, desk_url: str = DESK) -> list[Saved]:
    """Every saved object of a language, each once, what others stand on first."""
    kit = Kit(Say(lang), prefix, desk_url)
    made = [views.saved(kit.view(family.name), desk_url) for family in views.SHOWN]
    made += [part for board in boards(kit) for part in board.saved()]
    return list({(one.type, one.id): one for one in made}.values())


def both(langs: Sequence[Lang] = LANGS, prefix: str = PREFIX, desk_url: str = DESK) -> list[Saved]:
    """The saved objects of several languages; their ids end in the language."""
    return [one for lang in langs for one in objects(lang, prefix, desk_url)]


def lines(made: Iterable[Saved]) -> bytes:
    """NDJSON as Kibana imports it: one object a line, always the same bytes for the same objects."""
    return b"".join(orjson.dumps(one.plain(), option=orjson.OPT_SORT_KEYS) + b"\n" for one in made)
