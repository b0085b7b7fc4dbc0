"""CORS: what a browser asks before it sends, and what it must read on the answer to let the page see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote

from parcours.collect.conform import cited
from parcours.collect.conform.answers import send_malformed, send_unknown_key
from parcours.collect.conform.client import Answer, Request
from parcours.collect.conform.describe import describe
from parcours.collect.conform.expect import Expectation, ask
from parcours.collect.conform.rule import JITSU, RUDDER, SEGMENT, SERVERS, Level, Outcome, Profile, Rule, decide
from parcours.collect.conform.run import CALLS, LETTERS, ORIGIN, Run
from parcours.collect.conform.settings import settings_request
from parcours.words import Words

ORIGINS = ("*", ORIGIN)
JITSU_CALLS = ("identify", "track", "page", "group")


def allows_origin(answer: Answer) -> bool:
    """Tell whether a page of `ORIGIN` may read the answer."""
    return answer.trouble is None and (answer.header("Access-Control-Allow-Origin") or "").strip() in ORIGINS


PREFLIGHT = Expectation(
    Words("2xx sans clé, Access-Control-Allow-Origin", "2xx without a key, Access-Control-Allow-Origin"),
    lambda answer: 200 <= answer.status < 300 and allows_origin(answer),
)
OPEN = Expectation(Words("Access-Control-Allow-Origin", "Access-Control-Allow-Origin"), allows_origin)


def preflight(path: str, method: str = "POST", headers: str = "authorization,content-type") -> Request:
    """Return the question that a browser asks before a request with such headers."""
    asked = (("Origin", ORIGIN), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers))
    return Request("OPTIONS", path, asked)


def preflight_rule(name: str, paths: Iterable[str], sent: str, profiles: tuple[Profile, ...] = SEGMENT,
                   method: str = "POST", level: Level = "required") -> Rule:  # fmt: skip
    """Return the rule that a browser may send to all of ``paths``."""
    asked = tuple(paths)

    def build(run: Run) -> tuple[Request, ...]:
        return tuple(preflight(path.replace("KEY", quote(run.key, safe="")), method) for path in asked)

    words = Words(f"OPTIONS {sent.replace('KEY', 'CLÉ')}", f"OPTIONS {sent}")
    return ask(f"cors.{name}", words, cited.FETCH, build, PREFLIGHT, profiles, level)


def list_header(answer: Answer, name: str) -> set[str]:
    """Return the items of a list header, in lower case."""
    return {item.strip().lower() for item in (answer.header(name) or "").split(",")}


def allow_rule(name: str, header: str, source: str, profiles: tuple[Profile, ...] = SEGMENT, level: Level = "required",
               path: str = "/v1/t") -> Rule:  # fmt: skip
    """Return the rule that a preflight lets a header through; ``*`` does not cover ``Authorization``."""

    def check(run: Run) -> Outcome:
        answer = run.send(preflight(path, headers=header))
        allowed = list_header(answer, "Access-Control-Allow-Headers")
        told = f"{answer.status} {', '.join(sorted(allowed))}"
        covered = header in allowed or ("*" in allowed and header != "authorization")
        return decide(covered and PREFLIGHT.holds(answer), describe(answer) if answer.trouble else told)

    return Rule(
        id=f"cors.{name}",
        sent=Words(f"OPTIONS {path}, qui demande {header}", f"OPTIONS {path} that asks for {header}"),
        contract=Words(f"Access-Control-Allow-Headers nomme {header}", f"Access-Control-Allow-Headers names {header}"),
        source=source,
        check=check,
        profiles=profiles,
        level=level,
    )


def with_origin(request: Request) -> Request:
    """Return the request as a page of `ORIGIN` sends it."""
    return request.adding(("Origin", ORIGIN))


def judge_header(judge: Callable[[Answer], tuple[bool, str]]) -> Callable[[Run], Outcome]:
    """Return a check of the headers of an accepted event's answer."""

    def check(run: Run) -> Outcome:
        answer = run.send(run.browser("/v1/t", run.event()))
        holds, told = judge(answer)
        return decide(holds and answer.trouble is None, describe(answer) if answer.trouble else told)

    return check


