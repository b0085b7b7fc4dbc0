"""The desk where a survey link is answered: asks once, takes one answer, and says thank you only when it is safe.

Rules of one link:

- Opening it changes nothing, whatever its address says: programs that check mails open links.
- The first answer counts. The same answer again (a double click, a reload, the link opened twice) is thanked again and
  changes nothing; another answer is refused in so many words, for an event is a fact and facts are not overwritten.
- An answer that could not be made safe is not an answer: the page comes back as it was filled in, and may be changed.
- What arrives twice all the same (a crash between two steps) is the same bytes under the same ``messageId``.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from parcours.blueprint.records import Blueprint
from parcours.collect.journal.delivery import Delivery
from parcours.collect.survey.answers import SOURCE, deliver_event, digest_event, write_event
from parcours.collect.survey.forms import (
    FORM_TYPE,
    MOST_BODY_BYTES,
    Given,
    UnreadableFormError,
    choose_score,
    read_form,
)
from parcours.collect.survey.links import (
    ExpiredLinkError,
    Link,
    SurveyKeys,
    UnknownLinkError,
    derive_keys,
    name_answer,
    open_link,
)
from parcours.collect.survey.pace import Pace
from parcours.collect.survey.pages import write_notice, write_question
from parcours.collect.survey.questions import Question, ask_question
from parcours.collect.survey.register import Register
from parcours.errors import ParcoursError
from parcours.words import Language

LOG = logging.getLogger(__name__)
REMEMBERED_MS = 400 * 86_400_000
"""How long after its link's end an answer is remembered, so that a later link about the same order is told so."""

SWEPT_EVERY_MS = 86_400_000
RETRY_S = 60
STATUSES = {
    "thanks": 200,
    "unreadable": 400,
    "unknown": 404,
    "slow": 408,
    "already": 409,
    "expired": 410,
    "ended": 410,
    "too_large": 413,
    "often": 429,
    "unavailable": 503,
}
_WAITING = frozenset({"often", "unavailable"})

Accept = Callable[[Delivery], Awaitable[None]]


class UnavailableError(Exception):
    """What `Accept` raises when it could not make a delivery durable and it should come again."""


class Reply(NamedTuple):
    """What goes back: a page, or where to go (a relative address); ``retry_after_s`` 0 says nothing."""

    status: int
    html: str = ""
    location: str = ""
    retry_after_s: int = 0


class Wish(NamedTuple):
    """The reader's language: ``asked`` by the address, else what the browser ``speaks``, for pages without a link."""

    asked: Language | None
    speaks: Language


class _Opened(NamedTuple):
    """A link that leads to a question."""

    token: str
    link: Link
    question: Question
    answer: bytes
    language: Language


