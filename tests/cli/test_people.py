"""Tests of `parcours people`: where a link leads to, and what may be somebody's own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import call, call_json

from parcours.engine.store.lock import pages_told

ROOT = Path(__file__).parents[2]


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    return shutil.copytree(ROOT / "examples" / "retail", tmp_path / "acme", ignore=shutil.ignore_patterns(".parcours"))


def test_a_link_leads_to_where_the_pages_are(acme: Path) -> None:
    guessed = call("people", acme, "link")
    assert guessed.stdout.startswith("http://127.0.0.1:8600/open?token=")
    assert "No parcours serve shows these pages at this moment" in guessed.stderr
    with pages_told(acme, "http://127.0.0.1:18731"):
        found = call("people", acme, "link")
        assert found.stdout.startswith("http://127.0.0.1:18731/open?token=")
        assert "No parcours serve" not in found.stderr
    told = call("people", acme, "link", "--port", "9000")
    assert told.stdout.startswith("http://127.0.0.1:9000/open?token=")
    assert "No parcours serve" not in told.stderr


@pytest.mark.parametrize(
    ("role", "own", "code"),
    [
        ("cem", "nowhere", "unknown_team"),
        ("csm", "nogroup:x", "unknown_group"),
        ("sales", "segment", "unknown_group"),
        ("csm", "segment:", "unknown_group"),
        ("dpo", "transport", "no_own"),
    ],
)
def test_what_cannot_be_somebodys_own_is_refused(acme: Path, role: str, own: str, code: str) -> None:
    done = call("people", acme, "add", "bo", "--role", role, "--own", own, "--no-password")
    assert (done.returncode, f"[{code}]" in done.stderr) == (1, True)
    assert call_json("people", acme, "list") == []
    assert call("people", acme, "add", "bo", "--role", "cmo", "--no-password").returncode == 0
    done = call("people", acme, "role", "bo", "--role", role, "--own", own)
    assert (done.returncode, f"[{code}]" in done.stderr) == (1, True)
    assert call_json("people", acme, "list")[0]["role"] == "cmo"


@pytest.mark.parametrize(
    ("role", "own", "said"),
    [
        ("cem", (), "Without --own TEAM this person sees the work of no team."),
        ("csm", (), "Without --own GROUP:LABEL this person sees no customer."),
        ("csm", ("--own", "segment:loyal"), "This person sees the customers of segment:loyal, if there are any"),
        ("cem", ("--own", "transport", "--own", "stores"), ""),
        ("cco", (), ""),
    ],
)
def test_what_somebody_sees_is_said_where_it_may_be_nothing(
    acme: Path, role: str, own: tuple[str, ...], said: str
) -> None:
    done = call("people", acme, "add", "bo", "--role", role, *own, "--no-password")
    assert (done.returncode, done.stdout) == (0, f"Added: bo ({role}).\n")
    assert said in done.stderr
    assert bool(done.stderr) is bool(said)
