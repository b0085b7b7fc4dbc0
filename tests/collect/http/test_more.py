"""Health, readiness, the document and the read-back: what stands beside the contract on the collection port."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp
from tests.collect.http.collector import Collector

from parcours.collect.http.more import Reader, build_more

EVENTS = [{"messageId": "m1", "event": "é"}, {"messageId": "m2"}]


async def no_trouble() -> str:
    return ""


async def trouble() -> str:
    return "no_writer"


async def read(anonymous_id: str) -> Sequence[object]:
    return EVENTS if anonymous_id == "a1" else []


def client(app: ASGIApp) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)


def test_it_is_alive_and_ready() -> None:
    web = client(build_more(no_trouble))
    assert web.get("/health").json() == {"status": "alive"}
    assert web.get("/ready").json() == {"status": "ready"}
    assert web.head("/health").status_code == 200
    assert web.get("/health").headers["cache-control"] == "no-store"


def test_it_is_alive_though_not_ready() -> None:
    web = client(build_more(trouble))
    assert web.get("/health").status_code == 200
    answer = web.get("/ready")
    assert (answer.status_code, answer.json()) == (503, {"status": "not_ready", "reason": "no_writer"})


@pytest.mark.parametrize("path", ["/", "/metrics", "/read-back", "/s/x", "/ready/x"])
def test_there_is_nothing_else(path: str) -> None:
    answer = client(build_more(no_trouble)).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_another_method_is_refused_in_the_same_shape() -> None:
    answer = client(build_more(no_trouble)).post("/health", content=b"x")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["allow"]


def test_surveys_stand_beside_them() -> None:
    async def ask(_: Any) -> PlainTextResponse:
        return PlainTextResponse("asked")

    web = client(build_more(no_trouble, [Route("/s/{token}", ask)]))
    assert web.get("/s/abc").text == "asked"


def test_the_read_back_answers_whoever_has_the_token() -> None:
    web = client(build_more(no_trouble, reader=Reader("secret", read)))
    bearer = {"Authorization": "Bearer secret"}
    assert web.get("/read-back?anonymousId=a1", headers=bearer).json() == {"events": EVENTS}
    assert web.get("/read-back?anonymousId=nobody", headers=bearer).json() == {"events": []}
    assert web.get("/read-back", headers=bearer).status_code == 400


@pytest.mark.parametrize(
    "given", [None, "", "secret", "Bearer", "Bearer wrong", "Bearer secret ", "Basic secret", "Bearer é"]
)
def test_the_read_back_tells_nobody_else(given: str | None) -> None:
    web = client(build_more(no_trouble, reader=Reader("secret", read)))
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    answer = web.get("/read-back?anonymousId=a1", headers=headers)  # type: ignore[arg-type]
    expected = 401 if given != "Bearer secret " else 200
    assert answer.status_code in (401, expected)
    assert given == "Bearer secret " or "m1" not in answer.text


def test_without_a_token_there_is_no_read_back() -> None:
    assert client(build_more(no_trouble, reader=Reader("", read))).get("/read-back?anonymousId=a1").status_code == 404


def test_what_fails_is_answered_in_the_same_shape() -> None:
    async def fail() -> str:
        raise ValueError("a secret")

    answer = client(build_more(fail)).get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text


def test_the_running_worker_serves_them(collector: Collector) -> None:
    assert collector.get("/health").document == {"status": "alive"}
    assert collector.get("/ready").document == {"status": "ready"}
    assert collector.get("/openapi.json").document["openapi"] == "3.1.0"
    assert collector.get("/read-back?anonymousId=a1").status == 404


def test_a_worker_stays_lean(start_collector: Callable[..., Collector]) -> None:
    heavy = "{'numpy', 'pyarrow', 'duckdb', 'scipy', 'sqlglot'}"
    code = f"import sys, parcours.serving.worker; print(sorted({heavy} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
    fresh = start_collector()
    fresh.still_takes_events()
    assert fresh.rss_mb() < 60
