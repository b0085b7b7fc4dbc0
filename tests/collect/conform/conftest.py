"""Runs of the suite against the servers of these tests."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.collect.conform.listening import listen
from tests.collect.conform.strict import BODY_BYTES, KEY, TOKEN, Kept

from parcours.collect.conform import Asked, Report, conform
from parcours.progress import Silent

Try = Callable[..., Report]


@pytest.fixture
def try_server() -> Try:
    """Return what runs the suite against a handler; ``flaws`` go to the store, the rest to the suite."""

    def run(handler: type[BaseHTTPRequestHandler], *flaws: str, body_bytes: int = BODY_BYTES,
            kept: Kept | None = None, read_back: bool = False, **asked: Any) -> Report:  # fmt: skip
        store = kept or Kept(*flaws, body_bytes=body_bytes)
        with listen(handler, kept=store) as (url, _):
            if read_back:
                asked |= {"read_back": f"{url}/read-back", "read_back_token": TOKEN}
            asked = {"write_key": KEY, "profile": "all", "timeout_s": 10.0, "read_back_wait_s": 0.2} | asked
            return conform(Asked(url=url, **asked), Silent())

    return run


def ids(report: Report, verdict: str) -> set[str]:
    """Return the rules of a report with a verdict; those of a read-back that was not asked for left out."""
    return {
        line.id
        for line in report.rules
        if line.verdict == verdict and not (verdict == "skip" and line.reason.en == "needs --read-back")
    }
