"""The survey pages over HTTP: one address a link, opened with GET and answered with POST."""

from __future__ import annotations

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from parcours.collect.survey.desk import Reply, SurveyDesk, Wish
from parcours.collect.survey.forms import MOST_BODY_BYTES, UnreadableFormError
from parcours.collect.survey.pages import content_policy
from parcours.words import LANGUAGES, Language

PLACE = "/s/{token}"
PATIENCE_S = 20.0
"""How long a form may take to arrive."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": content_policy(),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class TooLargeError(Exception):
    """The body is larger than any form of ours."""


def survey_routes(desk: SurveyDesk, language: Language = "fr") -> list[Route]:
    """Return the routes of ``desk``; ``language`` speaks where neither the link nor the browser does."""

    async def answer(request: Request) -> Response:
        wish = read_wish(request, language)
        token = request.path_params["token"]
        if request.method != "POST":
            return _respond(await desk.show(token, wish, request.query_params.get("score", "")))
        try:
            async with asyncio.timeout(PATIENCE_S):
                body = await read_body(request)
        except UnreadableFormError:
            return _respond(desk.refuse("unreadable", wish))
        except TooLargeError:
            return _respond(desk.refuse("too_large", wish))
        except (TimeoutError, ClientDisconnect):
            return _respond(desk.refuse("slow", wish))
        return _respond(await desk.take(token, wish, request.headers.get("content-type", ""), body))

    return [Route(PLACE, answer, methods=["GET", "HEAD", "POST"], name="survey")]


async def read_body(request: Request) -> bytes:
    """Return the body of ``request``, refusing it before it is held when it says or proves to be too large.

    Raises:
        TooLargeError: it passes what a form of ours can have.
        UnreadableFormError: it is compressed, which no browser does to a form.
    """
    length = request.headers.get("content-length", "0")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnreadableFormError("compressed")
    if not (length.isascii() and length.isdigit()) or int(length[:12]) > MOST_BODY_BYTES:
        raise TooLargeError
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY_BYTES:
            raise TooLargeError
    return bytes(body)


def read_wish(request: Request, default: Language) -> Wish:
    """Return the language that the address asks for, and the one that the browser speaks best."""
    asked = next((each for each in LANGUAGES if each == request.query_params.get("lang")), None)
    return Wish(asked, speak_best(request.headers.get("accept-language", ""), default))


def speak_best(accepted: str, default: Language) -> Language:
    """Return the first of our languages in an ``Accept-Language`` header, which browsers write best first."""
    for part in accepted.lower().split(","):
        name = part.partition(";")[0].strip().partition("-")[0]
        for language in LANGUAGES:
            if name == language:
                return language
    return default


def _respond(reply: Reply) -> Response:
    headers = dict(HEADERS)
    if reply.location:
        headers["Location"] = reply.location
    if reply.retry_after_s:
        headers["Retry-After"] = str(reply.retry_after_s)
    return Response(reply.html, reply.status, headers, "text/html; charset=utf-8")
