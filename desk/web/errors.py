"""Error pages that say what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from desk.web.guard import HEADERS, TooLarge
from desk.web.pages import render

PAGES = (400, 403, 404, 413, 500, 503)


def http(request: Request, error: Exception) -> HTMLResponse:
    """A refusal by one of our own pages, or by the routing."""
    assert isinstance(error, HTTPException)
    code = error.status_code if error.status_code in PAGES else 404 if error.status_code == 405 else 500
    return page(request, code, status=error.status_code)


def too_large(request: Request, _: Exception) -> HTMLResponse:
    """A body beyond the limit."""
    return page(request, 413)


def busy(request: Request, error: Exception) -> HTMLResponse:
    """The database did not answer in time."""
    return page(request, 503, detail=str(getattr(error, "orig", error)))


def broken(request: Request, _: Exception) -> HTMLResponse:
    """Anything unforeseen: the trace goes to the log, not to the page."""
    answer = page(request, 500)
    answer.headers.update(HEADERS)  # this handler stands outside the guard
    return answer


def page(request: Request, code: int, *, status: int | None = None, detail: str = "") -> HTMLResponse:
    """The page of one error."""
    return render(request, "error.html", status=status or code, code=str(code), detail=detail)


HANDLERS: Mapping[Any, Any] = {
    HTTPException: http,
    TooLarge: too_large,
    OperationalError: busy,
    Exception: broken,
}
