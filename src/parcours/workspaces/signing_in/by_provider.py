"""Signing in with a provider: to its page, and back with a code that only this browser can bring."""

from __future__ import annotations

import hmac
import logging
import time
from functools import partial

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.know import Caller, How
from parcours.words import LANGUAGES, Language
from parcours.workspaces.frame import find_home
from parcours.workspaces.held import Held
from parcours.workspaces.signing_in.cookies import WAY, drop_cookie, read_cookie, set_cookie
from parcours.workspaces.signing_in.entrance import Entrance
from parcours.workspaces.signing_in.fetching import AwayError
from parcours.workspaces.signing_in.guard import GuardedRoute
from parcours.workspaces.signing_in.places import find_place
from parcours.workspaces.signing_in.provider import Provider, UntrueError
from parcours.workspaces.signing_in.routes import Desk
from parcours.workspaces.signing_in.ways import Way, begin_way, open_way, seal_way

LOG = logging.getLogger(__name__)
BACK = "/sign-in/back"
HOW: How = "provider"
_LONGEST = 2_048


def list_provider_routes(held: Held, entrance: Entrance, desk: Desk) -> list[GuardedRoute]:
    """Return the two open routes of a provider; none where the company has not declared one."""
    settings = held.take().settings.sign_in.provider
    if settings is None:
        return []
    counter = Counter(Provider(settings), entrance, desk)
    ways = [
        GuardedRoute(f"/{language}/sign-in/provider", partial(counter.leave, language), None) for language in LANGUAGES
    ]
    return [*ways, GuardedRoute(BACK, counter.come_back, None)]


class Counter:
    """Sends people to a provider, and lets in whom it brings back.

    Args:
        provider: Who says who they are.
        entrance: Knows its people.
        desk: Lets them in.
    """

    def __init__(self, provider: Provider, entrance: Entrance, desk: Desk) -> None:
        self._provider, self._entrance, self._desk = provider, entrance, desk

    async def leave(self, language: Language, request: Request) -> Response:
        """Lead to the provider's page; what has to come back with the answer is in a cookie."""
        way = begin_way(language, find_place(request.query_params.get("next", "")), time.time())
        try:
            address = await run_in_threadpool(self._provider.ask, way, self._back(request))
        except AwayError as fault:
            return self._turn_away(language, request, "away", fault)
        answer = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
        set_cookie(answer, WAY, request, self._entrance.secure, seal_way(way, self._entrance.secret))
        return answer

    async def come_back(self, request: Request) -> Response:
        """Let in whom the provider brings back, if they are among the people; whoever else learns no more."""
        way = open_way(read_cookie(WAY, request, self._entrance.secure), self._entrance.secret, time.time())
        language: Language = next((one for one in LANGUAGES if way and way.language == one), "fr")
        told, code = request.query_params, request.query_params.get("code", "")
        if way is None or not _is_answer_to(way, told.get("state", "")):
            return self._turn_away(language, request, "provider")
        if not (0 < len(code) <= _LONGEST and self._provider.is_of(told.get("iss", ""))):
            return self._turn_away(language, request, "provider")
        if self._entrance.by_address.take(self._entrance.find_address(request)):
            return self._turn_away(language, request, "provider")
        return await run_in_threadpool(self._finish, language, request, way, code)

    def _finish(self, language: Language, request: Request, way: Way, code: str) -> Response:
        try:
            who = self._provider.identify(way, code, self._back(request), time.time())
        except AwayError as fault:
            return self._turn_away(language, request, "away", fault)
        except UntrueError as fault:
            return self._turn_away(language, request, "provider", fault)
        person = self._entrance.access.staff.recognise(who.subject, who.mail)
        if person is None:
            return self._turn_away(language, request, "stranger")
        place = way.place or find_home(Caller(person.person_id, person.role, person.scope), language)
        answer = self._desk.let_in(request, person, HOW, place)
        drop_cookie(answer, WAY, request, self._entrance.secure)
        return answer

    def _back(self, request: Request) -> str:
        return self._entrance.origin(request) + BACK

    def _turn_away(self, language: Language, request: Request, why: str, fault: Exception | None = None) -> Response:
        if fault is not None:
            LOG.warning("the provider's answer was not taken", extra={"fields": {"why": str(fault)[:80]}})
        answer = RedirectResponse(f"/{language}/sign-in?why={why}", 303, {"Cache-Control": "no-store"})
        drop_cookie(answer, WAY, request, self._entrance.secure)
        return answer


def _is_answer_to(way: Way, state: str) -> bool:
    return hmac.compare_digest(way.state.encode(), state.encode("utf-8", "surrogatepass"))
