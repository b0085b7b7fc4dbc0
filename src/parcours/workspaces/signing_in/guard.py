"""Routes that say which action they are: asked of the one table of permissions before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from parcours.know import Action, Decision, Thing, decide
from parcours.workspaces.signing_in.asking import asked_by, asker

Judge = Callable[[Mapping[str, str]], tuple[Action, Thing | None]]


class ForbiddenError(Exception):
    """Whoever asks may not do that; ``decision`` says by which rule, and what would allow it."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision.code)
        self.decision = decision


class GuardedRoute(Route):
    """A route of the pages: it names its action, or ``None`` where anybody may come. There is no other kind.

    Args:
        path: Its address.
        endpoint: What answers.
        action: What somebody does who asks for it.
        methods: GET by default.
        judge: Finds the action and what it is done to from the parts of the address, where ``action`` is not all.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        action: Action | None,
        methods: Collection[str] | None = None,
        judge: Judge | None = None,
    ) -> None:
        guard = [Middleware(Guard, action=action, place=path, judge=judge)] if action is not None else None
        super().__init__(path, endpoint, methods=methods, middleware=guard)
        self.action = action


class Guard:
    """Asks for a decision about one route before it answers."""

    def __init__(self, app: ASGIApp, action: Action, place: str, judge: Judge | None) -> None:
        self.app, self._action, self._judge = app, action, judge
        # As an id stands in the audit log; which one it was may be nothing to keep.
        self._place = place.replace("{id}", "ID")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or raise `ForbiddenError` before anything was read."""
        action, thing = self._judge(scope["path_params"]) if self._judge else (self._action, None)
        decision = await run_in_threadpool(insist, action, thing, self._place)
        with asked_by(msgspec.structs.replace(asker(), decision=decision)):
            await self.app(scope, receive, send)


def insist(action: Action, thing: Thing | None, place: str) -> Decision:
    """Return the decision that who asks may do ``action`` to ``thing``; a refusal is in the audit log first.

    Args:
        action: What is to be done.
        thing: What it is done to, where a decision needs to know.
        place: The address of the page or form, without anybody's id.

    Raises:
        ForbiddenError: They may not.
    """
    asking = asker()
    decision = decide(asking.caller, action, thing)
    if not decision.allowed:
        asking.access.note_refusal(asking.actor, action, place)
        raise ForbiddenError(decision)
    return decision


def is_open(routes: Collection[GuardedRoute], scope: Scope) -> bool:
    """Return whether a request asks for one of the few ``routes`` that anybody may reach."""
    return any(route.action is None and route.matches(scope)[0] is not Match.NONE for route in routes)
