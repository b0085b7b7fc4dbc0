"""What whoever manages people and keys does on the page of people: each a form, each in the audit log."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.collect.reading import read_sources
from parcours.collect.write_keys import Terms
from parcours.errors import ParcoursError
from parcours.know import check_scope
from parcours.words import Language
from parcours.workspaces.forms import read_checked
from parcours.workspaces.pages.people import read_people
from parcours.workspaces.readable import Readable
from parcours.workspaces.render import render
from parcours.workspaces.safety import write_policy
from parcours.workspaces.signing_in.asking import asker
from parcours.workspaces.signing_in.told import lead_back
from parcours.workspaces.signing_in.write_keys import NewKey

PAGE = "people"
DAY_MS = 86_400_000
_HEADERS = {
    "Content-Security-Policy": write_policy(forms=True),
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


async def answer_add(company: Readable, language: Language, request: Request) -> Response:
    """Let somebody sign in; without a password a provider has to say who they are."""
    fields, asking = await read_checked(request, "people_add"), asker()
    password = fields.get("password", "") or None
    told = (fields.get("login", ""), fields.get("role", ""), split(fields.get("scope", "")), password, _now_ms())
    return await _do(language, "added", _checked(company, asking.access.add), asking.actor, *told)


async def answer_change(company: Readable, language: Language, request: Request) -> Response:
    """Give somebody another role, or something else of their own."""
    fields, asking = await read_checked(request, "people_change", "person", "version"), asker()
    told = (int(fields["person"]), fields.get("role", ""), split(fields.get("scope", "")), int(fields["version"]))
    return await _do(language, "changed", _checked(company, asking.access.change), asking.actor, *told)


async def answer_remove(_: Readable, language: Language, request: Request) -> Response:
    """Let somebody sign in no longer."""
    fields, asking = await read_checked(request, "people_remove", "person", "version"), asker()
    told = (int(fields["person"]), int(fields["version"]))
    return await _do(language, "removed", asking.access.remove, asking.actor, *told)


async def answer_set_password(_: Readable, language: Language, request: Request) -> Response:
    """Give somebody a password; they should choose another one."""
    fields, asking = await read_checked(request, "people_password", "person"), asker()
    told = (int(fields["person"]), fields.get("password", ""))
    return await _do(language, "password", asking.access.set_password, asking.actor, *told)


async def answer_end_session(_: Readable, language: Language, request: Request) -> Response:
    """End a session of anybody."""
    fields, asking = await read_checked(request, "people_end", "session"), asker()
    return await _do(language, "ended", asking.access.end, asking.actor, fields["session"])


async def answer_make_key(company: Readable, language: Language, request: Request) -> Response:
    """Make a write key and show it, this once: it stands in no address and nobody keeps it."""
    fields = await read_checked(request, "people_key", "source")
    try:
        key = await run_in_threadpool(_make_key, company, fields)
    except ParcoursError as fault:
        return lead_back(PAGE, f"not_{fault.code}", language)
    page = await run_in_threadpool(read_people, company, language, new=NewKey(fields["source"], key))
    return Response(render(page, language), 200, _HEADERS, "text/html; charset=utf-8")


async def answer_revoke_key(_: Readable, language: Language, request: Request) -> Response:
    """Revoke a write key."""
    fields, asking = await read_checked(request, "people_revoke", "source", "ending"), asker()
    return await _do(language, "revoked", asking.access.revoke_key, asking.actor, fields["source"], fields["ending"])


def _checked(company: Readable, act: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``act`` after a look at what it is told to be somebody's own; it is told of whom, the role, then that."""

    def do(actor: str, whom: str | int, role: str, scope: Sequence[str], *more: Any) -> Any:
        check_scope(role, scope, company.blueprint)
        return act(actor, whom, role, scope, *more)

    return do


def split(text: str) -> tuple[str, ...]:
    """Return what stands between commas or on lines of its own."""
    return tuple(part for piece in text.replace("\n", ",").split(",") if (part := piece.strip()))


def _make_key(company: Readable, fields: dict[str, str]) -> str:
    sources = read_sources(company.folder, company.blueprint, company.settings)
    source = next(one.source for one in sources if one.source.source == fields["source"])
    rate, days = (_read_number(fields.get(name, "")) for name in ("per_second", "days"))
    expires_ms = _now_ms() + days * DAY_MS if days else None
    asking = asker()
    terms = Terms(split(fields.get("origins", "")), split(fields.get("events", "")), rate, expires_ms)
    return asking.access.make_key(asking.actor, source, terms)


def _read_number(text: str) -> int:
    plain = text.strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 8 else 0


async def _do(language: Language, done: str, act: Callable[..., Any], *told: Any) -> Response:
    """Do it, and lead back to the page, which says that it was done or why it was not."""
    try:
        await run_in_threadpool(act, *told)
    except ParcoursError as fault:
        return lead_back(PAGE, f"not_{fault.code}", language)
    return lead_back(PAGE, done, language)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
