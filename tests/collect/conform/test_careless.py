"""Careless servers fail exactly where they are careless, and nowhere else."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.collect.conform import permissive
from tests.collect.conform.conftest import Try, ids
from tests.collect.conform.strict import CORS, Kept, Refusal, Strict

from parcours.collect.conform import ALL

TAKES_ANYTHING = {
    "routes.unknown", "settings.answer", "settings.api_key", "settings.api_host", "settings.followed",
    "settings.aliases", "settings.unknown_key", "pixel.calls", "pixel.url_safe", "pixel.unpadded", "pixel.plain",
    "pixel.garbage", "pixel.unknown_key", "pixel.parameters", "auth.header_decides", "auth.unknown_basic",
    "auth.unknown_body", "auth.unknown_batch", "auth.unknown_browser", "auth.none", "auth.unreadable",
    "auth.x_unknown", "bodies.gzip_cut", "bodies.gzip_false", "bodies.gzip_bomb", "bodies.unknown_encoding",
    "sizes.event_over", "sizes.event_over_elsewhere", "sizes.body_over", "sizes.body_over_gzip", "answers.error_json",
    "answers.error_batch", "answers.error_size", "answers.error_key", "answers.error_type", "answers.rudder_error",
    "malformed.json", "malformed.empty", "malformed.no_object", "malformed.no_batch", "malformed.trailing",
    "wire.get", "wire.head", "wire.put", "wire.delete", "wire.bad_chunk", "wire.half_body", "wire.claimed",
    "wire.after_error", "wire.pipelining",
}  # fmt: skip
PREFLIGHTS = {f"cors.{name}" for name in ("calls", "browser", "settings", "pixel", "aliases", "rudder", "jitsu")}
ALLOWS = {
    f"cors.allow_{name}" for name in ("authorization", "content_type", "retry_count", "write_key", "anonymous_id")
}
ON_ANSWERS = {"cors.answer", "cors.answer_settings", "cors.answer_refused", "cors.expose", "cors.vary"}
SUCCESSES = {"answers.single", "answers.batch", "answers.browser", "answers.rejected", "answers.success_type"}
ERRORS = {"answers.error_json", "answers.error_batch", "answers.error_size", "answers.error_key"}
ONLY_ELSEWHERE = {"sizes.rudder_4mb", "sizes.rudder_over", "answers.retry_after"}

EXPECTED: dict[str, set[str]] = {
    "Permissive": TAKES_ANYTHING,
    "NoCors": TAKES_ANYTHING | PREFLIGHTS | ALLOWS | ON_ANSWERS,
    "StarCors": TAKES_ANYTHING | {"cors.allow_authorization"},
    "Echo": TAKES_ANYTHING | SUCCESSES,
    "NoKeys": {
        "auth.header_decides", "auth.unknown_basic", "auth.unknown_body", "auth.unknown_batch",
        "auth.unknown_browser", "auth.none", "auth.unreadable", "auth.x_unknown",
        "answers.error_key", "answers.rudder_error",
    },
    "BodyFirst": {"auth.masked", "auth.header_wins", "auth.header_decides", "auth.x_masked"},
    "CrashesOnDepth": {"malformed.nesting"},
    "RoutesOnType": {
        "routes.i", "routes.t", "routes.p", "routes.s", "routes.g", "routes.a", "routes.b", "routes.m",
        "settings.followed", "auth.unknown_browser", "bodies.text", "bodies.no_type", "bodies.form",
        "bodies.odd_type", "bodies.gzip_form", "sizes.event_over_elsewhere", "answers.browser",
    },
    "NoCap": {"bodies.gzip_bomb", "sizes.body_over_gzip"},
    "PlainErrors": SUCCESSES | ERRORS | {"answers.error_type", "answers.jitsu_json"},
    "HalfErrors": ERRORS | {"answers.rudder_error"},
    "AllOrNothing": {"events.unknown_types", "events.non_objects", "sizes.oversize_inside"},
    "ClosesAfterEach": {"wire.keep_alive", "wire.pipelining"},
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_it_fails_exactly_where_it_is_careless(try_server: Try, name: str) -> None:
    report = try_server(getattr(permissive, name))
    assert ids(report, "fail") == EXPECTED[name]
    assert ids(report, "skip") == ONLY_ELSEWHERE
    required = {rule.id for rule in ALL if rule.level == "required"}
    assert report.conforms is (not EXPECTED[name] & required)
    assert report.failed == len(EXPECTED[name] & required)
    assert report.advised == len(EXPECTED[name] - required)


def test_only_what_is_advised_may_fail_in_a_server_that_conforms(try_server: Try) -> None:
    report = try_server(permissive.ClosesAfterEach, sections=("wire",))
    assert (report.failed, report.advised, report.conforms) == (0, 2, True)


def test_204_fails_everything_but_cors_and_what_is_not_there(try_server: Try) -> None:
    report = try_server(permissive.NoContent)
    assert ids(report, "pass") == PREFLIGHTS | ALLOWS | ON_ANSWERS
    assert ids(report, "skip") == ONLY_ELSEWHERE


def test_a_server_without_the_routes_is_not_praised_for_refusing(try_server: Try) -> None:
    report = try_server(permissive.NotThere)
    assert ids(report, "pass") == {
        "routes.unknown", "settings.unknown_key",
        "wire.get", "wire.head", "wire.put", "wire.delete",
        "answers.error_json", "answers.error_batch", "answers.error_size", "answers.error_key", "answers.error_type",
        "answers.rudder_error",
        *ON_ANSWERS,
    }  # fmt: skip


class Busy(Strict):
    """Strict, but too busy at the first request of each kind of three, and vague about for how long."""

    told: str | None = None
    count = 0

    def do_POST(self) -> None:
        type(self).count += 1
        if type(self).count == 4:
            self.read_body()
            later = {} if self.told is None else {"Retry-After": self.told}
            self.reply(429, CORS | later, b'{"code": "busy", "message": "busy"}')
            return
        super().do_POST()


@pytest.mark.parametrize(
    ("told", "verdict"),
    [("1", "pass"), ("300", "pass"), ("0", "fail"), ("301", "fail"), ("Wed, 21 Oct 2026 07:28:00 GMT", "fail"),
     ("1.5", "fail"), ("-1", "fail"), ("", "fail"), (None, "fail")],
)  # fmt: skip
def test_whoever_says_later_says_when(
    try_server: Try, told: str | None, verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    handler = type("BusyOnce", (Busy,), {"told": told, "count": 0})
    report = try_server(handler, only=("routes.*", "answers.retry_after"), profile="segment")
    line = next(line for line in report.rules if line.id == "answers.retry_after")
    assert line.verdict == verdict
    asked_again = told in ("0", "1")
    assert ids(report, "fail") == ({"answers.retry_after"} if verdict == "fail" else set()) | (
        set() if asked_again else {"routes.page"}
    )


class WrongSettings(Strict):
    """Strict, but for what it tells browsers."""

    segment: dict[str, Any] = {}  # noqa: RUF012

    def answer_settings(self, key: str) -> None:
        self.answer_json(200, {"integrations": {"Segment.io": {"apiKey": key} | self.segment}})


@pytest.mark.parametrize(
    ("segment", "failing", "skipped"),
    [
        ({}, {"settings.api_host", "settings.followed"}, set()),
        ({"apiHost": "http://other.example/v1"}, {"settings.api_host", "settings.followed"}, set()),
        ({"apiHost": "other.example/v1"}, set(), {"settings.followed"}),
        ({"apiHost": "127.0.0.1:1/v1", "apiKey": "another"}, {"settings.api_key"}, {"settings.followed"}),
        ({"apiHost": 7}, {"settings.api_host", "settings.followed"}, set()),
    ],
)
def test_settings_are_read_as_the_browser_reads_them(
    try_server: Try, segment: dict[str, Any], failing: set[str], skipped: set[str]
) -> None:
    handler = type("Told", (WrongSettings,), {"segment": segment})
    report = try_server(handler, sections=("settings",))
    assert ids(report, "fail") == failing | {"settings.unknown_key"}
    assert ids(report, "skip") == skipped


class HttpsByDefault(Strict):
    """Strict, but lets the browser believe that it speaks TLS."""

    def answer_settings(self, key: str) -> None:
        segment = {"apiKey": key, "apiHost": f"{self.headers['Host']}/v1"}
        self.answer_json(200, {"integrations": {"Segment.io": segment}})


def test_a_missing_protocol_means_https(try_server: Try) -> None:
    report = try_server(HttpsByDefault, only=("settings.followed",))
    assert [line.verdict for line in report.rules] == ["skip"]
    assert "https://127.0.0.1" in report.rules[0].reason.en


class Unlucky(Strict):
    """Strict, but breaks on each thing named in ``breaks``."""

    breaks: bytes = b""

    def take(self, path: str, body: bytes) -> None:
        if self.breaks in body:
            raise Refusal(500, "broken")
        super().take(path, body)


@pytest.mark.parametrize(
    ("breaks", "failing"),
    [
        (b"NaN", {"malformed.nan"}),
        (b"\\ud800", {"malformed.surrogate"}),
        (b"\\u0000", {"malformed.nul"}),
        (b"__proto__", {"malformed.prototype"}),
        (b"9" * 5000, {"malformed.numbers"}),
        (b"\xff\xfe", {"malformed.encoding"}),
        (b"\xef\xbb\xbf{", {"malformed.bom"}),
        (b'"timestamp":"yesterday"', {"events.odd_times"}),
        (b'"userId":20240229', {"events.integer_ids"}),
        ("🧭".encode(), {"bodies.unicode"}),
        (b'"consent":"yes"', {"events.consent"}),
    ],
)
def test_each_oddity_is_found_by_its_own_rule(try_server: Try, breaks: bytes, failing: set[str]) -> None:
    report = try_server(type("Breaks", (Unlucky,), {"breaks": breaks}))
    assert ids(report, "fail") == failing


class NoChunks(Strict):
    """Strict, but knows no chunked bodies."""

    def read_body(self, largest_bytes: int = 2**24) -> bytes | None:
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return None
        return super().read_body(largest_bytes)


class CaseMatters(Strict):
    """Strict, but takes header names as they are spelt."""

    def check_key(self, document: dict[str, Any]) -> None:
        names = set(self.headers.keys())
        if names & {"authorization", "AUTHORIZATION", "x-write-key", "X-WRITE-KEY"}:
            raise Refusal(401, "unknown_write_key")
        super().check_key(document)


class SilentOnHalf(Strict):
    """Strict, but answers 200 to half a body."""

    def do_POST(self) -> None:
        if int(self.headers.get("Content-Length", 0)) > 2**24:
            self.answer_json(200, {"success": True})
            self.close_connection = True
        else:
            super().do_POST()


@pytest.mark.parametrize(
    ("handler", "failing"),
    [(NoChunks, {"wire.chunked"}), (CaseMatters, {"wire.lower_names", "wire.upper_names"}),
     (SilentOnHalf, {"wire.claimed"})],
)  # fmt: skip
def test_framing_is_found_by_its_own_rule(
    try_server: Try, handler: type[BaseHTTPRequestHandler], failing: set[str]
) -> None:
    assert ids(try_server(handler, kept=Kept()), "fail") == failing
