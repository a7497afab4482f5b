"""Error pages that say what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from desk.web.guard import HEADERS, TooLarge
from desk.web.pages import render
from store.trouble import ailment

PAGES = (400, 403, 404, 413, 500)


def http(request: Request, error: Exception) -> HTMLResponse:
    """A refusal by one of our own pages, or by the routing."""
    assert isinstance(error, HTTPException)
    code = error.status_code if error.status_code in PAGES else 404 if error.status_code == 405 else 500
    return page(request, code, status=error.status_code)


def too_large(request: Request, _: Exception) -> HTMLResponse:
    """A body beyond the limit."""
    return page(request, 413)


def ailing(request: Request, error: Exception) -> HTMLResponse:
    """The database cannot be read or written: what a person can do about it, and that nothing was done meanwhile."""
    what = ailment(error)
    answer = page(request, 503 if what else 500, key=f"503.{what}" if what else "500", detail=_detail(error))
    answer.headers["Retry-After"] = "10"
    return answer


def _detail(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error)


def broken(request: Request, _: Exception) -> HTMLResponse:
    """Anything unforeseen: the trace goes to the log, not to the page."""
    answer = page(request, 500)
    answer.headers.update(HEADERS)  # this handler stands outside the guard
    return answer


def page(request: Request, code: int, *, status: int | None = None, key: str = "", detail: str = "") -> HTMLResponse:
    """The page of one error, in the words of ``key``, by default those of ``code``."""
    return render(request, "error.html", status=status or code, code=key or str(code), detail=detail)


HANDLERS: Mapping[Any, Any] = {
    HTTPException: http,
    TooLarge: too_large,
    SQLAlchemyError: ailing,
    Exception: broken,
}
