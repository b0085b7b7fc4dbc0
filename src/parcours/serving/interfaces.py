"""What programs ask on the pages' port: health, metrics, one customer as of this second, and read-back for checks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.collect.http.more import READ_BACK, Reader, route_read_back
from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.serving.read_back import ReadBack
from parcours.workspaces.signing_in.asking import asker
from parcours.workspaces.signing_in.guard import GuardedRoute

_NO_STORE = {"cache-control": "no-store"}


def list_interfaces(
    company: Callable[[], Company], ready: Callable[[], bool], metrics: Callable[[], bytes], read_back: Reader | None
) -> list[GuardedRoute]:
    """Return the routes; ``read_back`` only where somebody asked for it when `serve` was started.

    Whether it is alive and ready anybody may ask; read-back asks for a token of its own.
    """

    async def health(_: Request) -> Response:
        return _write({"status": "alive"})

    async def is_ready(_: Request) -> Response:
        return _write({"status": "ready"}) if ready() else _write({"status": "not_ready"}, 503)

    async def tell_metrics(_: Request) -> Response:
        body = await run_in_threadpool(metrics)
        return Response(body, headers=_NO_STORE, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def timeline(request: Request) -> Response:
        return await _ask(request, lambda one, purpose: company().timeline(one, purpose))

    async def profile(request: Request) -> Response:
        return await _ask(request, lambda one, purpose: company().profile(one, purpose))

    routes = [
        GuardedRoute("/health", health, None),
        GuardedRoute("/ready", is_ready, None),
        GuardedRoute("/metrics", tell_metrics, "see_health"),
        GuardedRoute("/api/timeline", timeline, "see_customer"),
        GuardedRoute("/api/profile", profile, "see_customer"),
    ]
    return routes if read_back is None else [*routes, GuardedRoute(READ_BACK, route_read_back(read_back), None)]


def make_reader(token: str, kept: ReadBack, catch_up: Callable[[], object]) -> Reader:
    """Return who answers read-back: everything that was acknowledged by now is among it."""

    async def read(anonymous_id: str) -> list[dict[str, object]]:
        await run_in_threadpool(catch_up)
        return kept.find(anonymous_id)

    return Reader(token, read)


async def _ask(request: Request, ask: Callable[[str, str | None], object]) -> Response:
    decision = asker().decision
    if decision is None or decision.own:
        # Whose customer this is stands in no address: who may see their own alone asks on the pages.
        return _refuse(403, "own_only", "This role sees its own customers alone: on the pages.")
    identifier = request.query_params.get("id", "")
    if not identifier:
        return _refuse(400, "no_id", "Say whom: ?id=user:42 (or mail:, phone:, device:).")
    try:
        found = await run_in_threadpool(ask, identifier, request.query_params.get("purpose"))
    except ParcoursError as fault:
        first = fault.faults[0]
        return _refuse(409, first.code, f"{first.sentence.en} {first.remedy.en}")
    return _write(found)


def _refuse(status: int, code: str, message: str) -> Response:
    return _write({"code": code, "message": message}, status)


def _write(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, _NO_STORE, "application/json")
