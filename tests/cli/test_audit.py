"""Tests of `parcours audit`: entries, the root of a day with its proof, and roots that somebody held."""

from __future__ import annotations

import json
import shutil
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

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


def test_an_empty_log_says_so(noted: Path) -> None:
    done = call("audit", noted, "--actor", "nobody")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Nothing of the kind is noted.\n", "")
    assert call_json("audit", noted, "--actor", "nobody") == []


def test_times_are_those_of_the_company(noted: Path) -> None:
    settings = noted / "parcours.toml"
    lines = [line for line in settings.read_text("utf-8").splitlines() if not line.startswith("time_zone")]
    (entry,) = call_json("audit", noted, "--limit", 1)
    for zone, offset in (("Asia/Tokyo", "+0900"), ("UTC", "+0000")):
        settings.write_text("\n".join([f'time_zone = "{zone}"', *lines]), "utf-8")
        at = datetime.fromtimestamp(entry["at_ms"] / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")
        assert f"  {at} {offset}  " in call("audit", noted, "--limit", 1).stdout


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET reason = 'ticket 2' WHERE entry_no = 1",
        "DELETE FROM entries WHERE entry_no = 1",
        "DELETE FROM entries WHERE entry_no = 3",
    ],
)
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_list_of_a_log_that_was_changed_says_so(noted: Path, change: str, options: tuple[str, ...]) -> None:
    assert call("audit", noted, "--limit", 1, *options).stderr == ""
    database = open_database(noted / ".parcours" / "audit.db")
    database.execute(change)
    database.close()
    done = call("audit", noted, "--limit", 1, *options)
    assert "BEWARE: this log was changed by other means than Parcours" in done.stderr


@pytest.mark.parametrize("words", [(), ("held",)])
def test_an_altered_entry_is_kept_as_evidence(noted: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    held = tmp_path / "held.json"
    held.write_text(json.dumps(call_json("audit", noted, "root", day(1))), "utf-8")
    database = open_database(noted / ".parcours" / "audit.db")
    database.execute("UPDATE entries SET reason = 'ticket 2' WHERE entry_no = 1")
    database.close()
    done = call("audit", noted, *words, *([held] if words else []))
    assert (done.returncode, "[audit_altered]" in done.stderr) == (1, True)
    assert "Keep this file as evidence" in done.stderr
    assert "moved aside" not in done.stderr


def test_a_long_log_is_told_by_its_count_and_end(noted: Path) -> None:
    keys, _ = open_keys(noted, read_settings(noted))
    audit = Audit(noted, keys)
    assert audit.is_whole(most=0)
    database = open_database(noted / ".parcours" / "audit.db")
    database.execute("DELETE FROM entries WHERE entry_no = 1")
    assert not audit.is_whole(most=0)
    audit.close()
    keys.close()


@pytest.mark.parametrize("content", [None, "", "{", '{"day": 3}', '{"day": "x", "entries": 1, "root": "zz"}', "[1]"])
def test_a_file_without_roots_is_told_in_a_sentence(noted: Path, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "held.json"
    if content is not None:
        file.write_text(content, "utf-8")
    done = call("audit", noted, "held", file)
    told = "this file cannot be read" if content is None else "this file holds no roots as parcours audit DIR root DAY"
    assert (done.returncode, told in done.stderr) == (2, True)
    assert not [word for word in ("Errno", "JSON is", "Object ", "byte ", "fromhex") if word in done.stderr]


@pytest.mark.parametrize(
    "words", [("root",), ("root", "yesterday"), ("held", "nowhere.json"), ("--limit", "0"), ("--limit", "-3")]
)
def test_what_it_cannot_understand_is_told(noted: Path, words: tuple[str, ...]) -> None:
    assert call("audit", noted, *words).returncode == 2


def test_a_day_to_come_is_refused(noted: Path) -> None:
    done = call("audit", noted, "root", "2999-01-01")
    assert (done.returncode, "audit_day_ahead" in done.stderr) == (1, True)
