"""Settings: what Segment's browser SDK fetches when a page loads, and does not start without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from parcours.collect.conform import cited
from parcours.collect.conform.client import Answer, Request
from parcours.collect.conform.describe import describe
from parcours.collect.conform.expect import ACCEPTED, Expectation, ask
from parcours.collect.conform.rule import Outcome, Rule, decide, failed, passed, skipped
from parcours.collect.conform.run import ORIGIN, UNKNOWN_KEY, Run
from parcours.collect.conform.target import split_url
from parcours.errors import ParcoursError
from parcours.words import Words


def settings_request(key: str, path: str = "/v1/projects") -> Request:
    """The request that the SDK makes to its settings host."""
    return Request("GET", f"{path}/{quote(key, safe='')}/settings", (("Origin", ORIGIN),))


def read_segment(answer: Answer) -> dict[str, Any] | None:
    """Return ``integrations["Segment.io"]`` of a settings answer, ``None`` where there is none."""
    document = answer.document()
    integrations = document.get("integrations") if isinstance(document, dict) else None
    segment = integrations.get("Segment.io") if isinstance(integrations, dict) else None
    return segment if answer.status == 200 and answer.trouble is None and isinstance(segment, dict) else None


SETTINGS = Expectation(
    Words(
        '200 et du JSON qui contient integrations["Segment.io"]', '200 and JSON that holds integrations["Segment.io"]'
    ),
    lambda answer: read_segment(answer) is not None,
)
ANY_REFUSAL = Expectation(
    Words("4xx, pour que la page le sache", "4xx, so that the page knows"), lambda answer: 400 <= answer.status < 500
)


def judge_segment(judge: Callable[[Run, dict[str, Any]], Outcome]) -> Callable[[Run], Outcome]:
    """Return a check of the settings' ``Segment.io`` object; without one it fails."""

    def check(run: Run) -> Outcome:
        answer = run.send(settings_request(run.key))
        segment = read_segment(answer)
        return failed(describe(answer)) if segment is None else judge(run, segment)

    return check


def judge_key(run: Run, segment: dict[str, Any]) -> Outcome:
    """The key that events will carry is the one that was asked for."""
    told = segment.get("apiKey")
    return decide(told == run.key, f"apiKey = {'KEY' if told == run.key else told}")


def is_host(told: object) -> bool:
    """Tell whether the SDK can put a scheme before it and a route after it."""
    return isinstance(told, str) and told != "" and "://" not in told and not told.endswith("/")


def judge_host(_: Run, segment: dict[str, Any]) -> Outcome:
    """Without ``apiHost`` the SDK sends to Segment itself; with a scheme in it, to nowhere."""
    host = segment.get("apiHost")
    return decide(is_host(host), f"apiHost = {host}")


def judge_followed(run: Run, segment: dict[str, Any]) -> Outcome:
    """What the SDK would make of the answer leads to a route that takes an event."""
    host = segment.get("apiHost")
    protocol = segment.get("protocol", "https")
    place = f"{protocol}://{host}"
    if not is_host(host):
        return failed(place)
    try:
        named, _ = split_url(place)
    except ParcoursError:
        return failed(place)
    if (named.scheme, named.authority) != (run.target.scheme, run.target.authority):
        words = Words(f"apiHost nomme un autre serveur ({place})", f"apiHost names another server ({place})")
        return skipped(words)
    if not named.base.startswith(run.target.base):
        return failed(place)
    answer = run.send(run.browser(f"{named.base.removeprefix(run.target.base)}/t", run.event()))
    told = describe(answer)
    came = Words(f"{place}/t → {told.fr}", f"{place}/t → {told.en}")
    return passed(came) if ACCEPTED.holds(answer) else failed(came)


def send_to_aliases(run: Run) -> Iterator[Request]:
    """The paths that SDKs reach whose settings host was set with or without ``/v1/projects``."""
    for path in ("/projects", "/v1/projects/projects"):
        yield settings_request(run.key, path)


RULES = (
    ask(
        "settings.answer",
        Words("GET /v1/projects/CLÉ/settings", "GET /v1/projects/KEY/settings"),
        cited.BROWSER,
        lambda run: settings_request(run.key),
        SETTINGS,
    ),
    Rule(
        id="settings.api_key",
        sent=Words("GET …/settings, on lit apiKey", "GET …/settings, apiKey is read"),
        contract=Words("la clé demandée", "the key asked for"),
        source=cited.BROWSER_SOURCE,
        check=judge_segment(judge_key),
    ),
    Rule(
        id="settings.api_host",
        sent=Words("GET …/settings, on lit apiHost", "GET …/settings, apiHost is read"),
        contract=Words(
            "présent, sans schéma : absent, le navigateur envoie chez Segment",
            "present, without a scheme: when absent the browser sends to Segment",
        ),
        source=cited.BROWSER_SOURCE,
        check=judge_segment(judge_host),
    ),
    Rule(
        id="settings.followed",
        sent=Words("un événement à protocol://apiHost/t", "an event to protocol://apiHost/t"),
        contract=Words(
            "exactement 200 ; protocol vaut https s'il manque", "exactly 200; protocol is https when absent"
        ),
        source=cited.BROWSER_SOURCE,
        check=judge_segment(judge_followed),
    ),
    ask(
        "settings.aliases",
        Words(
            "GET /projects/CLÉ/settings, /v1/projects/projects/CLÉ/settings",
            "GET /projects/KEY/settings, /v1/projects/projects/KEY/settings",
        ),
        cited.JITSU_INGEST,
        send_to_aliases,
        SETTINGS,
        level="advised",
    ),
    ask(
        "settings.unknown_key",
        Words("GET …/settings pour une clé inconnue", "GET …/settings for an unknown key"),
        cited.OWN,
        lambda _: settings_request(UNKNOWN_KEY),
        ANY_REFUSAL,
        level="advised",
    ),
)
"""In the order in which they run."""
