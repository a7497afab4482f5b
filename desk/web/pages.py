"""The page that only shows, the board, and what every page is rendered with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from config.bundle import Bundle
from config.settings import Settings
from config.vocabulary import HAZARDS, LISTS, TAGS
from config.world import World
from desk.pulse.ear import Ear
from desk.pulse.hearing import Rates
from desk.pulse.storage import Watch
from desk.web import board as boards
from desk.web import chart, clearance, guard
from desk.web.evidence import readable
from desk.web.reasons import in_french
from desk.web.words import Lang, Words
from store.database import Database
from store.records import Incident, Status
from store.search.either import Either

HERE = Path(__file__).parent
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page needs; ``key`` signs the forms."""

    db: Database
    settings: Settings
    clock: Callable[[], datetime]
    world: Callable[[], World]
    key: bytes
    rates: Rates
    ear: Ear
    disk: Watch
    search: Either


@cache
def templates() -> Environment:
    """The templates, which escape everything and stop at a name that is not there."""
    loader = FileSystemLoader(HERE / "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def assets() -> str:
    """A short hash of the style and the script, so that a browser takes new ones at once."""
    files = sorted((HERE / "static").iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


def board_page(request: Request) -> HTMLResponse:
    """The page, with the incident of the address opened. HTTPException 404 where there is no such incident."""
    desk: Desk = request.app.state.desk
    wanted = request.path_params.get("incident")
    bundle = desk.world().bundle
    with desk.db.read() as conn:
        indexed = bool(desk.settings.cluster)
        board = boards.read(conn, desk.clock(), bundle, desk.ear, opened=wanted, indexed=indexed)
    if wanted and (board.opened is None or board.opened.card.incident.id != wanted):
        raise HTTPException(404)
    desk.rates.see(board.sources, board.at)
    numbered = [(card.number, card.incident) for card in board.cards]
    shown = [card.incident for card in board.cards] + ([board.opened.card.incident] if board.opened else [])
    return render(
        request, "board.html", board=board, chart=chart.draw(bundle, numbered), rates=desk.rates, **drill(desk, shown)
    )


def render(request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
    """A page in the language of the request, with its form token; the language and the browser are remembered."""
    desk: Desk = request.app.state.desk
    bundle, lang, name = desk.world().bundle, language(request), guard.browser(request)
    words = Words(lang, ZoneInfo(bundle.time_zone), desk.clock())
    shared = {
        "w": words,
        "storage": desk.disk.storage(),
        "bundle_name": bundle.name.en if lang == "en" else bundle.name.fr,
        "token": guard.token(desk.key, name),
        "me": readable(unquote(request.cookies.get("vigie_me", "")))[:80],
        "assets": assets(),
        "switch": partial(_switch, request),
        "hazard": partial(hazard_label, words),
        "label": partial(label, lang),
        "reason": partial(reason, words, bundle),
        "notes": lambda text: " ; ".join(reason(words, bundle, part) for part in text.split("; ")),
        "tags": partial(clearance.tags, bundle),
        "agency": lambda agency: boards.agency_name(bundle, agency, lang),
        "contact": lambda contact: boards.contact_name(bundle, contact),
        "px": "{:.1f}".format,
        "q": None,
    }
    html = templates().get_template(template).render(shared | context)
    response = HTMLResponse(html.encode("utf-8", "replace"), status)
    response.set_cookie(guard.COOKIE, name, httponly=True, samesite="strict")
    if "lang" in request.query_params:
        response.set_cookie("vigie_lang", lang, max_age=YEAR, httponly=True, samesite="lax")
    return response


def language(request: Request) -> Lang:
    """What ``?lang=`` asks for, else what was asked before, else French."""
    asked = request.query_params.get("lang") or request.cookies.get("vigie_lang")
    return "en" if asked == "en" else "fr"


def hazard_label(words: Words, name: str | None) -> str:
    """The hazard in the language of the page; its bare name where the list no longer has it."""
    if name is None:
        return words.say("hazard.none")
    known = HAZARDS.get(name)
    return name if known is None else known.label.en if words.lang == "en" else known.label.fr


def label(lang: Lang, closed_list: str, name: str) -> str:
    """A name of one of the closed lists in ``lang``; the bare name where the list does not have it."""
    known = LISTS[closed_list].get(name)
    return name if known is None else known.en if lang == "en" else known.fr


def reason(words: Words, bundle: Bundle, text: str) -> str:
    """A reason that another room gave, in the language of the page where its words are known."""
    if words.lang == "en":
        return text

    def name(kind: str, code: str) -> str:
        match kind:
            case "hazard":
                return label("fr", "tags", code) if code in TAGS else hazard_label(words, code)
            case "severity":
                return label("fr", "severities", code)
            case "tag":
                return label("fr", "tags", code)
            case "agency":
                return boards.agency_name(bundle, code, "fr")
        return code

    return in_french(text, name)


def drill(desk: Desk, shown: list[Incident]) -> dict[str, Any]:
    """Whether the page must say EXERCISE (or TEST), and whether real incidents stand beside."""
    statuses: set[Status] = {incident.status for incident in shown}
    status = desk.settings.status or desk.world().bundle.status
    if status != "Actual":
        return {"exercise": status, "mixed": "Actual" in statuses}
    exercise = next((one for one in ("Exercise", "Test") if one in statuses), None)
    return {"exercise": exercise, "mixed": exercise is not None}


def _switch(request: Request, lang: str) -> str:
    query = {key: value for key, value in request.query_params.items() if key != "lang"}
    return quote(request.url.path) + "?" + urlencode(query | {"lang": lang})
