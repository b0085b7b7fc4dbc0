"""`parcours forget`: what would go and stay, the question, the receipt, and what was cut short."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.boutique import deliver, make_company, make_event, take_over
from tests.cli.conftest import call, call_json

from parcours import company as companies
from parcours import flow


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    company = make_company(tmp_path / "shop")
    shared = [make_event(number, f"C{number}", True, anonymousId="kiosk") for number in (7, 8, 9)]
    deliver(company, make_event(0, "C1", True, anonymousId="D1"), make_event(1, "C1", anonymousId="kiosk"), *shared)
    take_over(company)
    deliver(company, make_event(4, "C1", traits={"email": "c1@maison.fr"}))
    return tmp_path / "shop"


def test_the_dry_run_tells_who_goes_and_who_stays(shop: Path) -> None:
    said = call("forget", shop, "user:C1", "--dry-run").stdout
    assert said.splitlines() == [
        "Would be erased:",
        "  user:•••  3 events",
        "  mail:c•••@maison.fr  0 events",
        "  device:•••  0 events",
        "Stay: shared devices:",
        "  device:•••sk  0 events",
        "  3 events of web",
        "The law keeps, apart: proofs of consent.",
    ]
    told = call_json("forget", shop, "user:C1", "--dry-run")
    assert [held["value"] for held in told["shared"]] == ["•••sk"]
    full = call("forget", shop, "user:C1", "--dry-run", "--unmask", "two customers?").stdout
    assert "mail:c1@maison.fr" in full
    entries = call_json("audit", shop)
    assert [(one["action"], one["reason"]) for one in entries] == [
        ("unmask", "two customers?"),
        *[("see_customer", "before an erasure")] * 3,
    ]
    assert {one["thing"] for one in entries} == {told["profile"]}
    assert call_json("timeline", shop, "user:C1")["count"] == 3


def test_without_a_yes_nobody_is_erased(shop: Path) -> None:
    done = call("forget", shop, "user:C1")
    assert done.returncode != 0
    assert call_json("timeline", shop, "user:C1")["count"] == 3


def test_a_receipt_is_given_kept_and_checked(shop: Path, tmp_path: Path) -> None:
    done = call("forget", shop, "user:C1", "--yes", "--out", tmp_path / "receipt.json")
    assert done.returncode == 0, done.stderr
    assert "Erasure no. 1 proved" in done.stdout
    assert "nothing is left" in done.stdout
    assert "Kept by law (proofs of consent): " in done.stdout
    assert call_json("timeline", shop, "user:C1")["count"] == 0
    checked = call_json("forget", shop, "verify", tmp_path / "receipt.json")
    assert checked["receipt"]["identifiers"] == {"user": 1, "mail": 1, "device": 1}
    assert call("forget", shop, "receipt", "1").stdout.strip() == (tmp_path / "receipt.json").read_text("utf-8").strip()
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_text((tmp_path / "receipt.json").read_text("utf-8").replace('"user": 1', '"user": 2'), "utf-8")
    refused = call("forget", shop, "verify", spoilt)
    assert refused.returncode == 1
    assert "receipt_altered" in refused.stderr


def test_json_is_the_receipt_itself(shop: Path) -> None:
    done = call("forget", shop, "device:D1", "--yes", "--json")
    assert json.loads(done.stdout)["receipt"]["erasure_no"] == 1


def test_what_was_cut_short_is_told_and_resumed(shop: Path) -> None:
    companies.open(shop).know.rights.begin("user:C1", "cli")
    assert any("Erasure no. 1 was cut short" in warning.en for warning in companies.open(shop).know.warnings)
    done = call("forget", shop, "resume")
    assert "Erasure no. 1 proved" in done.stdout
    assert call("forget", shop, "resume").stdout == ""
    assert not companies.open(shop).know.rights.warnings()


def test_nobody_and_a_shared_device_are_refused_in_a_sentence(shop: Path) -> None:
    for identifier, code in (("user:nobody", "nobody_found"), ("device:kiosk", "device_shared")):
        done = call("forget", shop, identifier, "--yes")
        assert done.returncode == 1
        assert code in done.stderr


def test_in_french(shop: Path) -> None:
    assert "Restent : appareils partagés" in call("--lang", "fr", "forget", shop, "user:C1", "--dry-run").stdout
    said = call("--lang", "fr", "forget", shop, "user:C1", "--yes").stdout
    assert "il ne reste rien" in said
    assert "1 compte, 1 adresse mail, 1 appareil." in said
    assert "événements de web" in said
    assert "liens entre identifiants" in said


def test_one_event_is_no_plural(shop: Path) -> None:
    assert "1 event\n" in call("forget", shop, "user:C7", "--dry-run").stdout
    assert "1 événement\n" in call("--lang", "fr", "forget", shop, "user:C7", "--dry-run").stdout


def test_what_has_begun_and_is_not_done_names_how_to_go_on(shop: Path) -> None:
    companies.open(shop).know.rights.begin("user:C1", "cli")
    for words in (("user:C1", "--yes"), ("receipt", "1")):
        done = call("forget", shop, *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "erasure_unfinished" in done.stderr
        assert "forget DIR resume" in done.stderr


def test_whoever_interrupts_is_told_that_it_has_begun(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(flow, "finish_erasure", interrupt)
    for words in (("user:C1", "--yes"), ("resume",)):
        done = call("forget", shop, *words)
        assert done.returncode == 130
        assert "the erasure has begun" in done.stderr
        assert "forget DIR resume" in done.stderr
        assert "intact" not in done.stderr


def test_the_request_that_is_answered_is_one_of_this_person_to_be_erased(shop: Path) -> None:
    requests = companies.open(shop).know.requests
    access, other = requests.open("access", ["user:C1"], "cli"), requests.open("erasure", ["user:C7"], "cli")
    mine = requests.open("erasure", ["device:D1"], "cli")
    for number in (access, other):
        requests.check_identity(number, "signed in", "cli")
    for number, code in ((access, "another_request"), (other, "person_not_asking"), (mine, "identity_unchecked")):
        done = call("forget", shop, "user:C1", "--yes", "--request", number)
        assert (done.returncode, code in done.stderr) == (1, True), done.stderr
    assert call_json("timeline", shop, "user:C1")["count"] == 3
    assert {one.state for one in requests.list_requests()} == {"checked", "received"}
    out = shop.parent / "dossier.json"
    assert "another_request" in call("access", shop, "user:C1", "--out", out, "--request", mine).stderr
    assert "person_not_asking" in call("access", shop, "user:C7", "--out", out, "--request", access).stderr
    assert not out.exists()
    requests.check_identity(mine, "signed in", "cli")
    assert call("forget", shop, "user:C1", "--yes", "--request", mine).returncode == 0
    assert requests.find(mine).state == "done"


def test_a_list_is_shown_asked_about_and_erased_one_after_the_other(shop: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("user:C1\n\nuser:C7\nuser:nobody\n", "utf-8")
    told = call("forget", shop, "from", listed, "--dry-run", "--json")
    assert [one["identifiers"][0]["events"] for one in json.loads(told.stdout)] == [3, 1]
    assert told.stderr.startswith("user:nobody: Nobody is known by this identifier")
    refused = call("forget", shop, "from", listed)
    assert refused.returncode != 0
    assert refused.stdout.count("Would be erased:") == 2
    assert call_json("timeline", shop, "user:C1")["count"] == 3
    done = call("forget", shop, "from", listed, "--yes")
    assert [line for line in done.stdout.splitlines() if "proved" in line][1].startswith("Erasure no. 2 proved")
    for name in ("user:C1", "user:C7"):
        assert call_json("timeline", shop, name)["count"] == 0
    assert call_json("timeline", shop, "user:C8")["count"] > 0
    assert call_json("forget", shop, "from", listed, "--dry-run") == []
    again = call("forget", shop, "from", listed, "--yes")
    assert (again.returncode, "Nothing was erased." in again.stderr) == (1, True)
    entered = companies.open(shop).know.requests.list_requests()
    assert [(one.channel, one.state, one.identity) for one in entered] == [("list", "done", "listed")] * 2


def test_a_list_that_is_not_there_or_one_file_for_many_receipts_is_no_command(shop: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.txt"
    missing = call("forget", shop, "from", listed, "--yes")
    assert (missing.returncode, "there is no file" in missing.stderr) == (2, True)
    listed.write_text("user:C1\n", "utf-8")
    assert call("forget", shop, "from", listed, "--yes", "--out", tmp_path / "receipt.json").returncode == 2
    assert call_json("timeline", shop, "user:C1")["count"] == 3
