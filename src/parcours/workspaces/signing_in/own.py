"""What somebody does with their own account: sign out, here or everywhere, choose a password, end a session."""

from __future__ import annotations

import time

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.errors import ParcoursError
from parcours.know import LOCAL, ROLES
from parcours.words import Language
from parcours.workspaces.forms import RefusedError, read_checked
from parcours.workspaces.readable import Readable
from parcours.workspaces.signing_in.asking import asker
from parcours.workspaces.signing_in.cookies import SESSION, drop_cookie, set_cookie
from parcours.workspaces.signing_in.entrance import Entrance
from parcours.workspaces.signing_in.told import lead_back

CLEAR = '"cache"'
"""What a browser forgets of these pages when somebody signs out (W3C Clear Site Data)."""
_NO_STORE = {"Cache-Control": "no-store"}


async def answer_sign_out(_: Readable, language: Language, request: Request) -> Response:
    """End this session, or every one of this person."""
    fields, asking = await read_checked(request, "sign_out", "everywhere"), asker()
    entrance, session = find_entrance(request), asking.signed_in.session
    if fields["everywhere"]:
        await run_in_threadpool(asking.access.sessions.end_all, session.person_id)
    await run_in_threadpool(asking.access.sessions.end, session.digest)
    answer = RedirectResponse(f"/{language}/sign-in?why=out", 303, {**_NO_STORE, "Clear-Site-Data": CLEAR})
    drop_cookie(answer, SESSION, request, entrance.secure)
    return answer


async def answer_end(_: Readable, language: Language, request: Request) -> Response:
    """End another of one's own sessions."""
    fields, asking = await read_checked(request, "account_end", "session"), asker()
    person_id = asking.caller.person_id
    await run_in_threadpool(asking.access.end, asking.actor, fields["session"], person_id)
    return lead_back("account", "end", language)


async def answer_password(_: Readable, language: Language, request: Request) -> Response:
    """Choose another password; whoever has only found this browser open does not know the one before."""
    fields, asking = await read_checked(request, "account_password"), asker()
    person, session, access = asking.signed_in.person, asking.signed_in.session, asking.access
    if find_entrance(request).by_person.take(person.login):
        return lead_back("account", "wait", language)
    before, after = fields.get("before", ""), fields.get("after", "")
    if await run_in_threadpool(access.staff.check_password, person.login, before) is None:
        return lead_back("account", "wrong", language)
    find_entrance(request).by_person.forget(person.login)
    try:
        await run_in_threadpool(access.set_password, asking.actor, person.person_id, after, session.digest)
    except ParcoursError as fault:
        return lead_back("account", fault.code, language)
    return lead_back("account", "password", language)


async def answer_role(_: Readable, language: Language, request: Request) -> Response:
    """Let whoever came from this very machine see the pages as another role does, in a session of its own."""
    fields, asking = await read_checked(request, "account_role", "role"), asker()
    role = next((one for one in ROLES if one == fields["role"]), None)
    if role is None or asking.caller.person_id != LOCAL.person_id:
        raise RefusedError("error.no_form")
    session, sessions, now_ms = asking.signed_in.session, asking.access.sessions, time.time_ns() // 1_000_000
    secret = await run_in_threadpool(sessions.begin, LOCAL, "link", now_ms, session.ends_ms - now_ms, role)
    await run_in_threadpool(sessions.end, session.digest)
    answer = RedirectResponse(f"/{language}/account", 303, _NO_STORE)
    set_cookie(answer, SESSION, request, find_entrance(request).secure, secret)
    return answer


def find_entrance(request: Request) -> Entrance:
    """Return how this application lets people in."""
    entrance: Entrance = request.app.state.entrance
    return entrance
