"""`parcours requests`: the register with its deadlines, and restriction, objection and rectification as commands."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from tests.boutique import IMPROVE, PERSONALISE, deliver, make_company, make_event, take_over
from tests.cli.conftest import call, call_json

PURPOSES = IMPROVE + PERSONALISE


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    company = make_company(tmp_path / "shop", PURPOSES)
    deliver(company, *(make_event(number, f"C{number % 3}", True) for number in range(6)))
    take_over(company)
    return tmp_path / "shop"


def ago(days: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - days * 86_400))


def test_a_request_from_its_coming_in_to_its_answer(shop: Path) -> None:
    assert call("requests", shop, "add", "access", "user:C1", "--received", ago(3)).stdout.startswith("1  access")
    assert "identity checked" in call("requests", shop, "check", "1", "--reason", "signed in").stdout
    told = call("requests", shop, "extend", "1", "--reason", "many orders").stdout
    assert "extended" in told
    assert "It takes more than a month: many orders." in told
    assert "answered" in call("requests", shop, "close", "1", "done").stdout
    assert call("requests", shop, "close", "1", "done").returncode == 1
    (one,) = call_json("requests", shop)
    assert [act["act"] for act in one["request"]["acts"]] == ["received", "checked", "extended", "done"]
    assert "C1" not in str(one)
    noted = call_json("audit", shop, "--action", "decide_request")
    assert len(noted) == 4


def test_what_is_late_is_told_first_and_by_the_exit_code(shop: Path) -> None:
    assert call("requests", shop, "--overdue").returncode == 0
    call("requests", shop, "add", "erasure", "user:C1")
    call("requests", shop, "add", "access", "user:C2", "--received", ago(60))
    late = call("requests", shop, "--overdue")
    assert late.returncode == 1
    assert late.stdout.splitlines()[0].startswith("2  access")
    as_json = call("requests", shop, "--overdue", "--json")
    assert as_json.returncode == 1
    assert [one["request"]["number"] for one in json.loads(as_json.stdout)] == [2]
    assert "days late" in late.stdout
    assert late.stdout.splitlines()[-1] == "2 waiting for an answer, 1 late."
    assert call("requests", shop, "extend", "2", "--reason", "x").returncode == 1
    listed = call("requests", shop, PARCOURS_LANG="fr").stdout
    assert "j de retard" in listed


def test_restricting_and_lifting(shop: Path) -> None:
    call("requests", shop, "restrict", "user:C1", "--reason", "contests that it is accurate")
    assert call_json("timeline", shop, "user:C1", "--purpose", "improve")["count"] == 0
    assert "use restricted" in call("requests", shop).stdout
    call("requests", shop, "lift", "1", "--reason", "told by mail")
    assert call_json("timeline", shop, "user:C1", "--purpose", "improve")["count"] == 2


def test_objecting_and_what_becomes_of_it(shop: Path) -> None:
    call("requests", shop, "object", "user:C1", "improve", "--reason", "my situation")
    assert call_json("timeline", shop, "user:C1", "--purpose", "improve")["count"] == 0
    assert "refused" in call("requests", shop, "reject", "1", "--reason", "fraud is looked into").stdout
    assert call_json("timeline", shop, "user:C1", "--purpose", "improve")["count"] == 2


@pytest.mark.parametrize(
    "words",
    [
        ("add", "access"),
        ("add", "nonsense", "user:C1"),
        ("close", "1"),
        ("close", "1", "started"),
        ("lift", "x"),
        ("rectify", "user:C1", "town"),
        ("do",),
    ],
)
def test_a_command_that_is_none_says_what_there_is(shop: Path, words: tuple[str, ...]) -> None:
    done = call("requests", shop, *words)
    assert done.returncode == 2
    assert "requests DIR" in done.stderr
    assert call_json("requests", shop) == []


def test_what_cannot_be_done_is_told_in_a_sentence(shop: Path) -> None:
    for words, code in (
        (("restrict", "user:nobody", "--reason", "x"), "nobody_found"),
        (("restrict", "user:C1"), "ground_missing"),
        (("object", "user:C1", "nothing", "--reason", "x"), "unknown_purpose"),
        (("rectify", "user:C1", "nothing", "x"), "not_rectifiable"),
        (("close", "7", "done"), "unknown_request"),
    ):
        done = call("requests", shop, *words)
        assert (done.returncode, code in done.stderr) == (1, True)


def test_a_request_of_a_program_is_answered_without_saying_whom_it_names(shop: Path, tmp_path: Path) -> None:
    for number, kind in enumerate(("access", "erasure"), 1):
        call("requests", shop, "add", kind, "user:C1")
        call("requests", shop, "check", number, "--reason", "signed in")
    receipt, out = tmp_path / "receipt.json", tmp_path / "dossier.json"
    out.touch(0o644)
    missing = call("requests", shop, "answer", 1)
    assert (missing.returncode, "answer 1 --out FILE.html" in missing.stderr) == (2, True)
    assert call("requests", shop, "answer", 2, "--yes", "--out", receipt).returncode == 0
    assert call("forget", shop, "verify", receipt).returncode == 0
    call("requests", shop, "add", "access", "user:C2")
    call("requests", shop, "check", 3, "--reason", "signed in")
    assert "2 events" in call("requests", shop, "answer", 3, "--out", out).stdout
    assert "C2" in out.read_text("utf-8")
    assert out.stat().st_mode & 0o777 == 0o600
    assert call_json("timeline", shop, "user:C1")["count"] == 0
    states = {one["request"]["number"]: one["request"]["state"] for one in call_json("requests", shop)}
    assert states == {1: "checked", 2: "done", 3: "done"}


def test_nobody_is_erased_before_it_is_checked_who_asks_nor_without_a_yes(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("requests", shop, "add", "erasure", "user:C1")
    refused = call("requests", shop, "answer", 1, "--yes")
    assert (refused.returncode, "identity_unchecked" in refused.stderr) == (1, True)
    assert "requests DIR check 1" in refused.stderr
    call("requests", shop, "check", 1, "--reason", "signed in")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    asked = call("requests", shop, "answer", 1)
    assert (asked.returncode, asked.stdout.splitlines()[0]) == (1, "Would be erased:")
    assert "Nothing was erased." in asked.stderr
    assert call_json("timeline", shop, "user:C1")["count"] == 2
    monkeypatch.setattr("sys.stdin", io.StringIO("oui\n"))
    done = call("requests", shop, "answer", 1, PARCOURS_LANG="fr")
    assert done.returncode == 0, done.stderr
    assert "[o/N]" in done.stderr
    assert call_json("timeline", shop, "user:C1")["count"] == 0


def test_a_refusal_has_a_reason_and_a_letter_for_the_person(shop: Path) -> None:
    call("requests", shop, "add", "erasure", "user:C1")
    missing = call("requests", shop, "close", 1, "refused")
    assert (missing.returncode, "the reason is missing: close 1 refused --reason" in missing.stderr) == (2, True)
    told = call("requests", shop, "close", 1, "refused", "--reason", "invoices are kept", PARCOURS_LANG="fr").stdout
    assert "Nous n'y donnons pas suite : invoices are kept." in told
    for remedy in ("réclamation auprès de la CNIL", "recours devant un juge"):
        assert remedy in told
    call("requests", shop, "object", "user:C1", "improve", "--reason", "my situation")
    assert "seek a judicial remedy" in call("requests", shop, "reject", 2, "--reason", "fraud").stdout


def test_what_is_missing_is_named(shop: Path) -> None:
    call("requests", shop, "add", "rectification", "user:C1")
    call("requests", shop, "add", "restriction", "user:C1")
    for words, said in (
        (("extend", "1"), "the reason is missing: extend 1"),
        (("extend", "1", "--reason", " "), "the reason is missing: extend 1"),
        (("answer", "1"), "the field and its value are missing"),
        (("answer", "2"), "no command answers by itself a request for restriction"),
        (("add", "access", "user:C1", "--received", ago(-2)), "--received is in the future"),
    ):
        done = call("requests", shop, *words)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert len(call_json("requests", shop)) == 2


def test_a_key_of_programs_is_made_listed_and_revoked(shop: Path) -> None:
    key = call("opendsr", shop, "add", "--callback", "https://dsr.example/cb").stdout.strip()
    assert len(key) >= 43
    listed = call("opendsr", shop, "list").stdout
    assert f"…{key[-6:]}" in listed
    assert "https://dsr.example/cb" in listed
    assert key not in listed
    assert call("opendsr", shop, "revoke", key[-6:]).returncode == 0
    assert "revoked" in call("opendsr", shop, "list").stdout
    assert call("opendsr", shop, "revoke").returncode == 2
    assert call("opendsr", shop, "add", "--callback", "http://elsewhere.example/").returncode == 1
    assert [one["action"] for one in call_json("audit", shop)].count("manage_keys") == 2
