"""What programs ask on the pages' port: health, metrics, one customer as of this second, and read-back for checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.collect.http.more import READ_BACK, Reader, route_read_back
from parcours.company import Company
from parcours.serving.one_customer import NO_STORE, PROFILE, TIMELINE, answer_profile, answer_timeline, write_json
from parcours.serving.openapi import PATH as DOCUMENT
from parcours.serving.openapi import describe_interfaces
from parcours.serving.read_back import ReadBack
from parcours.workspaces.signing_in.guard import GuardedRoute


def list_interfaces(
    company: Callable[[], Company], ready: Callable[[], bool], metrics: Callable[[], bytes], read_back: Reader | None
) -> list[GuardedRoute]:
    """Return the routes; ``read_back`` only where somebody asked for it when `serve` was started.

    Whether it is alive and ready anybody may ask; read-back asks for a token of its own.
    """

    async def health(_: Request) -> Response:
        return write_json({"status": "alive"})

    async def is_ready(_: Request) -> Response:
        return write_json({"status": "ready"}) if ready() else write_json({"status": "not_ready"}, 503)

    async def describe(_: Request) -> Response:
        return write_json(describe_interfaces())

    async def tell_metrics(_: Request) -> Response:
        body = await run_in_threadpool(metrics)
        return Response(body, headers=NO_STORE, media_type="text/plain; version=0.0.4; charset=utf-8")

    routes = [
        GuardedRoute("/health", health, None),
        GuardedRoute("/ready", is_ready, None),
        GuardedRoute("/metrics", tell_metrics, "see_health"),
        GuardedRoute(TIMELINE, partial(answer_timeline, company), "see_customer", methods=["POST"]),
        GuardedRoute(PROFILE, partial(answer_profile, company), "see_customer", methods=["POST"]),
        GuardedRoute(DOCUMENT, describe, "sign_in"),
    ]
    return routes if read_back is None else [*routes, GuardedRoute(READ_BACK, route_read_back(read_back), None)]


def make_reader(token: str, kept: ReadBack, company: Callable[[], Company], catch_up: Callable[[], object]) -> Reader:
    """Return who answers read-back: everything that was acknowledged by now is among it, save what is of the erased."""

    def find(anonymous_id: str) -> list[dict[str, object]]:
        rights = company().know.rights
        return [event for event in kept.find(anonymous_id) if not rights.is_erased(_who(event))]

    async def read(anonymous_id: str) -> list[dict[str, object]]:
        await run_in_threadpool(catch_up)
        return await run_in_threadpool(find, anonymous_id)

    return Reader(token, read)


def _who(event: dict[str, object]) -> dict[str, str]:
    told = {"user": event["userId"], "device": event["anonymousId"]}
    return {kind: str(value) for kind, value in told.items() if value is not None}
