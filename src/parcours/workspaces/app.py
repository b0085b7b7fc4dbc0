"""The pages as one web application over one company, and the server that holds it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from socket import socket
from threading import Thread

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.errors import ParcoursError
from parcours.know import LOCAL, Access, SignedIn, decide
from parcours.words import LANGUAGES, Language
from parcours.workspaces.forms import RefusedError
from parcours.workspaces.frame import read_live, show_live
from parcours.workspaces.held import Held, Reopen
from parcours.workspaces.live import Hub, LiveFeed
from parcours.workspaces.missing import MissingError
from parcours.workspaces.pages.fault import write_fault
from parcours.workspaces.readable import Readable
from parcours.workspaces.render import render
from parcours.workspaces.routes import FORMS, PAGES, Form, Page
from parcours.workspaces.safety import HEADERS, HostCheck, SafeHeaders, write_policy
from parcours.workspaces.seen import see_as
from parcours.workspaces.shelf import LONGEST_S, PUBLISHED, Body, Shelf, pack
from parcours.workspaces.signing_in.asking import asker, session_seal, who_asks
from parcours.workspaces.signing_in.by_provider import list_provider_routes
from parcours.workspaces.signing_in.entrance import Entrance
from parcours.workspaces.signing_in.guard import ForbiddenError, GuardedRoute, Judge
from parcours.workspaces.signing_in.routes import Desk, list_sign_in_routes
from parcours.workspaces.signing_in.signed_in import SignedInOnly
from parcours.workspaces.static import SCRIPT, SCRIPT_PATH, STYLES, STYLES_PATH
from parcours.workspaces.stream import answer_stream
from parcours.workspaces.things import find_touchpoint
from parcours.workspaces.wording import Say

LOG = logging.getLogger(__name__)
FOREVER = "public, max-age=31536000, immutable"
STOP_S = 5
"""How long what is being answered may take when the server stops."""


def create_app(
    company: Readable,
    hosts: Collection[str] = (),
    reopen: Reopen | None = None,
    feed: LiveFeed | None = None,
    more: Sequence[GuardedRoute] = (),
    entrance: Entrance | None = None,
) -> Starlette:
    """Return the application; ``hosts`` are the names it answers to beside the loopback's.

    With ``reopen``, which reads the company anew, pages follow its blueprint and settings when these change. With
    ``feed`` they follow what comes in; ``state.hub`` of the application then holds the streams. ``more`` are routes
    beside the pages, which the same checks protect. ``entrance`` knows who is signed in; by default that of the folder.
    """
    held = Held(company, reopen)
    entrance = entrance or Entrance(Access(company.folder, company.settings), company.settings)
    shelf = Shelf(company.folder, PUBLISHED, LONGEST_S) if feed else Shelf(company.folder)
    hub = Hub(feed, shelf.mark, held.take) if feed else None
    answer_fault, desk = _answer_fault(held), Desk(held, entrance)
    routes = [
        GuardedRoute("/", _go_home(held), None),
        *(GuardedRoute(f"/{language}/", _go_to("map", language), None) for language in LANGUAGES),
        GuardedRoute(STYLES_PATH, _send_fixed(STYLES, "text/css; charset=utf-8"), None),
        GuardedRoute(SCRIPT_PATH, _send_fixed(SCRIPT, "text/javascript; charset=utf-8"), None),
        GuardedRoute("/static/icon.svg", _send_fixed(_read_icon(), "image/svg+xml"), None),
        *list_sign_in_routes(desk),
        *list_provider_routes(held, entrance, desk),
        *(
            GuardedRoute(
                f"/{language}/{page.path}",
                _send_page(held, shelf, hub, page, language),
                page.action,
                judge=_judge_page(held, page),
            )
            for language in LANGUAGES
            for page in PAGES
        ),
        *(route for language in LANGUAGES for form in FORMS for route in _list_form_routes(held, form, language)),
        *(_stream_route(hub, entrance, language) for language in LANGUAGES if hub),
        *more,
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(SafeHeaders),
            Middleware(HostCheck, hosts=(*hosts, *entrance.hosts)),
            Middleware(SignedInOnly, entrance=entrance, routes=routes, refuse=answer_fault, own=_find_own(held)),
        ],
        exception_handlers=dict.fromkeys(
            (HTTPException, MissingError, ParcoursError, RefusedError, ForbiddenError, Exception), answer_fault
        ),
    )
    app.state.hub, app.state.entrance = hub, entrance
    return app


def _find_own(held: Held) -> Callable[[SignedIn], tuple[str, ...]]:
    """Return what finds somebody's own; to whoever is at this machine every team belongs."""

    def find(found: SignedIn) -> tuple[str, ...]:
        if found.person.person_id != LOCAL.person_id or found.person.role != "cem":
            return found.person.scope
        return tuple(team.id for team in held.take().blueprint.teams)

    return find


