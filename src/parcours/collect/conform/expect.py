"""What an answer may be held to, each said in words; and how requests become rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from parcours.collect.conform.client import Answer, Request
from parcours.collect.conform.describe import describe
from parcours.collect.conform.rule import SEGMENT, Level, Outcome, Profile, Rule, failed, passed, same
from parcours.collect.conform.run import Run
from parcours.words import Words


class Expectation(msgspec.Struct, frozen=True):
    """What the contract says of an answer, and whether one is so."""

    words: Words
    holds: Callable[[Answer], bool]


def is_error_object(answer: Answer) -> bool:
    """Tell whether the body is a JSON object with a ``code`` and a ``message`` that says something."""
    document = answer.document()
    return isinstance(document, dict) and bool(document.get("code")) and isinstance(document.get("message"), str)


def is_gif(answer: Answer) -> bool:
    """Tell whether it is status 200 and a GIF, labelled as one."""
    label = (answer.header("Content-Type") or "").lower()
    return answer.status == 200 and label.startswith("image/gif") and answer.body.startswith(b"GIF8")


def is_refusal(answer: Answer) -> bool:
    """Tell whether it is refused for what it holds: a route that is not there or is too busy has not been tried."""
    return 400 <= answer.status < 500 and answer.status not in (404, 405, 429)


def _whole(holds: Callable[[Answer], bool]) -> Callable[[Answer], bool]:
    return lambda answer: answer.trouble is None and holds(answer)


ACCEPTED: Final = Expectation(
    Words("exactement 200, jamais 204", "exactly 200, never 204"), _whole(lambda answer: answer.status == 200)
)
SUCCESS: Final = Expectation(
    Words('200 et {"success": true}', '200 and {"success": true}'),
    _whole(lambda answer: answer.status == 200 and answer.document() == {"success": True}),
)
GIF: Final = Expectation(Words("toujours 200 et un GIF", "always 200 and a GIF"), _whole(is_gif))
BAD_REQUEST: Final = Expectation(same("400"), _whole(lambda answer: answer.status == 400))
REFUSED: Final = Expectation(
    Words("un refus en 4xx, ni 200 ni 5xx", "a 4xx refusal, neither 200 nor 5xx"), _whole(is_refusal)
)
UNAUTHORISED: Final = Expectation(same("401"), _whole(lambda answer: answer.status == 401))
UNBROKEN: Final = Expectation(
    Words("200 ou 4xx, jamais 5xx", "200 or 4xx, never 5xx"),
    _whole(lambda answer: answer.status == 200 or is_refusal(answer)),
)
NO_SUCH_METHOD: Final = Expectation(
    Words("405 (ou 404)", "405 (or 404)"), _whole(lambda answer: answer.status in (404, 405))
)
ERROR_OBJECT: Final = Expectation(
    Words("un objet JSON avec code et message", "a JSON object with code and message"),
    _whole(lambda answer: answer.status >= 400 and is_error_object(answer)),
)


def judge(answer: Answer, expectation: Expectation) -> Outcome:
    """Hold one answer to what is expected."""
    return passed(describe(answer)) if expectation.holds(answer) else failed(describe(answer))


def judge_all(run: Run, requests: Iterable[Request], expectation: Expectation) -> Outcome:
    """Send several requests; all must hold, the first that does not is told."""
    answer, count = Answer(), 0
    for request in requests:
        answer, count = run.send(request), count + 1
        if not expectation.holds(answer):
            told = describe(answer)
            where = run.tell(request)
            return failed(Words(f"{where} → {told.fr}", f"{where} → {told.en}"))
    told = describe(answer)
    return passed(told if count == 1 else Words(f"{count} × {told.fr}", f"{count} × {told.en}"))


def ask(
    id: str,
    sent: Words,
    source: str,
    build: Callable[[Run], Request | Iterable[Request]],
    expectation: Expectation = ACCEPTED,
    profiles: tuple[Profile, ...] = SEGMENT,
    level: Level = "required",
) -> Rule:
    """Return the rule that what ``build`` makes is answered as expected."""

    def check(run: Run) -> Outcome:
        built = build(run)
        return judge_all(run, [built] if isinstance(built, Request) else built, expectation)

    return Rule(
        id=id, sent=sent, contract=expectation.words, source=source, check=check, profiles=profiles, level=level
    )
