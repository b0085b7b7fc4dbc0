"""The addresses that are open to somebody who is not signed in: the sign-in page, opening links, the provider."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final

import anyio
from anyio import to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.know import Caller, How, Person, SignedIn, plain_login
from parcours.words import LANGUAGES, Language
from parcours.workspaces.forms import check, read_form
from parcours.workspaces.frame import find_home
from parcours.workspaces.held import Held
from parcours.workspaces.pages.sign_in import FORM, read_sign_in
from parcours.workspaces.render import render
from parcours.workspaces.safety import write_policy
from parcours.workspaces.signing_in.asking import asked_by, who_asks
from parcours.workspaces.signing_in.cookies import SESSION, VISIT, read_cookie, set_cookie
from parcours.workspaces.signing_in.entrance import Entrance
from parcours.workspaces.signing_in.guard import GuardedRoute
from parcours.workspaces.signing_in.places import find_place

AT_ONCE: Final = 2
"""How many passwords are worked out at a time: each takes 64 MiB for a moment."""
MOST_WAITING: Final = 16
_HEADERS = {
    "Content-Security-Policy": write_policy(forms=True),
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


def list_sign_in_routes(desk: Desk) -> list[GuardedRoute]:
    """Return the open routes."""
    routes = [GuardedRoute("/open", desk.open_link, None)]
    for language in LANGUAGES:
        place = f"/{language}/sign-in"
        routes += [
            GuardedRoute(place, partial(desk.show, language), None),
            GuardedRoute(place, partial(desk.sign_in, language), None, methods=["POST"]),
        ]
    return routes


class Desk:
    """Lets people in, by a password or by an address that opens once.

    Args:
        held: The company whose pages are opened.
        entrance: Knows its people.
    """

    def __init__(self, held: Held, entrance: Entrance) -> None:
        self._held, self._entrance = held, entrance
        self._slots: anyio.CapacityLimiter | None = None

    async def show(self, language: Language, request: Request) -> Response:
        """Show the sign-in page, or go on where somebody is signed in already."""
        place, asking = find_place(request.query_params.get("next", "")), who_asks()
        if asking is not None:
            home = find_home(asking.caller, language)
            return RedirectResponse(place or home, 303, {"Cache-Control": "no-store"})
        return self._write(language, request, place, why=request.query_params.get("why", ""))

    async def sign_in(self, language: Language, request: Request) -> Response:
        """Let in who has this login and password; who has not learns nothing of which of them was wrong."""
        fields = await read_form(request)
        place, login = find_place(fields.get("next", "")), fields.get("login", "")[:256]
        write = partial(self._write, language, request, place, login=login)
        if not check(fields.get("token", ""), FORM):
            return write(status=403, fault="old")
        address = self._entrance.find_address(request)
        # As it is looked up: another spelling of the same login is no further attempt.
        named = plain_login(login)
        wait_s = max(self._entrance.by_address.take(address), self._entrance.by_person.take(named))
        slots = self._slots = self._slots or anyio.CapacityLimiter(AT_ONCE)
        if wait_s or slots.statistics().tasks_waiting >= MOST_WAITING:
            return write(status=429, fault="wait", wait_s=wait_s or 1)
        ask = partial(self._entrance.access.staff.check_password, login, fields.get("password", ""))
        person = await to_thread.run_sync(ask, limiter=slots)
        if person is None:
            return write(status=403, fault="wrong")
        self._entrance.by_person.forget(named)
        return await run_in_threadpool(
            self.let_in, request, person, "password", place or find_home(_caller(person), language)
        )

    async def open_link(self, request: Request) -> Response:
        """Exchange the secret of an opening address for a session; the address then holds nothing."""
        language = self._held.take().settings.language
        if request.method == "HEAD":  # Whoever only looks must not use it up.
            return Response(headers={"Cache-Control": "no-store"})
        take = self._entrance.access.sessions.take_link
        person = await run_in_threadpool(take, request.query_params.get("token", ""), _now_ms())
        if person is None:
            return RedirectResponse(f"/{language}/sign-in?why=link", 303, {"Cache-Control": "no-store"})
        return await run_in_threadpool(self.let_in, request, person, "link", find_home(_caller(person), language))

    def let_in(self, request: Request, person: Person, how: How, place: str) -> Response:
        """Begin a session under a new secret, end the one that this browser had, and lead on."""
        access = self._entrance.access
        before = self._entrance.find(request)
        access.note_sign_in(person.person_id, how)
        secret = access.sessions.begin(person, how, _now_ms())
        if isinstance(before, SignedIn):
            access.sessions.end(before.session.digest)
        answer = RedirectResponse(place, 303, {"Cache-Control": "no-store"})
        set_cookie(answer, SESSION, request, self._entrance.secure, secret)
        return answer

    def _write(
        self,
        language: Language,
        request: Request,
        place: str,
        status: int = 200,
        why: str = "",
        fault: str = "",
        login: str = "",
        wait_s: float = 0,
    ) -> Response:
        """Write the page, for this browser alone: its form holds what this browser's visit holds."""
        visit = read_cookie(VISIT, request, self._entrance.secure) or secrets.token_urlsafe(16)
        with asked_by(None, visit):
            page = read_sign_in(self._held.take(), language, place, why, fault, login)
        headers = _HEADERS | ({"Retry-After": str(int(wait_s) + 1)} if wait_s else {})
        answer = Response(render(page, language), status, headers, "text/html; charset=utf-8")
        set_cookie(answer, VISIT, request, self._entrance.secure, visit)
        return answer


def _caller(person: Person) -> Caller:
    return Caller(person.person_id, person.role, person.scope)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
