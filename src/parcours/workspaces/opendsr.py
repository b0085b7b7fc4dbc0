"""The OpenDSR interface on the port of the pages: a key of its own, and nothing at all where no key was made."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.know import DsrAnswer, DsrKey, OpenDsr, refuse_dsr
from parcours.workspaces.opendsr_described import describe
from parcours.workspaces.signing_in.attempts import Attempts
from parcours.workspaces.signing_in.guard import GuardedRoute

PLACE = "/opendsr"
MOST_BYTES = 32 * 1024
WRONG_AT_ONCE, WRONG_AGAIN_S = 20, 3.0
"""How many wrong keys one address may send before it has to wait; right ones are answered all the same."""


class Asked(NamedTuple):
    """What somebody asks who has a key: the body, and the request that the address names."""

    key: DsrKey
    sent: bytes
    request_id: str


Act = Callable[[OpenDsr, Asked], DsrAnswer]


def list_opendsr_routes(name: str, opendsr: Callable[[], OpenDsr]) -> list[GuardedRoute]:
    """Return the routes; ``name`` is the company's, which stands in the header of every answer."""
    wrong = Attempts(WRONG_AT_ONCE, WRONG_AGAIN_S)

    def route(path: str, method: str, act: Act) -> GuardedRoute:
        async def answer(request: Request) -> Response:
            one, sent = opendsr(), await _read(request)
            request_id = request.path_params.get("id", "")
            told = await run_in_threadpool(
                _decide, one, request.headers.get("authorization", ""), sent, request_id, act
            )
            if told.status == 401 and (wait_s := wrong.take(request.client.host if request.client else "")):
                told = refuse_dsr(429, "too_many_wrong_keys", f"Try again in {ceil(wait_s)} s.")
            signature = await run_in_threadpool(one.sign, told.body)
            headers = {
                "cache-control": "no-store",
                "x-opendsr-processor-domain": name,
                "x-opendsr-signature": signature,
            }
            if told.status == 401:
                headers["www-authenticate"] = 'Bearer realm="opendsr"'
            if told.status == 429:
                headers["retry-after"] = str(ceil(wait_s))
            return Response(told.body, told.status, headers, "application/json")

        # Nobody signs in here: the key is asked for in `_decide`.
        return GuardedRoute(f"{PLACE}{path}", answer, None, methods=[method])

    return [
        route("/discovery", "GET", lambda one, _: one.discover()),
        route("/openapi.json", "GET", lambda *_: DsrAnswer(200, describe())),
        route("/requests", "POST", lambda one, asked: one.enter(asked.sent, asked.key)),
        route("/requests/{id}", "GET", lambda one, asked: one.tell(asked.request_id)),
        route("/requests/{id}", "DELETE", lambda one, asked: one.cancel(asked.request_id)),
    ]


def _decide(one: OpenDsr, authorization: str, sent: bytes | None, request_id: str, act: Act) -> DsrAnswer:
    if not one.keys.live():
        return refuse_dsr(404, "not_found", "There is nothing at this address.")
    kind, _, secret = authorization.partition(" ")
    key = one.keys.find(secret.strip()) if kind.lower() == "bearer" else None
    if key is None:
        return refuse_dsr(401, "invalid_key", "The key is missing or wrong.")
    if sent is None:
        return refuse_dsr(413, "too_large", f"A request has at most {MOST_BYTES} bytes.")
    return act(one, Asked(key, sent, request_id))


async def _read(request: Request) -> bytes | None:
    """Return the body, nothing when it is longer than any request may be."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return body
