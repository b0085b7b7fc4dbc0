"""`parcours timeline`: one customer, latest first, with what has just arrived; or the profile alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.boutique import deliver, make_company, make_event, take_over
from tests.cli.conftest import call, call_json

from parcours import company as companies


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    company = make_company(tmp_path / "shop")
    deliver(company, make_event(0, "C1", True, anonymousId="D1"), make_event(1, "C1"), make_event(2, "C2", False))
    take_over(company)
    deliver(company, make_event(4, "C1", traits={"email": "c1@maison.fr"}))
    return tmp_path / "shop"


def test_events_are_told_latest_first_and_what_waits_as_such(shop: Path) -> None:
    lines = call("timeline", shop, "user:C1").stdout.splitlines()
    assert [line.split("  ")[1:] for line in lines[:-1]] == [
        ["Page Viewed", "Page", "web", "(just arrived)"],
        ["Order Completed", "Checkout", "web"],
        ["Page Viewed", "Page", "web"],
    ]
    assert lines[-1] == "3 events, 2 identifiers, purpose improve (UTC)."


@pytest.mark.parametrize("who", ["C1", "user:C1", "device:D1", "D1"])
def test_whatever_names_the_customer_leads_to_the_same(shop: Path, who: str) -> None:
    assert [event["fields"]["n"] for event in call_json("timeline", shop, who)["events"]] == [4, 1, 0]


def test_the_profile_says_the_same_in_numbers(shop: Path) -> None:
    told = call_json("timeline", shop, "C1", "--profile")
    assert (told["permitted"], told["events"], told["waiting"]) == (True, 3, 1)


def test_a_purpose_that_may_not_see_somebody_says_so_and_no_more(shop: Path) -> None:
    done = call("timeline", shop, "C2", "--purpose", "personalise")
    assert (done.returncode, done.stdout) == (0, "The purpose “personalise” may not see this person.\n")
    told = call_json("timeline", shop, "C2", "--purpose", "personalise")
    assert (told["permitted"], told["count"], told["events"]) == (False, 0, [])


def test_nobody_has_no_events(shop: Path) -> None:
    assert call("timeline", shop, "user:nobody").stdout == "0 events, 1 identifier, purpose improve (UTC).\n"


def test_what_only_a_waiting_event_names_leads_to_that_event(shop: Path) -> None:
    assert [event["fields"]["n"] for event in call_json("timeline", shop, "mail:C1@Maison.fr")["events"]] == [4]


def test_a_purpose_that_is_not_declared_is_said(shop: Path) -> None:
    done = call("timeline", shop, "C1", "--purpose", "sell")
    assert (done.returncode, done.stdout) == (1, "")
    assert "[purpose_does_not_cover]" in done.stderr


def test_each_look_is_in_the_audit_log_and_what_was_not_shown_is_not(shop: Path) -> None:
    call("timeline", shop, "user:C1")
    call_json("timeline", shop, "device:D1", "--profile")
    call("timeline", shop, "C2", "--purpose", "personalise")
    call("timeline", shop, "C1", "--purpose", "sell")
    call("timeline", shop, "mail:C1@Maison.fr")
    waiting, *noted = call_json("audit", shop, "--action", "see_customer")
    (profile,) = companies.open(shop).find_profiles("user:C1")
    assert [(one["actor"], one["thing_kind"], one["thing"]) for one in noted] == [("cli", "profile", profile)] * 2
    # Whoever is named by an event that waits is in no profile yet.
    assert waiting["thing_kind"] == "identifier"


def test_it_speaks_french(shop: Path) -> None:
    done = call("--lang", "fr", "timeline", shop, "user:C1")
    assert "vient d’arriver" in done.stdout
    assert done.stdout.splitlines()[-1] == "3 événements, 2 identifiants, finalité improve (UTC)."
