"""Tests of `parcours consent`: coverage and ledger, why a row is there, and recording what a customer told."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import struct
from pathlib import Path

from tests.cli.conftest import call, call_json

from parcours.know import STATES
from parcours.progress import Silent
from parcours.simulate import make


def customer(folder: Path, agrees: str) -> str:
    """Return a customer of the simulated firm who chose so."""
    with gzip.open(folder / "data" / "customers.csv.gz", "rt", encoding="utf-8") as file:
        return next(f"user:{line.split(';')[0]}" for line in file if line.rstrip().endswith(f";{agrees}"))


def test_it_shows_coverage_by_purpose_channel_and_source_and_the_ledger(firm: Path) -> None:
    done = call("consent", firm)
    assert done.returncode == 0, done.stderr
    assert "Personalise the relationship (personalise, consent)" in done.stdout
    assert "all customers" in done.stdout
    told = call_json("consent", firm)
    (personalise,) = [one for one in told["coverage"] if one["purpose"] == "personalise"]
    whole = personalise["whole"]
    assert whole["n"] == sum(whole[state] for state in STATES)
    assert whole["allowed"] == whole["granted"]
    assert set(personalise["channels"]) >= {"website", "store"} or len(personalise["channels"]) > 3
    assert list(personalise["sources"]) == ["customers", "departures"]
    assert told["ledger"]["lines"] > 0
    assert len(told["ledger"]["head"]) == 64
    assert (
        f"Ledger: {told['ledger']['lines']:,} lines, 0 of them erased; chain {told['ledger']['head'][:16]}"
        in done.stdout
    )


def test_the_planted_withdrawals_are_found_and_no_other(tmp_path: Path) -> None:
    make(tmp_path, 3000, 1, Silent())
    for source in (tmp_path / "sources").iterdir():
        if source.stem not in ("customers", "departures"):
            source.unlink()
    assert call("run", tmp_path, "--quiet").returncode == 0
    planted = json.loads((tmp_path / "truth.json").read_text("utf-8"))["withdrawals"]
    (personalise,) = [one for one in call_json("consent", tmp_path)["coverage"] if one["purpose"] == "personalise"]
    assert len(planted) > 10
    assert personalise["whole"]["withdrawn"] == personalise["sources"]["departures"]["withdrawn"] == len(planted)
    why = call("consent", tmp_path, "why", "personalise/customers", f"user:{planted[0]['customer']}").stdout
    assert "refused, or withdrew consent" in why


def test_it_says_why_rows_are_there_and_a_choice_told_to_us_takes_them_away(firm: Path) -> None:
    who = customer(firm, "oui")
    assert "touches: there." in call("consent", firm, "why", "personalise/touches", who).stdout
    done = call("consent", firm, "record", who, "--purpose", "personalise", "--refuse", "--reason", "call of 3 March")
    assert done.returncode == 0, done.stderr
    assert "noted in the audit log" in done.stdout
    assert (
        "touches: not there. One of their identifiers refused"
        in call("consent", firm, "why", "personalise/touches", who).stdout
    )
    assert [entry["actor"] for entry in call_json("audit", firm) if entry["action"] == "record_choice"] == ["cli"]
    french = call("--lang", "fr", "consent", firm, "--latest", "2").stdout
    assert "retiré" in french
    assert "parcours · cli" in french
    assert call("verify", firm).returncode == 0


def test_it_proves_what_somebody_chose(firm: Path) -> None:
    who = customer(firm, "oui")
    done = call("consent", firm, "proof", who, "--reason", "claim 12")
    assert "personalise  granted" in done.stdout
    # What is printed opens the commitment by the recipe that is printed, with nothing of ours.
    told = dict(re.findall(r"^    (commitment|contents|salt) ([0-9a-f]+)$", done.stdout, re.MULTILINE))
    (recipe,) = re.findall(r"^  (commitment == .*)$", done.stdout, re.MULTILINE)
    assert eval(recipe, {"hashlib": hashlib, **told}) is True
    assert eval(recipe, {"hashlib": hashlib, **told, "salt": "00" * 16}) is False
    (names,) = re.findall(r"^  (principal, .*)$", done.stdout, re.MULTILINE)
    columns = dict(zip(names.split(", "), struct.unpack("<10q", bytes.fromhex(told["contents"])), strict=True))
    assert columns["choice"] == 1
    assert call("--lang", "fr", "consent", firm, "proof", who, "--reason", "a").stdout.count(recipe) == 1
    assert {one["state"] for one in call_json("consent", firm, "proof", who, "--reason", "claim 12")} == {"granted"}
    assert call("consent", firm, "proof", who).returncode == 1
    assert len([entry for entry in call_json("audit", firm) if entry["action"] == "export_proof"]) == 3
    assert "who asks for it" in call("consent", firm, "proof", who).stderr


def test_a_command_that_is_none_says_how_it_goes(firm: Path) -> None:
    for words in (
        ["why", "touches"],
        ["record", "user:1"],
        ["record", "user:1", "--purpose", "personalise"],
        ["record", "user:1", "--purpose", "personalise", "--grant", "--refuse", "--reason", "x"],
        ["show", "x"],
    ):
        done = call("consent", firm, *words)
        assert done.returncode == 2, words
        assert "why TABLE ID" in done.stderr
    done = call("consent", firm, "record", "nobody", "--purpose", "personalise", "--grant", "--reason", "x")
    assert (done.returncode, "unknown_customer" in done.stderr) == (1, True)


def test_a_choice_of_nobody_is_recorded_only_for_one_who_is_new(firm: Path) -> None:
    words = ["record", "user:NOPE", "--purpose", "personalise", "--grant", "--reason", "fair"]
    before = call_json("consent", firm)["ledger"]["lines"]
    refused = call("consent", firm, *words)
    assert (refused.returncode, "nobody_yet" in refused.stderr, "--new" in refused.stderr) == (1, True, True)
    assert call_json("consent", firm)["ledger"]["lines"] == before
    assert "Recorded for 1 identifier, line" in call("consent", firm, *words, "--new").stdout


def test_why_says_what_was_not_reached_and_who_is_not_known(firm: Path) -> None:
    nobody = call("consent", firm, "why", "personalise/touches", "user:NOPE").stdout.splitlines()[1:]
    assert nobody[0].split()[:3] == ["✗", "not", "known"]
    assert [line.split()[0] for line in nobody[1:]] == ["·"] * 5
    french = call("--lang", "fr", "consent", firm, "why", "personalise/touches", "user:NOPE").stdout
    assert "inconnu" in french
    assert french.count("Non atteint.") == 5
    assert [line.split()[1] for line in french.splitlines()[2:]] == ["gardé", "marque", "durée", "maintenant", "table"]


def test_a_basis_is_said_in_words(firm: Path) -> None:
    assert "(improve_service, legitimate interest)" in call("consent", firm).stdout
    assert "(improve_service, intérêt légitime)" in call("--lang", "fr", "consent", firm).stdout
