"""Every other address of the collection port: health, documentation, survey pages, and the read-back for checks."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from parcours.collect.http.openapi import describe_api

FindTrouble = Callable[[], Awaitable[str]]
"""Returns why events cannot be taken and kept right now, as a code; nothing when they can."""

ReadBack = Callable[[str], Awaitable[Sequence[object]]]
"""Returns the events of one ``anonymousId`` in the order in which they were accepted."""

READ_BACK = "/read-back"
_CODES = {404: "not_found", 405: "method_not_allowed"}
_SENTENCES = {
    "not_found": "There is nothing at this address.",
    "method_not_allowed": "This address does not take this method.",
}
_NO_STORE = {"cache-control": "no-store"}


class Reader(msgspec.Struct, frozen=True):
    """The read-back interface: who may ask, and who answers."""

    token: str
    read: ReadBack


def build_more(find_trouble: FindTrouble, surveys: Sequence[BaseRoute] = (), reader: Reader | None = None) -> ASGIApp:
    """Return the application; without ``reader`` there is no read-back at all."""

    async def health(_: Request) -> Response:
        return _write({"status": "alive"})

    async def ready(_: Request) -> Response:
        trouble = await find_trouble()
        if trouble:
            return _write({"status": "not_ready", "reason": trouble}, 503)
        return _write({"status": "ready"})

    async def openapi(_: Request) -> Response:
        return _write(describe_api())

    routes: list[BaseRoute] = [
        Route("/health", health),
        Route("/ready", ready),
        Route("/openapi.json", openapi),
        *surveys,
    ]
    if reader is not None and reader.token:
        routes.append(Route(READ_BACK, route_read_back(reader)))
    return Starlette(routes=routes, exception_handlers={HTTPException: _refuse, Exception: _fail})


def route_read_back(reader: Reader) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers read-back to whoever has the token."""
    expected = f"Bearer {reader.token}".encode()

    async def answer(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, expected):
            return _write_refusal(401, "invalid_token", "The token is missing or wrong.")
        anonymous_id = request.query_params.get("anonymousId", "")
        if not anonymous_id:
            return _write_refusal(400, "invalid_request", "anonymousId is missing.")
        return _write({"events": await reader.read(anonymous_id)})

    return answer


async def _refuse(_: Request, fault: Exception) -> Response:
    status = fault.status_code if isinstance(fault, HTTPException) else 500
    code = _CODES.get(status, "refused")
    answer = _write_refusal(status, code, _SENTENCES.get(code, "This was refused."))
    if isinstance(fault, HTTPException) and fault.headers:
        answer.headers.update(fault.headers)
    return answer


async def _fail(_: Request, __: Exception) -> Response:
    return _write_refusal(500, "internal", "Something went wrong here; try again.")


def _write_refusal(status: int, code: str, message: str) -> Response:
    return _write({"success": False, "code": code, "message": message}, status)


def _write(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, _NO_STORE, "application/json")
