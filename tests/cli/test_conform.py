"""`parcours conform` as a person and as a pipeline use it: lines, exit codes, JSON, languages, addresses."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from tests.cli.conftest import call
from tests.collect.conform.listening import listen
from tests.collect.conform.permissive import ClosesAfterEach, PlainErrors
from tests.collect.conform.strict import KEY, TOKEN, Kept, Strict


@pytest.fixture
def strict() -> Iterator[str]:
    """The address of a server that keeps the contract."""
    with listen(Strict, kept=Kept()) as (url, _):
        yield url


@pytest.fixture
def careless() -> Iterator[str]:
    """The address of a server whose errors are plain text."""
    with listen(PlainErrors, kept=Kept()) as (url, _):
        yield url


def test_a_server_that_conforms_gives_a_line_a_rule_and_exit_0(strict: str) -> None:
    read_back = ("--read-back", f"{strict}/read-back", "--read-back-token", TOKEN)
    done = call("conform", strict, "--write-key", KEY, *read_back)
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if "sent: " in line]
    assert len(lines) >= 160
    assert all(line.startswith(("pass", "skip")) for line in lines)
    assert all(part in line for line in lines for part in (" | came: ", " | contract: ", " | where: "))
    assert f"{strict} conforms (profile segment). Rules kept: " in done.stdout
    assert "broken: 0; advised: 0; not tested: 1;" in done.stdout
    assert "\x1b[" not in done.stdout
    assert KEY not in done.stdout


def test_a_server_that_does_not_conform_gives_exit_1_and_says_where(careless: str) -> None:
    done = call("conform", careless, "--write-key", KEY, "--section", "answers", "--section", "pixel")
    assert done.returncode == 1
    assert "FAIL    answers.error_key" in done.stdout
    assert "advise  answers.error_type" in done.stdout
    assert "pass    pixel.calls" in done.stdout
    assert "routes." not in done.stdout
    assert "does not conform" in done.stdout


def test_what_is_only_advised_gives_exit_0() -> None:
    with listen(ClosesAfterEach, kept=Kept()) as (url, _):
        done = call("conform", url, "--write-key", KEY, "--only", "wire.keep_alive")
    assert done.returncode == 0
    assert "advise  wire.keep_alive" in done.stdout


def test_in_french_every_word_is_french(careless: str) -> None:
    done = call("--lang", "fr", "conform", careless, "--write-key", KEY, "--section", "answers")
    assert done.returncode == 1
    assert "ÉCART      answers.error_key" in done.stdout
    assert "envoyé : une clé inconnue | reçu : POST /v1/track → 401" in done.stdout
    assert "n'est pas conforme (profil segment). Règles suivies : " in done.stdout
    assert "sent:" not in done.stdout


def test_json_holds_the_same_with_what_was_exchanged(careless: str) -> None:
    done = call("conform", careless, "--write-key", KEY, "--only", "answers.*", "--only", "routes.t", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert list(report) == [
        "url", "profile", "run", "conforms", "passed", "failed", "advised", "skipped", "seconds", "sections", "rules",
    ]  # fmt: skip
    assert report["conforms"] is False
    assert (report["passed"], report["failed"], report["advised"], report["skipped"]) == (1, 8, 2, 1)
    assert [section["section"] for section in report["sections"]] == ["routes", "answers"]
    assert sum(section["failed"] for section in report["sections"]) == 8
    line = next(rule for rule in report["rules"] if rule["id"] == "answers.error_key")
    assert list(line) == [
        "id", "section", "level", "profiles", "sent", "came", "contract", "source", "verdict", "reason", "exchanges",
    ]  # fmt: skip
    assert line["verdict"] == "fail"
    assert line["level"] == "required"
    assert line["profiles"] == ["segment"]
    assert line["came"] == "POST /v1/track → 401 unknown_write_key"
    assert line["exchanges"][0].startswith("POST /v1/track (")
    assert line["exchanges"][0].endswith("B) -> 401 unknown_write_key")


def test_the_key_and_the_token_may_come_from_the_environment(strict: str) -> None:
    words = ("conform", strict, "--only", "readback.twice", "--read-back", f"{strict}/read-back")
    assert call(*words, PARCOURS_WRITE_KEY=KEY, PARCOURS_READ_BACK_TOKEN=TOKEN).returncode == 0


def test_a_server_that_asks_for_a_key_and_gets_none_says_so_at_once(strict: str) -> None:
    done = call("conform", strict)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "asks for a write key (401). [write_key_needed]" in done.stderr
    assert "--write-key" in done.stderr


def test_nobody_there_is_one_sentence_with_a_remedy_and_exit_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = call("conform", url, "--write-key", KEY)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == f"error Nothing listens at {url}. [server_refused]"
    assert "parcours serve DIR" in done.stderr.splitlines()[1]
    told = call("--lang", "fr", "conform", url, "--json")
    assert told.returncode == 2
    assert json.loads(told.stdout)["faults"][0]["sentence"] == f"Rien n'écoute à {url}."


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("127.0.0.1:8601",), "unusable_url"),
        (("http://127.0.0.1:8601/v1",), "url_with_v1"),
        (("http://127.0.0.1:8601", "--only", "nothing.*"), "unknown_rule"),
        (("http://127.0.0.1:8601", "--write-key", "clé accentuée"), "unusable_write_key"),
        (("http://127.0.0.1:8601", "--section", "nothing"), "nothing"),
        (("http://127.0.0.1:8601", "--profile", "mixpanel"), "mixpanel"),
        (("http://127.0.0.1:8601", "--timeout", "0"), "0"),
        (("http://127.0.0.1:8601", "--read-back", "nowhere"), "unusable_url"),
        ((), "URL"),
    ],
)
def test_what_cannot_be_tested_is_exit_2(words: tuple[str, ...], said: str) -> None:
    done = call("conform", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
