"""What a person does from the page: acknowledge an incident, report by hand."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from alerts import entries
from desk.web import guard
from desk.web.evidence import readable
from desk.web.pages import YEAR, Desk, drill, render
from listeners import hand
from listeners.authors import AuthorKeys
from listeners.collect import collect
from store import incidents, ledger, outbox
from store.records import Acknowledgement

LONGEST = 2000


async def acknowledge(request: Request) -> Response:
    """Take an incident on for an agency, then show it again. HTTPException 403 for a foreign form, 404, 400."""
    form = await _form(request)
    agency, by = form.get("agency", ""), form.get("by", "")[:80]
    await run_in_threadpool(_take, request.app.state.desk, request.path_params["incident"], agency, by)
    answer = RedirectResponse(f"/incidents/{quote(request.path_params['incident'])}#opened", 303)
    answer.set_cookie("vigie_me", quote(by), max_age=YEAR, httponly=True, samesite="lax")
    return answer


def _take(desk: Desk, incident: str, agency: str, by: str) -> None:
    now = desk.clock()
    if agency not in {one.id for one in desk.world().bundle.agencies}:
        raise HTTPException(400)
    with desk.db.write(durable=True) as conn:
        if incidents.get(conn, incident) is None:
            raise HTTPException(404)
        if outbox.acknowledge(conn, Acknowledgement(incident, agency, by or "desk", now, "desk")):
            ledger.append(conn, [entries.about_agency("acknowledged", incident, agency, now, via="desk")])


def report_page(request: Request) -> HTMLResponse:
    """The empty form."""
    return _report(request)


async def report(request: Request) -> Response:
    """Enter what somebody saw as a post. Where it cannot be one, the form comes back filled, with the reason."""
    form = await _form(request)
    typed = {name: form.get(name, "") for name in ("text", "place", "author")}
    return await run_in_threadpool(_enter, request, typed)


def _enter(request: Request, typed: Mapping[str, str]) -> HTMLResponse:
    desk: Desk = request.app.state.desk
    if len(typed["text"]) > LONGEST:
        raise HTTPException(413)
    try:
        post = hand.entered(
            typed["text"], now=desk.clock(), place=typed["place"] or None, author=typed["author"] or None
        )
    except hand.NotUsable as problem:
        return _report(request, status=422, problem=str(problem), typed=typed)
    world = desk.world()
    keys = AuthorKeys.of_home(desk.settings.home)
    status = desk.settings.status or world.bundle.status
    collect(desk.db, world, [post], source=hand.PLATFORM, clock=desk.clock, key=keys, status=status)
    return _report(request, done=f"{post.platform}:{post.native_id}")


def _report(
    request: Request, *, status: int = 200, problem: str = "", done: str = "", typed: Mapping[str, str] | None = None
) -> HTMLResponse:
    drilling = drill(request.app.state.desk, [])
    blank = {"text": "", "place": "", "author": ""}
    return render(request, "report.html", status=status, problem=problem, done=done, typed=typed or blank, **drilling)


async def _form(request: Request) -> dict[str, str]:
    desk: Desk = request.app.state.desk
    form = await request.form(max_files=0, max_fields=10)
    fields = {name: readable(value) for name, value in form.items() if isinstance(value, str)}
    if not guard.token_holds(desk.key, request, fields.get("token", "")):
        raise HTTPException(403)
    return fields