def _judge_page(held: Held, page: Page) -> Judge:
    return lambda path: (page.asks(path), page.find_thing(held.take(), path))


def _list_form_routes(held: Held, form: Form, language: Language) -> list[GuardedRoute]:
    """Return where a form is sent to; opening that address leads to its page."""

    async def answer(request: Request) -> Response:
        return await form.answer(held.take(), language, request)

    place = f"/{language}/{form.path}"
    return [
        GuardedRoute(place, answer, form.action, methods=["POST"]),
        GuardedRoute(place, _go_to(form.page, language), "sign_in"),
    ]


def _stream_route(hub: Hub, entrance: Entrance, language: Language) -> GuardedRoute:
    async def stream(request: Request) -> Response:
        caller = asker().caller

        def sees(company: Readable, touchpoint: str) -> bool:
            return decide(caller, "see_results", find_touchpoint(company, {"id": touchpoint})).allowed

        async def holds() -> bool:
            return isinstance(await run_in_threadpool(entrance.find, request), SignedIn)

        return answer_stream(hub, language, request, holds, sees)

    return GuardedRoute(f"/{language}/live", stream, "sign_in")


class PageServer(uvicorn.Server):
    """A server that ends its streams when it stops: their readers would keep it waiting for ever."""

    def __init__(self, config: uvicorn.Config, hub: Hub | None) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Stop; what is being answered gets a few seconds."""
        if self._hub is not None:
            self._hub.close()
        await super().shutdown(sockets)


def make_server(
    company: Readable,
    host: str,
    port: int,
    reopen: Reopen | None = None,
    feed: LiveFeed | None = None,
    more: Sequence[GuardedRoute] = (),
    entrance: Entrance | None = None,
) -> PageServer:
    """Return a server of the pages on ``host``:``port``; only that name and the loopback's are answered."""
    wild = host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
    hosts = (company.settings.serve.host,) if wild else (host,)
    app = create_app(company, hosts, reopen, feed, more, entrance)
    config = uvicorn.Config(
        app, host, port, log_level="warning", server_header=False, timeout_graceful_shutdown=STOP_S, access_log=False
    )
    return PageServer(config, app.state.hub)


def serve(
    company: Readable,
    host: str,
    port: int,
    reopen: Reopen | None = None,
    feed: LiveFeed | None = None,
    more: Sequence[GuardedRoute] = (),
    entrance: Entrance | None = None,
) -> None:
    """Serve ``company`` on ``host``:``port`` until stopped."""
    Thread(target=warm, args=(company,), daemon=True).start()
    make_server(company, host, port, reopen, feed, more, entrance).run()


def warm(company: Readable) -> None:
    """Open permissions, identities and results once, so that the first reader does not wait for them."""
    # What is wrong is said on the page that needs it; here it must not stop the server.
    with suppress(ParcoursError):
        company.result("experience")
        for touchpoint in company.blueprint.touchpoints:
            if touchpoint.experience and touchpoint.experience.text:
                company.verbatims(touchpoint.id, limit=1)
                return


def choose_language(company: Readable, accepted: str) -> Language:
    """Return the best of our languages for an Accept-Language header; the company's own when it names neither."""
    wishes = []
    for place, part in enumerate(accepted.lower().split(",")):
        name, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, name.split("-")[0]))
    for weight, _, name in sorted(wishes):
        for language in LANGUAGES:
            if name == language and weight < 0:
                return language
    return company.settings.language


def _go_home(held: Held) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        language = choose_language(held.take(), request.headers.get("accept-language", ""))
        return RedirectResponse(f"/{language}/map", status_code=302, headers={"Vary": "Accept-Language"})

    return answer


