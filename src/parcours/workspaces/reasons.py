"""Looking at one person with a reason: a form asks for it, the audit log keeps it, and a few minutes later it is over.

A page that shows one person asks `has_reason` before it shows anything, and offers the form that `ask_reason` returns
where there is none; the same two, with the action ``unmask``, say whether personal data is shown as it is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from threading import Lock

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from parcours.know import Action, Thing
from parcours.words import Language, Words
from parcours.workspaces.forms import RefusedError, read_checked, sign
from parcours.workspaces.readable import Readable
from parcours.workspaces.signing_in.asking import asker, may_do, who_asks
from parcours.workspaces.signing_in.guard import insist
from parcours.workspaces.signing_in.places import find_place
from parcours.workspaces.things import find_thing
from parcours.workspaces.wording import Say

LASTS_S = 10 * 60
"""How long a reason holds, for one session, one action and one thing."""
MOST = 10_000

REASONS: dict[str, Words] = {
    "asked": Words(fr="à la demande du client", en="the customer asked"),
    "complaint": Words(fr="une réclamation", en="a complaint"),
    "fault": Words(fr="une erreur à réparer", en="a fault to mend"),
    "check": Words(fr="un contrôle", en="a check"),
}
"""Why somebody may look at a person; a reference says which case it is, and nothing is told freely."""

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./#_-]{0,39}")


class ReasonForm(msgspec.Struct, frozen=True, kw_only=True):
    """The form that asks for a reason: where it is sent to, what it is about, and the reasons there are."""

    place: str
    kind: str
    thing: str
    back: str
    token: str
    title: str
    says: str
    submit: str
    reasons: tuple[tuple[str, str], ...]


class Reasons:
    """The reasons that were given, by session, action and thing, each for a few minutes; none outlives the process.

    Args:
        now_s: Returns the time in seconds, on a clock that never goes back.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._until_s: dict[tuple[str, Action, str, str], float] = {}
        self._lock = Lock()

    def give(self, session: str, action: Action, kind: str, thing: str) -> None:
        """Let one session do ``action`` to one thing for a while."""
        with self._lock:
            now_s = self._now_s()
            self._until_s = {key: until_s for key, until_s in self._until_s.items() if until_s > now_s}
            if len(self._until_s) >= MOST:
                self._until_s.pop(next(iter(self._until_s)))
            self._until_s[session, action, kind, thing] = now_s + LASTS_S

    def holds(self, session: str, action: Action, kind: str, thing: str) -> bool:
        """Return whether that session has given a reason that is not over."""
        with self._lock:
            return self._until_s.get((session, action, kind, thing), 0.0) > self._now_s()


GIVEN = Reasons()


def has_reason(action: Action, thing: Thing) -> bool:
    """Return whether who asks may do ``action`` to ``thing`` now, having said why; the CLI need not say why."""
    asking = who_asks()
    if asking is None:
        return True
    digest = asking.signed_in.session.digest
    return may_do(action, thing) and GIVEN.holds(digest, action, thing.kind, thing.id)


def ask_reason(action: Action, thing: Thing, back: str, language: Language) -> ReasonForm | None:
    """Return the form that asks why; nothing where a reason holds, or no reason would do.

    ``back`` is the page that it leads back to, under the language.
    """
    if not may_do(action, thing) or has_reason(action, thing):
        return None
    say = Say(language)
    return ReasonForm(
        place=f"reason/{action}",
        kind=thing.kind,
        thing=thing.id,
        back=f"/{language}/{back}",
        token=sign(f"reason_{action}", thing.kind, thing.id, f"/{language}/{back}"),
        title=say(f"reason.{action}"),
        says=say("reason.says", minutes=LASTS_S // 60),
        submit=say(f"reason.{action}_submit"),
        reasons=tuple((code, words.in_language(language)) for code, words in REASONS.items()),
    )


def write_reason(reason: str, reference: str, reasons: Collection[str] = REASONS) -> str:
    """Return a reason as the audit log keeps it: one of ``reasons``, and what it refers to.

    Raises:
        RefusedError: It is none of them, or the reference may tell more than a number does.
    """
    told = " ".join(reference.split())
    if reason not in reasons or (told and not _REFERENCE.fullmatch(told)):
        raise RefusedError("error.no_reason")
    return f"{reason} {told}".strip()


async def answer_look(company: Readable, language: Language, request: Request) -> Response:
    """Take the reason for which somebody looks at one customer."""
    return await _answer("see_customer", company, language, request)


async def answer_unmask(company: Readable, language: Language, request: Request) -> Response:
    """Take the reason for which somebody sees personal data as it is."""
    return await _answer("unmask", company, language, request)


async def _answer(action: Action, company: Readable, language: Language, request: Request) -> Response:
    """Note the reason in the audit log, let the session go on for a while, and lead back to the page.

    Raises:
        RefusedError: The form is not ours, or gives no reason.
        ForbiddenError: Whoever asks may not do that to this thing.
        ParcoursError: The reason could not be noted: then nothing is shown.
    """
    fields = await read_checked(request, f"reason_{action}", "kind", "thing", "back")
    said = write_reason(fields.get("reason", ""), fields.get("reference", ""))
    thing = find_thing(company, fields["kind"], fields["thing"])
    await run_in_threadpool(insist, action, thing, f"reason/{action}")
    asking = asker()
    # Noted first: what could not be noted is not shown.
    await run_in_threadpool(asking.access.audit.note, asking.actor, action, thing.kind, thing.id, "done", said)
    GIVEN.give(asking.signed_in.session.digest, action, thing.kind, thing.id)
    return RedirectResponse(find_place(fields["back"]) or f"/{language}/account", 303, {"Cache-Control": "no-store"})