def judge_exposed(answer: Answer) -> tuple[bool, str]:
    """A browser hides what is not exposed, so that the SDK would not know how long to wait."""
    value = answer.header("Access-Control-Expose-Headers")
    exposed = list_header(answer, "Access-Control-Expose-Headers")
    return bool({"retry-after", "*"} & exposed), f"Access-Control-Expose-Headers: {value}"


def judge_vary(answer: Answer) -> tuple[bool, str]:
    """An origin that is echoed must not be kept by a cache for another one."""
    origin = answer.header("Access-Control-Allow-Origin")
    vary = answer.header("Vary")
    varies = bool({"origin", "*"} & list_header(answer, "Vary"))
    return origin == "*" or (origin is not None and varies), f"Allow-Origin: {origin}, Vary: {vary}"


RULES = (
    preflight_rule("calls", [f"/v1/{kind}" for kind in (*CALLS, "batch")], "/v1/TYPE, /v1/batch", SERVERS),
    preflight_rule("browser", [f"/v1/{letter}" for letter in (*LETTERS, "b", "m")], "/v1/{i,t,p,s,g,a,b,m}"),
    preflight_rule("settings", ["/v1/projects/KEY/settings"], "/v1/projects/KEY/settings", method="GET"),
    preflight_rule("pixel", [f"/v1/pixel/{kind}" for kind in CALLS], "/v1/pixel/TYPE", method="GET"),
    preflight_rule("aliases", ["/b", "/batch", "/v1/batch/b"], "/b, /batch, /v1/batch/b", level="advised"),
    preflight_rule("rudder", ["/v1/import", "/v1/merge"], "/v1/import, /v1/merge", RUDDER),
    preflight_rule("jitsu", [f"/api/s/{kind}" for kind in JITSU_CALLS], "/api/s/TYPE", JITSU),
    allow_rule("allow_authorization", "authorization", f"{cited.FETCH}: * does not cover Authorization"),
    allow_rule("allow_content_type", "content-type", cited.FETCH),
    allow_rule("allow_retry_count", "x-retry-count", cited.BROWSER_SOURCE),
    allow_rule("allow_write_key", "x-write-key", cited.JITSU_JS, JITSU, path="/api/s/track"),
    allow_rule("allow_anonymous_id", "anonymousid", cited.RUDDER_JS, RUDDER, "advised", "/v1/track"),
    ask("cors.answer", Words("/v1/t et /v1/b depuis une page", "/v1/t and /v1/b from a page"), cited.FETCH,
        lambda run: (run.browser("/v1/t", run.event()), run.browser("/v1/b", run.batch(run.event()))), OPEN),
    ask("cors.answer_settings", Words("GET …/settings depuis une page", "GET …/settings from a page"), cited.FETCH,
        lambda run: settings_request(run.key), OPEN),
    ask("cors.answer_refused", Words("un 400 et un 401 depuis une page", "a 400 and a 401 from a page"),
        f"{cited.FETCH}: unreadable, it would be retried", lambda run: (with_origin(send_malformed(run)),
                                                                       with_origin(send_unknown_key(run))), OPEN),
    Rule(id="cors.expose", sent=Words("/v1/t depuis une page", "/v1/t from a page"), source=cited.BROWSER_SOURCE,
         contract=Words("Access-Control-Expose-Headers nomme Retry-After",
                        "Access-Control-Expose-Headers names Retry-After"),
         check=judge_header(judge_exposed), level="advised"),
    Rule(id="cors.vary", sent=Words("/v1/t depuis une page", "/v1/t from a page"), source=cited.FETCH,
         contract=Words("origine *, ou répétée avec Vary: Origin", "origin *, or echoed with Vary: Origin"),
         check=judge_header(judge_vary), level="advised"),
)  # fmt: skip
"""In the order in which they run."""
