"""The suite that segment-analytics-python carries in its own wheel, against our collector in place of Segment's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import segment.analytics
from tests.clients.collecting import Collector
from tests.clients.relay import Relay, Reply

HOST = "https://api.segment.io"
KEY = "testsecret"
SHARES = 3
PACKAGE = Path(segment.analytics.__file__).parent
NEED_A_SERVER = {
    "test_client.py::TestClient": (
        "test_basic_alias",
        "test_basic_group",
        "test_basic_identify",
        "test_basic_track",
        "test_gzip",
        "test_identify_with_date_object",
        "test_numeric_user_id",
        "test_stringifies_anonymous_id",
        "test_stringifies_user_id",
        "test_success_on_invalid_write_key",
        "test_synchronous",
    ),
    "test_consumer.py::TestConsumer": ("test_request", "test_upload"),
    "test_request.py::TestRequests": ("test_should_not_timeout", "test_valid_request"),
}
"""The tests whose outcome depends on the server; the other 125 do not speak to it, or expect that it is not there."""

WANTS_ANY_KEY = "test_success_on_invalid_write_key"
"""Segment answers 200 to a key that it does not know, and loses the events; we answer 401, as RudderStack does."""


class Suite:
    """The suite at work in processes of its own, its host rewritten and nothing else."""

    def __init__(self, folder: Path, url: str) -> None:
        shutil.copytree(PACKAGE, folder / "segment" / "analytics", ignore=shutil.ignore_patterns("__pycache__"))
        for path in folder.rglob("*.py"):
            path.write_text(path.read_text("utf-8").replace(HOST, url), "utf-8")
        # The backport that the suite asks for is the standard library's own.
        (folder / "mock.py").write_text("from unittest.mock import *\n", "utf-8")
        names = [f"segment/analytics/test/{place}::{name}" for place, tests in NEED_A_SERVER.items() for name in tests]
        options = ("-q", "-rA", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist")
        # It mostly sleeps, so that several may do so at once.
        self._processes = [
            subprocess.Popen(
                [sys.executable, "-m", "pytest", *options, *names[start::SHARES]],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(folder)},
                stdout=subprocess.PIPE,
                text=True,
            )
            for start in range(SHARES)
        ]

    def finish(self) -> tuple[set[str], set[str]]:
        """Return which tests passed, and which did not."""
        told = "\n".join(process.communicate(timeout=100)[0] for process in self._processes)
        found = re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\w+)", told, re.MULTILINE)
        assert len(found) == sum(map(len, NEED_A_SERVER.values())), told
        return {name for how, name in found if how == "PASSED"}, {name for how, name in found if how != "PASSED"}


@pytest.mark.skipif(not (PACKAGE / "test").is_dir(), reason="this wheel of segment-analytics-python has no tests in it")
def test_what_depends_on_the_server_passes_against_us_and_fails_against_one_that_refuses(
    collector: Collector, tmp_path: Path
) -> None:
    collector.accept(KEY, "segment_python_batch")
    collector.give_orders(KEY)
    relay = Relay(collector.port, always=Reply(400))
    try:
        ours = Suite(tmp_path / "ours", f"http://127.0.0.1:{collector.port}")
        refusing = Suite(tmp_path / "refusing", relay.url)
        passed, failed = ours.finish()
        assert (len(passed), failed) == (14, {WANTS_ANY_KEY})
        assert refusing.finish() == (set(), passed | failed)
    finally:
        relay.refuse()


@pytest.mark.skipif(not (PACKAGE / "test").is_dir(), reason="this wheel of segment-analytics-python has no tests in it")
def test_the_one_that_wants_any_key_passes_where_its_key_is_known(collector: Collector) -> None:
    collector.accept("bad_key", "segment_python_batch")
    collector.give_orders("bad_key")
    client = segment.analytics.Client("bad_key", host=f"http://127.0.0.1:{collector.port}", on_error=pytest.fail)
    client.track("userId", "event")
    client.flush()
    client.join()
    assert collector.events("segment_python_batch")[-1]["event"] == "event"
