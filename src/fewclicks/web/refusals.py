"""Refusals: what every error of the package, and of a request, is answered with: one line."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from fewclicks.errors import FewclicksError, StorageError, UnknownEntryError
from fewclicks.web.access import LARGEST_BODY
from fewclicks.web.database import DatabaseError
from fewclicks.web.fair_queue import StaleError
from fewclicks.web.leases import LeaseError


class Refusal(BaseModel):
    """What came, what was needed and what to do."""

    error: str


def answer_refusals(app: FastAPI) -> None:
    """Have a server answer each error with its status, and one line that helps."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


def _refused(_: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in _STATUSES if isinstance(error, kind))
    return _said(status, str(error))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first: dict[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return _said(422, f"The request does not fit: {place}: {first['msg']}.")


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(
        {"error": str(error.detail)}, status_code=error.status_code, headers=error.headers
    )


def _ending(_: Request, __: Exception) -> JSONResponse:
    return _said(503, "The server is ending; ask again when it is back.")


def _cut(_: Request, __: Exception) -> JSONResponse:
    return _said(413, f"The request ended early, or is larger than {LARGEST_BODY} bytes.")


def _said(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": message}, status_code=status)


_STATUSES: Final[tuple[tuple[type[FewclicksError], int], ...]] = (
    (LeaseError, 409),
    (UnknownEntryError, 404),
    (DatabaseError, 507),  # a page keeps what it could not save, and sends it again
    (StorageError, 404),
    (FewclicksError, 422),
)
_HANDLERS: Final[dict[type[Exception], Any]] = {
    FewclicksError: _refused,
    RequestValidationError: _invalid,
    HTTPException: _http,
    StaleError: _ending,
    ClientDisconnect: _cut,
}
