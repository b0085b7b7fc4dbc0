"""Tests of the ledger: the latest statement counts, nothing is lost or doubled, and an altered line is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.consent.chain import Head, append
from parcours.know.consent.ledger import GRANTED, NOTHING, REFUSED, RESTATED_MS, WITHDRAWN, Ledger
from parcours.know.keys import open_keys
from parcours.know.state import open_state, tally_of
from parcours.settings import Settings

from .stating import EXAMPLES

Statement = tuple[int, int, int]
BATCHES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 1)), min_size=1, max_size=6),
        st.booleans(),
    ),
    max_size=6,
)


def open_ledger(folder: Path) -> Ledger:
    return Ledger(open_state(folder), open_keys(folder, Settings())[0])


def note(ledger: Ledger, purpose: int, statements: list[Statement]) -> None:
    table = np.array(statements, np.int64).reshape(-1, 3)
    numbers = np.arange(len(table), dtype=np.int64)
    ledger.note(purpose, table[:, 0], table[:, 2].astype(np.int8), table[:, 1], numbers)


@settings(max_examples=EXAMPLES, deadline=None)
@given(BATCHES)
def test_the_latest_statement_counts(batches: list[tuple[int, list[Statement], bool]]) -> None:
    latest: dict[tuple[int, int], tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        ledger = open_ledger(Path(scratch))
        for purpose, statements, settle in batches:
            note(ledger, purpose, statements)
            for person, at_ms, choice in statements:
                if at_ms >= latest.get((person, purpose), (-1, 0))[0]:
                    latest[person, purpose] = at_ms, choice
            if settle:
                ledger.settle(1)
            assert_stands(ledger, latest)
        ledger.settle(1)
        reopened = open_ledger(Path(scratch))
        reopened.catch_up()
        assert_stands(reopened, latest)


def assert_stands(ledger: Ledger, latest: dict[tuple[int, int], tuple[int, int]]) -> None:
    people = np.arange(3, dtype=np.int64)
    for purpose in (0, 1):
        expected = [latest.get((person, purpose), (0, NOTHING))[1] for person in range(3)]
        assert ledger.recorded(people, purpose).tolist() == expected


def test_a_redelivery_adds_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for _ in range(3):
        note(ledger, 0, [(5, 10, GRANTED), (5, 20, GRANTED), (6, 10, REFUSED)])
        ledger.settle(1)
    rows = open_state(tmp_path).execute("SELECT principal, occurred_ms, confirmed_ms, choice FROM consent ORDER BY 1")
    assert rows == [(5, 10, 20, GRANTED), (6, 10, 10, REFUSED)]


def test_what_is_stated_again_is_recorded_once_an_hour_or_a_day(tmp_path: Path) -> None:
    ledger, hour = open_ledger(tmp_path), 3_600_000
    for step in range(100):
        note(ledger, 0, [(5, 1 + step * hour // 2, GRANTED), (6, 1 + step * hour // 2, REFUSED)])
        ledger.settle(1)
    rows = open_state(tmp_path).execute("SELECT principal, confirmed_ms FROM consent ORDER BY 1, 2")
    lines = {who: [at for principal, at in rows if principal == who] for who in (5, 6)}
    assert len(lines[5]) == 3
    assert len(lines[6]) == 34, lines[6]
    # Another process knows the same choices, if not to the second.
    assert open_ledger(tmp_path).catch_up() == ledger.catch_up()


def test_what_was_stated_last_before_a_contrary_choice_is_recorded_with_it(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for at_ms in (10, 20, 30):
        note(ledger, 0, [(5, at_ms, REFUSED)])
        ledger.settle(1)
    # A consent that was given before comes late: the refusal of after it holds, also for whoever reads the ledger anew.
    note(ledger, 0, [(5, 25, GRANTED)])
    ledger.settle(2)
    for one in (ledger, open_ledger(tmp_path)):
        one.catch_up()
        assert one.recorded(np.array([5]), 0).tolist() == [REFUSED]


def test_what_another_process_appends_counts_at_the_next_look(tmp_path: Path) -> None:
    reader, writer = open_ledger(tmp_path), open_ledger(tmp_path)
    note(writer, 0, [(5, 10, GRANTED)])
    writer.settle(1)
    before = reader.catch_up()
    assert reader.recorded(np.array([5]), 0).tolist() == [GRANTED]
    note(writer, 0, [(5, 11, REFUSED)])
    writer.settle(2)
    assert reader.catch_up() > before
    assert reader.recorded(np.array([5]), 0).tolist() == [REFUSED]


@pytest.mark.parametrize("choice", [2, 7, -5])
def test_a_choice_that_nobody_knows_is_a_refusal(tmp_path: Path, choice: int) -> None:
    line = np.array([[5, 0, choice, 10, 10, 1, 1, 10, 0, 0, 0]], np.int64)
    state = open_state(tmp_path)
    with state.transaction():
        _, written = append(state, open_keys(tmp_path, Settings())[0].checks, Head(), line)
        tally_of(state, "consent").note(added=written)
    ledger = open_ledger(tmp_path)
    ledger.catch_up()
    assert ledger.recorded(np.array([5]), 0).tolist() == [REFUSED]


def test_a_refusal_behind_a_consent_is_a_withdrawal(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for at_ms, choice in ((10, GRANTED), (20, REFUSED), (30 + RESTATED_MS[REFUSED], REFUSED), (1 << 40, GRANTED)):
        note(ledger, 0, [(5, at_ms, choice), (6, at_ms, REFUSED)])
        ledger.settle(1)
    rows = open_state(tmp_path).execute("SELECT choice FROM consent WHERE principal = ? ORDER BY entry_no", (5,))
    assert [row[0] for row in rows] == [GRANTED, WITHDRAWN, WITHDRAWN, GRANTED]
    rows = open_state(tmp_path).execute("SELECT DISTINCT choice FROM consent WHERE principal = 6")
    assert rows == [(REFUSED,)]


def test_lines_that_were_rolled_back_are_forgotten(tmp_path: Path) -> None:
    state = open_state(tmp_path)
    ledger = Ledger(state, open_keys(tmp_path, Settings())[0])
    note(ledger, 0, [(5, 10, GRANTED)])
    ledger.settle(1)
    note(ledger, 0, [(6, 20, GRANTED)])

    def settle_and_fail() -> None:
        # The door settles inside a transaction of its own, which may fail after the ledger's part.
        with state.transaction():
            ledger.settle(2)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        settle_and_fail()
    ledger.abandon()
    assert ledger.catch_up() == 1
    assert ledger.recorded(np.array([5, 6]), 0).tolist() == [GRANTED, NOTHING]
    note(ledger, 0, [(7, 30, GRANTED)])
    ledger.settle(3)
    reopened = open_ledger(tmp_path)
    assert reopened.catch_up() == 2
    assert list(reopened.verify()) == []
    assert reopened.recorded(np.array([5, 6, 7]), 0).tolist() == [GRANTED, NOTHING, GRANTED]
