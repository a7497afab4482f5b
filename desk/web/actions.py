"""What a person does from the page: acknowledge an incident, report by hand."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from desk.web import guard
from desk.web.evidence import readable
from desk.web.pages import YEAR, Desk, drill, render
from store import incidents, ledger, outbox
from store.records import Acknowledgement, LedgerEntry

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
            ledger.append(conn, [LedgerEntry(now, "acknowledged", incident, "desk", {"agency": agency, "via": "desk"})])


def report_page(request: Request) -> HTMLResponse:
    """The empty form."""
    return _report(request)


def _report(request: Request, *, status: int = 200, **context: object) -> HTMLResponse:
    desk: Desk = request.app.state.desk
    blank = {"problem": None, "done": None, "typed": None, "place": None}
    return render(request, "report.html", status=status, **(blank | context), **drill(desk.world().bundle, []))


async def _form(request: Request) -> dict[str, str]:
    desk: Desk = request.app.state.desk
    form = await request.form(max_files=0, max_fields=10)
    fields = {name: readable(value) for name, value in form.items() if isinstance(value, str)}
    if not guard.token_holds(desk.key, request, fields.get("token", "")):
        raise HTTPException(403)
    return fields


async def report(request: Request) -> Response:
    """later"""
    await _form(request)
    return _report(request, done="x")