def _go_to(page: str, language: Language) -> Callable[[Request], Response]:
    def answer(_: Request) -> Response:
        return RedirectResponse(f"/{language}/{page}", status_code=302)

    return answer


def _send_page(
    held: Held, shelf: Shelf, hub: Hub | None, page: Page, language: Language
) -> Callable[[Request], Response]:
    headers = {"Content-Security-Policy": write_policy(scripts=hub is not None, forms=page.forms)}
    if page.forms:
        # A browser that may not say where it comes from sends the origin of a form as null.
        headers["Referrer-Policy"] = "same-origin"

    def make(company: Readable, request: Request) -> str:
        live = read_live(company, hub, page.path, language) if hub else None
        record = page.read(company, language, dict(request.path_params), dict(request.query_params))
        return render(show_live(record, live), language)

    def answer(request: Request) -> Response:
        asked = "&".join(
            f"{name}={request.query_params[name]}" for name in page.parameters if name in request.query_params
        )
        asking = who_asks()
        company = see_as(held.take(), asking.caller if asking else None)
        name = f"{_name_reader(page)} {request.url.path}?{asked}"
        if page.personal:
            body = pack(make(company, request))
        else:
            body = shelf.take(name, lambda: make(company, request), page.longest_s)
        cache = "private, no-store" if page.personal else "private, no-cache"
        return _send(request, body, "text/html; charset=utf-8", cache, headers)

    return answer


def _name_reader(page: Page) -> str:
    """Return whom a page that is kept may be shown to: all who may see the same, or this session alone.

    Forms hold tokens of the session that they were given to.
    """
    asking = who_asks()
    if asking is None or page.forms:
        return session_seal()
    return asking.caller.view


def _send_fixed(text: str, kind: str) -> Callable[[Request], Response]:
    body = pack(text)

    def answer(request: Request) -> Response:
        return _send(request, body, kind, FOREVER)

    return answer


def _send(request: Request, body: Body, kind: str, cache: str, more: Mapping[str, str] | None = None) -> Response:
    headers = {"ETag": body.tag, "Cache-Control": cache, "Vary": "Accept-Encoding, Cookie", **(more or {})}
    if body.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(body.compressed, 200, {**headers, "Content-Encoding": "gzip"}, kind)
    return Response(body.plain, 200, headers, kind)


def _answer_fault(held: Held) -> Callable[[Request, Exception], Response]:
    """Answer any fault with a page of our own: what is wrong, and the remedy."""

    def answer(request: Request, fault: Exception) -> Response:
        company = held.take()
        first = request.url.path.strip("/").partition("/")[0]
        language: Language = next(
            (each for each in LANGUAGES if each == first),
            choose_language(company, request.headers.get("accept-language", "")),
        )
        status, sentence, remedy = describe_fault(fault, Say(language))
        if status == 500:
            LOG.error("no page for %s", request.url.path, exc_info=fault)
        page = write_fault(company, language, status, sentence, remedy)
        headers = {**HEADERS, "Cache-Control": "no-store"}  # a fault of our own is answered outside the middleware
        return Response(render(page, language), status, headers, "text/html; charset=utf-8")

    return answer


def describe_fault(fault: Exception, say: Say) -> tuple[int, str, str]:
    """Return the HTTP status of ``fault``, a sentence and a remedy."""
    if isinstance(fault, MissingError):
        return 404, say(fault.key, **fault.figures), say("error.missing_remedy")
    if isinstance(fault, RefusedError):
        remedy = "error.no_replay_remedy" if fault.key == "error.no_replay" else "error.form_remedy"
        return 403, say(fault.key), say(remedy)
    if isinstance(fault, ForbiddenError):
        decision = fault.decision
        return 403, decision.rule.in_language(say.language), decision.remedy.in_language(say.language)
    if isinstance(fault, HTTPException):
        key = {404: "error.missing", 405: "error.method"}.get(fault.status_code, "error.inside")
        return fault.status_code, say(key), say("error.missing_remedy")
    if isinstance(fault, ParcoursError):
        first = fault.faults[0]
        return (
            403 if first.code == "not_permitted" else 503,
            first.sentence.in_language(say.language),
            first.remedy.in_language(say.language),
        )
    return 500, say("error.inside"), say("error.inside_remedy")


def _read_icon() -> str:
    return (files("parcours.workspaces.static") / "icon.svg").read_text("utf-8")
