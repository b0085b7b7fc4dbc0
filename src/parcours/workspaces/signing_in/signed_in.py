"""Nobody comes past without a session, save to the few addresses that are open: default deny, before any route."""

from __future__ import annotations

from collections.abc import Callable, Collection
from urllib.parse import urlencode

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from parcours.know import Caller, Ended, SignedIn
from parcours.words import LANGUAGES
from parcours.workspaces.forms import RefusedError, is_own
from parcours.workspaces.signing_in.asking import Asking, asked_by
from parcours.workspaces.signing_in.cookies import VISIT, read_cookie
from parcours.workspaces.signing_in.entrance import Entrance
from parcours.workspaces.signing_in.guard import GuardedRoute, is_open
from parcours.workspaces.signing_in.places import name_place

SAFE = ("GET", "HEAD", "OPTIONS")
_NO_STORE = {"Cache-Control": "no-store"}


class SignedInOnly:
    """Puts who asks before every route, and turns away who is nobody.

    Args:
        app: What answers.
        entrance: Knows who is signed in.
        routes: Every route; those without an action are open.
        refuse: Answers a fault with a page.
        own: Returns what is somebody's own.
    """

    def __init__(
        self,
        app: ASGIApp,
        entrance: Entrance,
        routes: Collection[GuardedRoute],
        refuse: Callable[[Request, Exception], Response],
        own: Callable[[SignedIn], tuple[str, ...]],
    ) -> None:
        self.app, self._entrance, self._refuse, self._own = app, entrance, refuse, own
        self._open = [route for route in routes if route.action is None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or lead to the sign-in page; a program is told 401."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if request.method not in SAFE and _is_page(request) and not is_own(request.headers):
            await self._refuse(request, RefusedError("error.foreign_form"))(scope, receive, send)
            return
        found = await run_in_threadpool(self._entrance.find, request)
        if not isinstance(found, SignedIn):
            await self._answer_nobody(scope, receive, send, found)
            return
        if request.method not in SAFE and found.session.how != "token" and not is_own(request.headers):
            await self._refuse(request, RefusedError("error.foreign_form"))(scope, receive, send)
            return
        caller = Caller(found.person.person_id, found.person.role, self._own(found))
        request.state.caller = caller
        with asked_by(Asking(caller, found, self._entrance.access)):
            await self.app(scope, receive, send)

    async def _answer_nobody(self, scope: Scope, receive: Receive, send: Send, why: Ended) -> None:
        request = Request(scope)
        if is_open(self._open, scope):
            with asked_by(None, read_cookie(VISIT, request, self._entrance.secure)):
                await self.app(scope, receive, send)
            return
        answer = _lead_to_sign_in(request, why) if _is_page(request) else _say_nobody()
        await answer(scope, receive, send)


def _is_page(request: Request) -> bool:
    """Return whether a person opens a page: a browser is led on, a program is told."""
    path = request.url.path
    named = path == "/" or any(path == f"/{one}" or path.startswith(f"/{one}/") for one in LANGUAGES)
    return named and "authorization" not in request.headers


def _lead_to_sign_in(request: Request, why: Ended) -> Response:
    path = request.url.path
    language = next((one for one in LANGUAGES if path.split("/")[1:2] == [one]), "fr")
    query = {"next": name_place(request)} | ({"why": why} if why != "unknown" else {})
    # A stream is asked for by script: it is to be told, and not to be led to a page.
    if request.headers.get("accept", "") == "text/event-stream":
        return _say_nobody()
    return RedirectResponse(f"/{language}/sign-in?{urlencode(query)}", 303, _NO_STORE)


def _say_nobody() -> Response:
    body = {"code": "not_signed_in", "message": "Sign in, or send the token of a program as Authorization: Bearer."}
    headers = {**_NO_STORE, "WWW-Authenticate": 'Bearer realm="parcours"'}
    return Response(msgspec.json.encode(body), 401, headers, "application/json")
