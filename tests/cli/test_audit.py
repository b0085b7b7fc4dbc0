"""Tests of `parcours audit`: entries, the root of a day with its proof, and roots that somebody held."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from tests.cli.conftest import call, call_json

from parcours.engine.store.sqlite import open_database
from parcours.know.audit.log import DAY_MS, Audit
from parcours.know.audit.merkle import shows_consistency
from parcours.know.keys import open_keys
from parcours.settings import read_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """A company with two entries of yesterday and one of today."""
    folder = shutil.copytree(
        ROOT / "examples" / "retail", tmp_path / "acme", ignore=shutil.ignore_patterns(".parcours")
    )
    keys, _ = open_keys(folder, read_settings(folder))
    now_ms = time.time_ns() // 1_000_000
    moments = [now_ms - DAY_MS, now_ms - DAY_MS, now_ms]
    for number, moment in enumerate(moments):
        audit = Audit(folder, keys, lambda moment=moment: moment)
        audit.note(("ana", "bob")[number % 2], "see_customer", "profile", number, "done", "ticket 1")
        audit.close()
    keys.close()
    return folder


def day(ago: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400 * ago))


def test_it_lists_entries_in_order(noted: Path) -> None:
    lines = call("audit", noted).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2", "3"]
    assert "bob  see_customer  profile  0000000000000001  done  ticket 1" in lines[1]
    assert [entry["actor"] for entry in call_json("audit", noted, "--actor", "bob")] == ["bob"]


def test_it_gives_a_root_that_proves_the_log_to_have_grown_alone(noted: Path) -> None:
    before = call_json("audit", noted, "root", day(1))
    told = call_json("audit", noted, "root", day(0), "--since", day(1))
    assert (before["entries"], before["closed"], told["entries"], told["closed"]) == (2, True, 3, False)
    assert told["since"]["root"] == before["root"]
    path = [bytes.fromhex(step) for step in told["proof"]]
    assert shows_consistency(2, 3, path, bytes.fromhex(before["root"]), bytes.fromhex(told["root"]))


def test_it_says_whether_the_log_still_has_a_root(noted: Path, tmp_path: Path) -> None:
    held = tmp_path / "held.json"
    held.write_text("\n".join(json.dumps(call_json("audit", noted, "root", day(ago))) for ago in (1, 0)), "utf-8")
    done = call("audit", noted, "held", held)
    assert (done.returncode, done.stdout.count("still has")) == (0, 2)
    # What somebody with every key could do: the same log, made anew without its first entry.
    other = noted / ".parcours" / "audit.db"
    database = open_database(other)
    database.execute("DELETE FROM entries; DELETE FROM head; DELETE FROM roots; DELETE FROM tallies")
    database.close()
    keys, _ = open_keys(noted, read_settings(noted))
    audit = Audit(noted, keys)
    for number in range(3):
        audit.note("bob", "see_customer", "profile", number, "done")
    done = call("audit", noted, "held", held)
    assert (done.returncode, done.stdout.count("DOES NOT HAVE")) == (1, 2)


@pytest.mark.parametrize("words", [("root",), ("root", "yesterday"), ("held", "nowhere.json")])
def test_what_it_cannot_understand_is_told(noted: Path, words: tuple[str, ...]) -> None:
    assert call("audit", noted, *words).returncode == 2


def test_a_day_to_come_is_refused(noted: Path) -> None:
    done = call("audit", noted, "root", "2999-01-01")
    assert (done.returncode, "audit_day_ahead" in done.stderr) == (1, True)