class _RefusedError(Exception):
    """The link leads to a notice."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


class SurveyDesk:
    """The survey pages of one company.

    Args:
        blueprint: What is asked, and of what an answer may serve.
        key: The 32 bytes that seal links.
        accept: Makes a delivery durable before it returns; raises `UnavailableError` when it cannot for now.
        register: Remembers which links have been answered; open on the company's folder under ``derive_keys(key)``.
        clock: The present in epoch milliseconds.
        source: The id of the source that answers come from.
    """

    def __init__(
        self,
        blueprint: Blueprint,
        key: bytes,
        accept: Accept,
        register: Register,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        source: str = SOURCE,
    ) -> None:
        self._company = blueprint.company
        self._keys: SurveyKeys = derive_keys(key)
        self._accept = accept
        self._register = register
        self._clock = clock
        self._source = source
        self._questions = _ask_all(blueprint)
        self._pace = Pace()
        self._swept_ms = 0
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()
        self.counts: Counter[str] = Counter()

    async def show(self, token: str, wish: Wish, score: str = "") -> Reply:
        """Answer the opening of a link; ``score`` preselects and sends nothing."""
        try:
            opened = self._open(token, wish)
            entry = await asyncio.to_thread(self._register.find, opened.answer)
        except _RefusedError as refused:
            return refused.reply
        except ParcoursError as fault:
            LOG.error("the register of answers cannot be read: %s", fault.code)
            return self.refuse("unavailable", wish)
        if entry is not None and entry.accepted:
            return self._notice("thanks", opened)
        self.counts["asked"] += 1
        return self._question(200, opened, Given(choose_score(score, opened.question), "", ()))

    async def take(self, token: str, wish: Wish, content_type: str, body: bytes) -> Reply:
        """Answer a form that was sent."""
        try:
            opened = self._open(token, wish)
        except _RefusedError as refused:
            return refused.reply
        if wait_ms := self._pace.wait_for(opened.answer, self._clock()):
            return self._notice("often", opened)._replace(retry_after_s=-(-wait_ms // 1000))
        if content_type.partition(";")[0].strip().lower() != FORM_TYPE:
            return self._notice("unreadable", opened)._replace(status=415)
        if len(body) > MOST_BODY_BYTES:
            return self._notice("too_large", opened)
        try:
            given = read_form(body, opened.question)
        except UnreadableFormError:
            return self._notice("unreadable", opened)
        if given.wrong:
            self.counts["faulty"] += 1
            return self._question(422, opened, given)
        return await self._record(opened, given)

    def refuse(self, key: str, wish: Wish) -> Reply:
        """Return the notice ``key`` for a request whose link was not opened."""
        self.counts[key] += 1
        page = write_notice(self._company, wish.asked or wish.speaks, key)
        return Reply(STATUSES[key], page, retry_after_s=RETRY_S if key in _WAITING else 0)

    async def _record(self, opened: _Opened, given: Given) -> Reply:
        event = write_event(opened.question, opened.link, given, opened.answer, opened.language)
        turn = self._turns.setdefault(opened.answer, asyncio.Lock())
        try:
            async with turn:
                kept = await self._keep(opened, event)
        except (UnavailableError, ParcoursError) as fault:
            LOG.warning("an answer could not be kept for now: %s", type(fault).__name__)
            self.counts["unavailable"] += 1
            return self._question(503, opened, given, "try_again")._replace(retry_after_s=RETRY_S)
        if not kept:
            return self._notice("already", opened)
        # Sent on to a page that may be reloaded, so that nothing is sent twice by mistake.
        return Reply(303, location=f"{opened.token}?lang={opened.language}")

    async def _keep(self, opened: _Opened, event: dict[str, Any]) -> bool:
        """Keep ``event`` unless this link has been answered; return whether this is the answer that counts."""
        digest = digest_event(event, self._keys.answers)
        now_ms = self._clock()
        if now_ms - self._swept_ms >= SWEPT_EVERY_MS:
            self._swept_ms = now_ms
            await asyncio.to_thread(self._register.sweep, now_ms)
        until_ms = opened.link.expires_ms + REMEMBERED_MS
        entry = await asyncio.to_thread(self._register.claim, opened.answer, digest, now_ms, until_ms)
        if not hmac.compare_digest(entry.digest, digest):
            return False
        if entry.accepted:
            self.counts["repeated"] += 1
            return True
        await self._accept(deliver_event(event, entry.moment_ms, now_ms, self._source))
        stands = await asyncio.to_thread(self._register.settle, entry)
        self.counts["accepted" if stands else "overtaken"] += 1
        return stands

    def _open(self, token: str, wish: Wish) -> _Opened:
        try:
            link = open_link(token, self._keys, self._clock())
        except UnknownLinkError:
            raise _RefusedError(self.refuse("unknown", wish)) from None
        except ExpiredLinkError as expired:
            raise _RefusedError(self.refuse("expired", _or_as_sent(wish, expired.link))) from None
        question = self._questions.get(link.touchpoint)
        if question is None:
            raise _RefusedError(self.refuse("ended", _or_as_sent(wish, link)))
        return _Opened(token, link, question, name_answer(link, self._keys), wish.asked or link.language)

    def _notice(self, key: str, opened: _Opened) -> Reply:
        self.counts[key] += 1
        page = write_notice(self._company, opened.language, key, opened.token, opened.question)
        return Reply(STATUSES[key], page)

    def _question(self, status: int, opened: _Opened, given: Given, problem: str = "") -> Reply:
        page = write_question(self._company, opened.question, opened.language, opened.token, given, problem)
        return Reply(status, page)


def _ask_all(blueprint: Blueprint) -> dict[str, Question]:
    """Return the question of every touchpoint that can be asked about."""
    found = {}
    for touchpoint in blueprint.touchpoints:
        try:
            found[touchpoint.id] = ask_question(blueprint, touchpoint.id)
        except ParcoursError:
            continue
    return found


def _or_as_sent(wish: Wish, link: Link) -> Wish:
    """Return the wish, in the language that the link was sent in where the address asks for none."""
    return Wish(wish.asked or link.language, wish.speaks)
