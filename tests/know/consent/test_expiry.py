"""Tests of expiry: a consent ends by itself, stating it again does not renew it, and making it anew does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.consent.ledger import GRANTED, NOTHING, REFUSED

from .stating import DAY_MS, EXAMPLES, open_ledger, recorded, state

HOLDS = {0: 3 * DAY_MS}


def at(day: int) -> int:
    return day * DAY_MS + 1


@pytest.mark.parametrize(("day", "expected"), [(1, GRANTED), (4, GRANTED), (5, REFUSED)])
def test_a_consent_holds_so_many_whole_days(tmp_path: Path, day: int, expected: int) -> None:
    ledger = open_ledger(tmp_path, HOLDS, lambda: at(day))
    for purpose in (0, 1):
        state(ledger, 1, at(1), purpose=purpose)
    assert recorded(ledger, 1, 2) == [expected, NOTHING]
    ledger.settle(at(1))
    assert recorded(open_ledger(tmp_path, HOLDS, lambda: at(day)), 1) == [expected]
    # A purpose without a term holds until somebody takes it back.
    assert recorded(ledger, 1, purpose=1) == [GRANTED]


def test_stating_it_again_does_not_renew_it(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, HOLDS, lambda: at(6))
    for day in (1, 2, 3, 4, 5):
        state(ledger, 1, at(day))
        ledger.settle(at(day))
    assert recorded(ledger, 1) == [REFUSED]
    assert recorded(open_ledger(tmp_path, HOLDS, lambda: at(6)), 1) == [REFUSED]


def test_a_signal_that_tells_of_a_new_choice_renews_it(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, HOLDS, lambda: at(6))
    state(ledger, 1, at(1))
    ledger.settle(at(1))
    # Within the hours in which the same choice is not recorded again.
    state(ledger, 1, at(1) + 10, made_ms=at(1) + 5)
    ledger.settle(at(1) + 10)
    assert ledger.catch_up() == 2
    state(ledger, 1, at(5), made_ms=at(5) - 10)
    ledger.settle(at(5))
    assert recorded(open_ledger(tmp_path, HOLDS, lambda: at(6)), 1) == [GRANTED]


def test_a_signal_cannot_tell_of_tomorrow(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, HOLDS, lambda: at(9))
    state(ledger, 1, at(1), made_ms=at(100))
    assert recorded(ledger, 1) == [REFUSED]


def test_a_consent_after_a_refusal_is_a_new_one(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path, HOLDS, lambda: at(6))
    for day, choice in ((1, GRANTED), (4, REFUSED), (5, GRANTED)):
        state(ledger, 1, at(day), choice)
    assert recorded(ledger, 1) == [GRANTED]
    ledger.settle(at(5))
    assert recorded(open_ledger(tmp_path, HOLDS, lambda: at(6)), 1) == [GRANTED]


def test_the_version_changes_when_a_consent_ends(tmp_path: Path) -> None:
    day = 1
    ledger = open_ledger(tmp_path, HOLDS, lambda: at(day))
    state(ledger, 1, at(1))
    ledger.settle(at(1))
    before = ledger.version()
    day = 4
    assert ledger.version() == before
    day = 5
    assert ledger.version() != before


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=12),
    st.integers(0, 12),
)
def test_a_consent_holds_from_the_first_statement_of_its_run(
    tmp_path_factory: pytest.TempPathFactory, told: list[tuple[int, int, int, bool]], later: int
) -> None:
    folder, day = tmp_path_factory.mktemp("ledger"), 1
    latest: dict[int, tuple[int, int]] = {}
    ledger = open_ledger(folder, HOLDS, lambda: at(day))
    for choice, principal, days, settles in told:
        day += days
        state(ledger, principal, at(day), choice)
        before, made = latest.get(principal, (NOTHING, 0))
        latest[principal] = choice, made if before == choice else day
        if settles:
            ledger.settle(at(day))
    ledger.settle(at(day))
    day += later
    expected = [
        NOTHING if held is None else GRANTED if held[0] == GRANTED and day - held[1] <= 3 else REFUSED
        for held in map(latest.get, range(3))
    ]
    for one in (ledger, open_ledger(folder, HOLDS, lambda: at(day))):
        assert recorded(one, 0, 1, 2) == expected
