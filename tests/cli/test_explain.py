"""`parcours explain`, `unmerge` and `review`: the proof in words, a decision and what it moved."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.boutique import deliver, make_company, make_event, take_over
from tests.cli.conftest import call, call_json


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    company = make_company(tmp_path / "shop")
    mail = {"email": "claire@maison.fr"}
    deliver(
        company,
        make_event(0, "CLIENT-1", True, anonymousId="PHONE-D1"),
        make_event(1, "CLIENT-1", traits=mail),
        make_event(2, "CLIENT-2", traits=mail, anonymousId="TABLET-D2"),
        make_event(3, "CLIENT-3", anonymousId="TABLET-D2"),
    )
    take_over(company)
    return tmp_path / "shop"


def test_the_proof_is_told_a_sentence_an_edge_and_what_did_not_join(shop: Path) -> None:
    lines = call("explain", shop, "mail:claire@maison.fr").stdout.splitlines()
    assert lines[0].startswith("Profile ")
    assert "3 identifier(s)" in lines[0]
    assert [line.split("  [")[0] for line in lines[1:4]] == [
        "  mail c•••@maison.fr",
        "  account •••-1",
        "  device •••D1",
    ]
    assert lines[4:] == [
        "Proof, the shortest way:",
        "  account •••-1 – mail c•••@maison.fr (event 2 from web): joined two profiles",
        "  account •••-1 – device •••D1 (event 1 from web): joined two profiles",
        "What did not join:",
        "  account •••-2 – mail c•••@maison.fr (event 3 from web): refused: one person would have too many accounts",
    ]


def test_unmasking_needs_a_reason_and_is_logged(shop: Path) -> None:
    told = call("explain", shop, "user:CLIENT-1", "--unmask", "a call about order 7").stdout
    assert "claire@maison.fr" in told
    assert "a call about order 7" in call("audit", shop).stdout
    assert "claire@maison.fr" not in call("explain", shop, "user:CLIENT-1").stdout


def test_it_speaks_french(shop: Path) -> None:
    told = call("--lang", "fr", "explain", shop, "user:CLIENT-3").stdout
    assert "compte •••-3 – appareil •••D2 (événement 4 de web) : observé seulement" in told


def test_as_json_it_names_places_verdicts_and_limits(shop: Path) -> None:
    (told,) = call_json("explain", shop, "user:CLIENT-2")
    assert (told["count"], len(told["proof"])) == (1, 0)
    assert sorted((one["verdict"], one["limit"]) for one in told["turned_down"]) == [
        ("refused", "user"),
        ("shared", ""),
    ]


def test_nobody_is_said(shop: Path) -> None:
    assert call("explain", shop, "user:nobody").stdout == "Nobody has this identifier.\n"


def test_an_unmerge_says_who_moved_and_where_to(shop: Path) -> None:
    done = call("unmerge", shop, "user:CLIENT-1", "mail:claire@maison.fr", "--cause", "a shared mailbox")
    assert done.returncode == 0
    assert "c•••@maison.fr" in done.stdout
    # What was refused for its sake is legal now: the mailbox goes to the other account, whose profile it names.
    assert done.stdout.splitlines()[-1].startswith("2 identifier(s) changed profile.")
    told = call("explain", shop, "mail:claire@maison.fr").stdout
    assert "account •••-2 – mail c•••@maison.fr (event 3 from web): joined two profiles" in told
    assert "these are two people" in told


def test_an_unmerge_needs_a_cause_and_known_identifiers(shop: Path) -> None:
    assert call("unmerge", shop, "user:CLIENT-1", "mail:claire@maison.fr").returncode == 2
    done = call("unmerge", shop, "user:CLIENT-1", "user:nobody", "--cause", "x")
    assert (done.returncode, "[unknown_identifier]" in done.stderr) == (1, True)


@pytest.mark.parametrize(("answer", "together"), [("--same", True), ("--not-same", False)])
def test_a_pair_that_waits_is_listed_and_settled(shop: Path, answer: str, together: bool) -> None:
    listed = call("review", shop).stdout.splitlines()
    assert listed[-1] == "1 pair(s) to decide."
    one, first, other, second = listed[0].split()[:4]
    assert {first, second} == {"•••-1", "•••-2"}
    assert "both with c•••@maison.fr; refused: one person would have too many accounts" in listed[0]
    assert call("review", shop, answer, one, other).returncode == 2  # without a cause
    assert call("review", shop, answer, one, other, "--cause", "asked by phone").returncode == 0
    assert call("review", shop).stdout == "0 pair(s) to decide.\n"
    (told,) = call_json("explain", shop, "user:CLIENT-1")
    shown = [identifier["shown"] for identifier in told["identifiers"][: told["count"]]]
    assert ("•••-2" in shown) is together
