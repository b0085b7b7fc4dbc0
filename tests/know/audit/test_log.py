"""Tests of the audit log: what is noted can be read, by several at once, on the right day, under pseudonyms alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from parcours.errors import ParcoursError
from parcours.know.audit.log import DAY_MS, MOST_LETTERS, Audit
from parcours.know.audit.merkle import EMPTY, shows_consistency, shows_inclusion
from parcours.know.keys import Keys, open_keys
from parcours.settings import Settings

DAY = 20_000


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = DAY * DAY_MS + 5

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Keys]:
    opened, _ = open_keys(tmp_path, Settings())
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def audit(tmp_path: Path, keys: Keys, clock: Clock) -> Iterator[Audit]:
    opened = Audit(tmp_path, keys, clock)
    yield opened
    opened.close()


def test_what_is_noted_is_read_latest_first(audit: Audit) -> None:
    assert audit.note("ana", "see_customer", "profile", 0xAB, "done", "complaint 12") == 1
    assert audit.note("cli", "export_rows", "table", "touches", "refused") == 2
    last, first = audit.read()
    assert (first.actor, first.action, first.thing, first.outcome) == ("ana", "see_customer", f"{0xAB:016x}", "done")
    assert (first.reason, first.at_ms, first.day) == ("complaint 12", DAY * DAY_MS + 5, DAY)
    assert (last.entry_no, last.outcome, last.thing) == (2, "refused", "touches")
    assert list(audit.verify()) == []


def test_each_filter_keeps_what_it_names(audit: Audit, clock: Clock) -> None:
    audit.note("ana", "see_customer", "profile", 1, "done")
    clock.ms += 1000
    audit.note("bob", "unmask", "account", 2, "refused")
    for asked in (
        {"actor": "bob"},
        {"action": "unmask"},
        {"thing_kind": "account"},
        {"thing": 2},
        {"outcome": "refused"},
        {"since_ms": clock.ms},
    ):
        assert [entry.entry_no for entry in audit.read(**asked)] == [2], asked
    assert [entry.entry_no for entry in audit.read(until_ms=clock.ms)] == [1]
    assert [entry.entry_no for entry in audit.read(before=2)] == [1]
    assert [entry.entry_no for entry in audit.read(limit=1)] == [2]


@pytest.mark.parametrize("raw", ["jean@example.org", "+33612345678", "0612345678", "Jean Dupont", "1850578006084"])
def test_what_is_no_id_stands_there_as_a_digest(audit: Audit, raw: str, tmp_path: Path) -> None:
    audit.note("ana", "see_customer", "customer", raw, "done", f"about {raw}")
    assert audit.read()[0].thing.startswith("#")
    assert len(audit.read(thing=raw)) == 1
    assert audit.read(thing="other@example.org") == ()
    if raw != "Jean Dupont":  # Names are not found by rules.
        audit.close()
        assert not [path for path in (tmp_path / ".parcours").glob("audit.db*") if raw.encode() in path.read_bytes()]


@pytest.mark.parametrize("id", ["ana", "p-12", "sources/web", "0123456789012345", "ffffffffffffffff", "stakes"])
def test_an_id_stands_there_as_it_is(audit: Audit, id: str) -> None:
    audit.note("ana", "see_results", "measure", id, "done")
    assert audit.read()[0].thing == id


def test_a_long_reason_is_cut(audit: Audit) -> None:
    audit.note("ana", "see_customer", "profile", 1, "done", "so  " * 400)
    assert audit.read()[0].reason == ("so " * 400)[:MOST_LETTERS]


def test_a_day_that_is_over_keeps_its_root(audit: Audit, clock: Clock) -> None:
    audit.note("ana", "see_customer", "profile", 1, "done")
    running = audit.root(DAY)
    assert (running.entries, running.closed) == (1, False)
    audit.note("ana", "see_customer", "profile", 2, "done")
    clock.ms += 3 * DAY_MS
    closed = audit.root(DAY)
    assert (closed.entries, closed.closed) == (2, True)
    assert audit.root(DAY + 1).root == closed.root
    audit.note("ana", "see_customer", "profile", 3, "done")
    assert audit.root(DAY) == closed
    assert audit.root(DAY + 3).entries == 3
    assert [(one.day, one.entries) for one in audit.roots()] == [(DAY, 2)]
    assert (audit.root(DAY - 1).entries, audit.root(DAY - 1).root) == (0, EMPTY)
    assert list(audit.verify()) == []


def test_a_day_that_has_not_begun_has_no_root(audit: Audit) -> None:
    with pytest.raises(ParcoursError) as caught:
        audit.root(DAY + 1)
    assert caught.value.code == "audit_day_ahead"


def test_a_clock_that_goes_back_a_day_changes_no_root_that_was_given_away(audit: Audit, clock: Clock) -> None:
    audit.note("ana", "see_customer", "profile", 1, "done")
    clock.ms += DAY_MS
    given = audit.root(DAY)
    clock.ms -= DAY_MS
    audit.note("ana", "see_customer", "profile", 2, "done")
    entry = audit.read()[0]
    assert (entry.day, entry.at_ms // DAY_MS) == (DAY + 1, DAY)
    assert audit.root(DAY) == given
    clock.ms -= 5 * DAY_MS
    audit.note("ana", "see_customer", "profile", 3, "done")
    assert audit.root(DAY) == given
    assert list(audit.verify()) == []


def test_somebody_outside_can_prove_that_the_log_only_grew(audit: Audit, clock: Clock) -> None:
    for number in range(5):
        audit.note("ana", "see_customer", "profile", number, "done")
    clock.ms += DAY_MS
    before = audit.root(DAY)
    for number in range(8):
        audit.note("ana", "see_customer", "profile", number, "done")
    now = audit.root(DAY + 1)
    assert shows_consistency(5, 13, audit.prove_consistency(5, 13), before.root, now.root)
    from parcours.know.audit.entries import hash_entry

    seventh = audit.read(before=8, limit=1)[0]
    leaf = hash_entry([getattr(seventh, name) for name in seventh.__struct_fields__])
    assert shows_inclusion(leaf, 6, 13, audit.prove_inclusion(7, 13), now.root)
    assert audit.holds(5, before.root)
    assert audit.holds(13, now.root)
    assert not audit.holds(5, now.root)
    assert not audit.holds(14, now.root)


WRITER = """
import sys
from pathlib import Path
from parcours.know.audit.log import Audit
from parcours.know.keys import open_keys
from parcours.settings import Settings
folder = Path(sys.argv[1])
audit = Audit(folder, open_keys(folder, Settings())[0])
for number in range(25):
    audit.note(sys.argv[2], "see_customer", "profile", number, "done")
"""


def test_several_processes_append_at_once(audit: Audit, tmp_path: Path) -> None:
    audit.note("first", "see_customer", "profile", 1, "done")
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), f"w{number}"] for number in range(3)]
    running = [subprocess.Popen(command) for command in commands]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    entries = audit.read(limit=1000)
    assert [entry.entry_no for entry in entries] == list(range(76, 0, -1))
    for number in range(3):
        assert [entry.thing for entry in entries if entry.actor == f"w{number}"] == [
            f"{thing:016x}" for thing in range(24, -1, -1)
        ]
    assert list(audit.verify()) == []
