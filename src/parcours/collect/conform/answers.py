"""Answers: the bodies that SDKs read, on success and on refusal, and when they are told to come back."""

from __future__ import annotations

from parcours.collect.conform import cited
from parcours.collect.conform.client import Answer, Request
from parcours.collect.conform.describe import describe
from parcours.collect.conform.expect import ERROR_OBJECT, SUCCESS, Expectation, ask, is_error_object
from parcours.collect.conform.rule import EVERY, JITSU, RUDDER, Outcome, Rule, failed, passed, skipped
from parcours.collect.conform.run import UNKNOWN_KEY, Run, read_seconds
from parcours.collect.conform.sizes import large_batch, wide_event
from parcours.words import Words


def is_json(answer: Answer) -> bool:
    """Tell whether an answer is labelled as JSON."""
    return (answer.header("Content-Type") or "").lower().split(";")[0].strip() == "application/json"


LABELLED = Expectation(
    Words("Content-Type: application/json", "Content-Type: application/json"),
    lambda answer: answer.trouble is None and is_json(answer),
)
READABLE = Expectation(
    Words("200 et du JSON : le client lève une erreur sinon", "200 and JSON: the client raises otherwise"),
    lambda answer: answer.trouble is None and answer.status == 200 and isinstance(answer.document(), dict),
)
NO_HALF_OBJECT = Expectation(
    Words("un objet avec code et message, ou pas de JSON", "an object with code and message, or no JSON at all"),
    lambda answer: answer.status >= 400 and (answer.document() is None or is_error_object(answer)),
)


def send_malformed(run: Run) -> Request:
    """JSON that ends too soon."""
    return run.home(b'{"type": "track", "event": ')


def send_no_array(run: Run) -> Request:
    """A batch that is no list."""
    return run.post("/v1/batch", {"batch": {"type": "track"}})


def send_unknown_key(run: Run) -> Request:
    """An event with a key that nobody made."""
    return run.post("/v1/track", run.event(), key=UNKNOWN_KEY)


def judge_retry_after(run: Run) -> Outcome:
    """Of all that was seen in this run: whoever says “later” says when, in seconds that every SDK reads."""
    told = [answer for answer in run.seen if answer.status in (429, 503)]
    if not told:
        return skipped(Words("ni 429 ni 503 dans tout l'essai", "neither 429 nor 503 in the whole run"))
    for answer in told:
        if (seconds := read_seconds(answer)) is None or not 1 <= seconds <= 300:
            value = answer.header("Retry-After")
            return failed(f"{answer.status}, Retry-After: {value}")
    return passed(f"{len(told)} × Retry-After")


def judge_success_type(run: Run) -> Outcome:
    """The label of a success."""
    answer = run.send(run.home(run.event()))
    label = answer.header("Content-Type")
    told = describe(answer) if answer.trouble else Words(f"Content-Type: {label}", f"Content-Type: {label}")
    return passed(told) if answer.status == 200 and LABELLED.holds(answer) else failed(told)


def judge_error_type(run: Run) -> Outcome:
    """The label of a refusal."""
    answer = run.send(send_malformed(run))
    label = answer.header("Content-Type")
    told = describe(answer) if answer.trouble else Words(f"Content-Type: {label}", f"Content-Type: {label}")
    return passed(told) if answer.status >= 400 and LABELLED.holds(answer) else failed(told)


RULES = (
    ask("answers.single", Words("un événement par /v1/track", "one event through /v1/track"), cited.HTTP_API,
        lambda run: run.post("/v1/track", run.event()), SUCCESS),
    ask("answers.batch", Words("un lot par /v1/batch", "a batch through /v1/batch"), cited.HTTP_API,
        lambda run: run.post("/v1/batch", run.batch(run.event())), SUCCESS),
    ask("answers.browser", Words("/v1/t et /v1/b, comme le navigateur", "/v1/t and /v1/b, as the browser"),
        cited.BROWSER, lambda run: (run.browser("/v1/t", run.event()), run.browser("/v1/b", run.batch(run.event()))),
        SUCCESS),
    ask("answers.rejected", Words("un événement sans identifiant", "an event without ids"), cited.HTTP_API,
        lambda run: run.post("/v1/track", run.event(anonymousId=...)), SUCCESS),
    Rule(id="answers.success_type", sent=Words("un événement", "an event"), contract=LABELLED.words, source=cited.OWN,
         check=judge_success_type, level="advised"),
    ask("answers.error_json", Words("du JSON inachevé", "unfinished JSON"), cited.PYTHON, send_malformed, ERROR_OBJECT),
    ask("answers.error_batch", Words("batch qui n'est pas une liste", "batch that is no list"), cited.PYTHON,
        send_no_array, ERROR_OBJECT),
    ask("answers.error_size", Words("un événement, puis un lot, trop grands", "an event, then a batch, too large"),
        cited.PYTHON, lambda run: (run.post("/v1/track", wide_event(run)),
                                   run.post("/v1/batch", large_batch(run, 27, 20_200))), ERROR_OBJECT),
    ask("answers.error_key", Words("une clé inconnue", "an unknown key"), cited.PYTHON, send_unknown_key, ERROR_OBJECT),
    Rule(id="answers.error_type", sent=Words("du JSON inachevé", "unfinished JSON"), contract=LABELLED.words,
         source=cited.OWN, check=judge_error_type, level="advised"),
    ask("answers.rudder_error", Words("JSON inachevé, puis clé inconnue", "unfinished JSON, then an unknown key"),
        f"{cited.RUDDER_PYTHON}: KeyError otherwise", lambda run: (send_malformed(run), send_unknown_key(run)),
        NO_HALF_OBJECT, RUDDER),
    ask("answers.jitsu_json", Words("un événement par /api/s/track", "an event through /api/s/track"), cited.JITSU_JS,
        lambda run: run.post("/api/s/track", run.event(), "x"), READABLE, JITSU),
)  # fmt: skip
"""In the order in which they run."""

LAST = (
    Rule(
        id="answers.retry_after",
        sent=Words("tout l'essai", "the whole run"),
        contract=Words(
            "tout 429 ou 503 porte Retry-After, en secondes entières, de 1 à 300",
            "every 429 or 503 carries Retry-After, in whole seconds, 1 to 300",
        ),
        source=cited.BROWSER_SOURCE,
        check=judge_retry_after,
        profiles=EVERY,
    ),
)
"""What looks back on the whole run."""
