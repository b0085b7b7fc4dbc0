"""One customer for a program, within every bound of the decision: whose they are, why, masked, promises alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal, NamedTuple

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.know import Action, Decision, Lived, Thing
from parcours.workspaces.bounds import list_masked, list_promised, mask_fields, only_promises
from parcours.workspaces.forms import RefusedError
from parcours.workspaces.reasons import REASONS, write_reason
from parcours.workspaces.signing_in.asking import asker
from parcours.workspaces.signing_in.guard import ForbiddenError, insist
from parcours.workspaces.things import find_thing

TIMELINE, PROFILE = "/api/timeline", "/api/profile"
MOST_BYTES = 8 * 1024
NO_STORE = {"cache-control": "no-store"}
JSON_TYPE = "application/json"


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a program asks, in the body: an identifier never stands in an address, where logs would keep it.

    Attributes:
        id: Whom: ``user:42``, or ``mail:``, ``phone:``, ``device:``.
        reason: Why, where the role has to say so: one of `reasons.REASONS`.
        reference: The number of a case; no name.
        purpose: Under which it is read; by default the first that timelines may be read for.
        unmask: Whether personal fields are wanted as they are.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    reason: Annotated[str, msgspec.Meta(max_length=40)] = ""
    reference: Annotated[str, msgspec.Meta(max_length=40)] = ""
    purpose: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    unmask: bool = False


class Promised(msgspec.Struct, frozen=True):
    """What a role is told of a customer that sees promises alone: the events where something was promised."""

    purpose: str
    permitted: bool
    events: tuple[Lived, ...]
    only: Literal["promises"] = "promises"


class Refusal(msgspec.Struct, frozen=True):
    """Why a question is not answered: a code for programs, and a sentence."""

    code: str
    message: str


class Bounds(NamedTuple):
    """Within what the answer stays."""

    masked: bool
    promises: bool


class RefusedQuestionError(Exception):
    """A question that is not answered: the status, a code, and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


async def answer_timeline(company: Callable[[], Company], request: Request) -> Response:
    """Answer with what one customer lived, what was accepted a moment ago included."""

    def ask(one: Company, asked: Question, bounds: Bounds) -> object:
        found = one.timeline(asked.id, asked.purpose)
        masked = list_masked(one.blueprint) if bounds.masked else frozenset()
        events = [msgspec.structs.replace(event, fields=mask_fields(event.fields, masked)) for event in found.events]
        if not bounds.promises:
            return msgspec.structs.replace(found, events=tuple(events))
        promised = list_promised(one.blueprint)
        told = [event for event in events if event.touchpoint in promised]
        return Promised(found.purpose, found.permitted, tuple(told))

    return await _answer(company, request, TIMELINE, ask)


async def answer_profile(company: Callable[[], Company], request: Request) -> Response:
    """Answer with one customer's online profile at this moment."""

    def ask(one: Company, asked: Question, bounds: Bounds) -> object:
        if bounds.promises:
            raise RefusedQuestionError(403, "promises_only", f"This role sees promises alone: ask {TIMELINE}.")
        return one.profile(asked.id, asked.purpose)

    return await _answer(company, request, PROFILE, ask)


async def _answer(
    company: Callable[[], Company], request: Request, place: str, ask: Callable[[Company, Question, Bounds], object]
) -> Response:
    try:
        asked = await _read(request)
        return write_json(await run_in_threadpool(_look, company(), asked, place, ask))
    except RefusedQuestionError as refused:
        return refuse(refused.status, refused.code, refused.message)
    except ForbiddenError as forbidden:
        decision = forbidden.decision
        return refuse(403, f"not_permitted_{decision.code}", f"{decision.rule.en} {decision.remedy.en}".strip())
    except ParcoursError as fault:
        first = fault.faults[0]
        return refuse(409, first.code, f"{first.sentence.en} {first.remedy.en}")


async def _read(request: Request) -> Question:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON_TYPE:
        raise RefusedQuestionError(415, "no_json", "Send one JSON object as application/json.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise RefusedQuestionError(413, "too_large", f"A question has at most {MOST_BYTES} bytes.")
    try:
        return msgspec.json.decode(body, type=Question)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        told = 'Send {"id": "user:42"}, and with it reason, reference, purpose and unmask where you need them.'
        raise RefusedQuestionError(400, "bad_question", told) from None


def _look(company: Company, asked: Question, place: str, ask: Callable[[Company, Question, Bounds], object]) -> object:
    named = company.name_customers(asked.id)
    if not named:
        raise RefusedQuestionError(404, "nobody", "Nobody can have this identifier.")
    things = [find_thing(company, kind, id) for kind, id in named]
    looks = [_permit("see_customer", thing, place, asked) for thing in things]
    unmasked = [_permit("unmask", thing, place, asked) for thing in things if asked.unmask]
    asking = asker()
    # Noted first: what could not be noted is not told.
    for action, permits in (("see_customer", looks), ("unmask", unmasked)):
        for thing, (_, said) in zip(things, permits, strict=False):
            asking.access.audit.note(asking.actor, action, thing.kind, thing.id, "done", said)  # type: ignore[arg-type]
    decisions = [decision for decision, _ in looks]
    masked = any(decision.masked for decision in decisions) and not asked.unmask
    return ask(company, asked, Bounds(masked, any(map(only_promises, decisions))))


def _permit(action: Action, thing: Thing, place: str, asked: Question) -> tuple[Decision, str]:
    """Return the decision, and what the audit log says of why."""
    decision = insist(action, thing, place)
    if not decision.needs_reason and not asked.reason:
        return decision, ""
    try:
        return decision, write_reason(asked.reason, asked.reference)
    except RefusedError:
        told = f"Say why: reason is one of {', '.join(REASONS)}, reference the number of a case without a name."
        raise RefusedQuestionError(403, "no_reason", told) from None


def refuse(status: int, code: str, message: str) -> Response:
    """Return a refusal as a program reads it."""
    return write_json(Refusal(code, message), status)


def write_json(value: object, status: int = 200) -> Response:
    """Return ``value`` as JSON that nobody keeps."""
    return Response(msgspec.json.encode(value), status, NO_STORE, JSON_TYPE)
