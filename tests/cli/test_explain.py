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
    (told,) = call_json("explain", shop, "user:CLIENT-1")
    (entry,) = call_json("audit", shop)
    assert (entry["action"], entry["thing_kind"], entry["thing"]) == ("unmask", "profile", told["profile"])


@pytest.mark.parametrize("reason", ["", "   "])
def test_nothing_is_unmasked_or_decided_for_no_reason(shop: Path, reason: str) -> None:
    done = call("explain", shop, "user:CLIENT-1", "--unmask", reason)
    assert (done.returncode, done.stdout, "[reason_missing]" in done.stderr) == (1, "", True)
    assert call("unmerge", shop, "user:CLIENT-1", "user:CLIENT-2", "--cause", reason).returncode == 2
    assert call("review", shop, "--same", "user:CLIENT-1", "user:CLIENT-2", "--cause", reason).returncode == 2
    assert call_json("audit", shop) == []


def test_what_was_refused_or_decided_before_is_not_logged_as_done(shop: Path) -> None:
    done = call("unmerge", shop, "user:CLIENT-1", "user:CLIENT-1", "--cause", "x")
    assert (done.returncode, "[not_a_pair]" in done.stderr, call_json("audit", shop)) == (1, True, [])
    pair = ("unmerge", shop, "user:CLIENT-1", "user:CLIENT-2", "--cause", "two sisters")
    assert call(*pair).stdout.endswith("identifier(s) changed profile. Measures follow with the next parcours run.\n")
    again = call(*pair)
    assert (again.returncode, again.stdout.startswith("These two are parted already")) == (0, True)
    assert len(call_json("audit", shop)) == 1
    # Who thinks better of it decides anew.
    call("review", shop, "--same", "user:CLIENT-1", "user:CLIENT-2", "--cause", "one after all")
    assert "parted already" not in call(*pair).stdout
    assert len(call_json("audit", shop)) == 3


def test_a_dossier_is_logged_with_whose_it_is(shop: Path) -> None:
    theirs = []
    for number in (1, 2, 3):
        for options in ((), ("--portable",)):
            done = call("access", shop, f"user:CLIENT-{number}", "--out", shop.parent / "dossier.json", *options)
            assert done.returncode == 0, done.stderr
        theirs += [call_json("explain", shop, f"user:CLIENT-{number}")[0]["profile"]] * 2
    noted = [(entry["thing"], entry["reason"]) for entry in reversed(call_json("audit", shop))]
    assert noted == list(zip(theirs, ["access", "portability"] * 3, strict=True))


def test_no_identifier_stands_in_the_audit_log(shop: Path) -> None:
    """Whatever a command is told of a person, the log names them by pseudonyms: an erasure leaves it as it is."""
    out = shop.parent / "dossier.json"
    commands: list[tuple[object, ...]] = [
        ("explain", shop, "user:CLIENT-1", "--unmask", "a call"),
        ("explain", shop, "CLIENT-1", "--unmask", "a call"),
        ("explain", shop, "mail:claire@maison.fr", "--unmask", "a call"),
        ("explain", shop, "PHONE-D1", "--unmask", "a call"),
        ("timeline", shop, "user:CLIENT-1"),
        ("access", shop, "user:CLIENT-1", "--out", out),
        ("access", shop, "user:CLIENT-1", "--out", out, "--portable"),
        ("unmerge", shop, "user:CLIENT-1", "user:CLIENT-3", "--cause", "two people"),
        ("review", shop, "--not-same", "user:CLIENT-2", "user:CLIENT-1", "--cause", "two people"),
        ("consent", shop, "record", "mail:claire@maison.fr", "--purpose", "improve", "--refuse", "--reason", "a call"),
        ("consent", shop, "proof", "user:CLIENT-1", "--reason", "their lawyer asks"),
        ("requests", shop, "add", "access", "user:CLIENT-1"),
        ("requests", shop, "object", "user:CLIENT-3", "improve", "--reason", "as told"),
        ("requests", shop, "restrict", "user:CLIENT-1", "--reason", "contested"),
        ("forget", shop, "user:CLIENT-2", "--yes"),
    ]
    done = {command: call(*command) for command in commands}
    assert {told.returncode for told in done.values()} == {0}, done
    assert len(call_json("audit", shop)) >= 12
    for file in (shop / ".parcours").glob("audit.db*"):
        held = file.read_bytes().lower()
        for word in (b"client-", b"claire", b"phone-d1", b"tablet-d2"):
            assert word not in held, (file, word)


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


@pytest.mark.parametrize(
    ("identifier", "told"),
    [
        ("user:nobody", "Nobody has the identifier “user:nobody”."),
        ("foo:bar", "“foo” is no kind of identifier."),
    ],
)
def test_nobody_is_said(shop: Path, identifier: str, told: str) -> None:
    for options in ((), ("--unmask", "a call")):
        done = call("explain", shop, identifier, *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert told in done.stderr
        assert "the kind is user, mail, phone or device" in done.stderr
    assert call("audit", shop, "--json").stdout.strip() == "[]"


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
    assert "both with mail c•••@maison.fr; refused: one person would have too many accounts" in listed[0]
    assert call("review", shop, answer, one, other).returncode == 2  # without a cause
    assert call("review", shop, answer, one, other, "--cause", "asked by phone").returncode == 0
    assert call("review", shop).stdout == "0 pair(s) to decide.\n"
    (told,) = call_json("explain", shop, "user:CLIENT-1")
    shown = [identifier["shown"] for identifier in told["identifiers"][: told["count"]]]
    assert ("•••-2" in shown) is together
