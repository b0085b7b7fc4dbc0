"""Our own server against the conformance suite, read-back included: every line of each profile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress

import msgspec
import pytest
from tests.cli.conftest import call

from parcours.blueprint.templates import template_path

TOKEN = "read-back-token-of-the-test"
SOURCES = {"segment": "", "jitsu": "sdk: jitsu, ", "rudderstack": "sdk: rudderstack, "}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, dict[str, str]]]:
    """A company that `parcours serve` serves: the addresses of its pages and its collection, and a key a source."""
    folder = tmp_path_factory.mktemp("conform") / "acme"
    (folder / "sources").mkdir(parents=True)
    shutil.copy(template_path("retail") / "blueprint.yaml", folder / "blueprint.yaml")
    for name, options in SOURCES.items():
        text = f"source: {name}\nconnector: http\noptions: {{{options}unplanned: keep}}\n"
        (folder / "sources" / f"{name}.yaml").write_text(text, "utf-8")
    keys = {name: call("key", folder, "add", name).stdout.strip() for name in SOURCES}
    command = [sys.executable, "-m", "parcours", "--lang", "en", "serve", str(folder), "--read-back"]
    server = subprocess.Popen(
        [*command, "--port", "0", "--collect-port", "0"],
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PARCOURS_READ_BACK_TOKEN": TOKEN},
    )  # fmt: skip
    assert server.stderr
    try:
        pages = server.stderr.readline().split()[1]
        collection = server.stderr.readline().split()[1]
        _wait(f"{collection}ready")
        yield pages, collection, keys
    finally:
        server.terminate()
        server.communicate(timeout=40)


def _wait(address: str) -> None:
    for _ in range(150):
        with suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


@pytest.mark.parametrize("profile", list(SOURCES))
def test_our_server_keeps_every_line(profile: str, served: tuple[str, str, dict[str, str]]) -> None:
    pages, collection, keys = served
    options = ["--profile", profile, "--write-key", keys[profile], "--json"]
    done = call("conform", collection, *options, "--read-back", f"{pages}read-back", "--read-back-token", TOKEN)
    told = msgspec.json.decode(done.stdout)
    broken = {rule["id"]: rule["came"] for rule in told["rules"] if rule["verdict"] == "fail"}
    assert (broken, done.returncode) == ({}, 0)
    skipped = {rule["id"] for rule in told["rules"] if rule["verdict"] == "skip"}
    assert skipped <= {"answers.retry_after"}
    assert told["passed"] > 50


def test_without_the_token_nothing_is_read_back(served: tuple[str, str, dict[str, str]]) -> None:
    pages, collection, keys = served
    options = ["--write-key", keys["segment"], "--read-back", f"{pages}read-back", "--read-back-token", "another"]
    assert call("conform", collection, *options).returncode == 2
