"""The ledger under any order of what befalls it: two processes, crashes and erasures, and always what a model says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.know.consent.ledger import NOTHING, Ledger
from parcours.know.consent.lines import PRINCIPAL

from .stating import EXAMPLES, open_ledger, recorded, state

PEOPLE = 3
EACH = 25
APART_MS = 25 * 3_600_000
"""So far apart every statement is recorded: nearer ones may be known to the process alone that heard them."""

ACTS = ("state", "state", "settle", "crash", "erase", "look")
STEPS = st.lists(
    st.tuples(st.sampled_from(ACTS), st.integers(0, 1), st.integers(0, PEOPLE - 1), st.integers(0, 1)), max_size=25
)
Told = dict[int, tuple[int, int]]


@settings(max_examples=EXAMPLES, deadline=None)
@given(STEPS)
def test_two_processes_crashes_and_erasures_end_where_a_model_does(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    processes = [open_ledger(folder), open_ledger(folder)]
    kept: Told = {}
    waiting: list[Told] = [{}, {}]
    for number, (step, process, person, choice) in enumerate(steps, 1):
        ledger, moment = processes[process], number * APART_MS
        if step == "state":
            state(ledger, person, moment, choice)
            waiting[process][person] = moment, choice
        elif step == "settle":
            ledger.settle(moment)
            kept = merge(kept, waiting[process])
            waiting[process] = {}
        elif step == "crash":
            processes[process] = open_ledger(folder)
            waiting[process] = {}
        elif step == "erase":
            # Who erases holds the company: what the other one noted and did not settle is cut short.
            processes[1 - process].abandon()
            waiting[1 - process] = {}
            ledger.erase(np.array([person], np.int64))
            kept.pop(person, None)
            waiting[process].pop(person, None)
        assert_stands(ledger if step != "crash" else processes[process], merge(kept, waiting[process]))
    reopened = open_ledger(folder)
    assert_stands(reopened, kept)
    assert list(reopened.verify()) == []
    assert {int(one) for one in reopened.lines_of(0)[:, PRINCIPAL]} == kept.keys()


def merge(kept: Told, waiting: Told) -> Told:
    """Return what stands after both: of each person the latest statement."""
    return {
        person: max(kept.get(person, (0, NOTHING)), waiting.get(person, (0, NOTHING)))
        for person in kept.keys() | waiting.keys()
    }


def assert_stands(ledger: Ledger, expected: Told) -> None:
    found = recorded(ledger, *range(PEOPLE))
    assert found == [expected.get(person, (0, NOTHING))[1] for person in range(PEOPLE)]


def test_many_who_record_at_once_make_one_chain(tmp_path: Path) -> None:
    open_ledger(tmp_path).catch_up()

    def record(who: int) -> None:
        ledger = open_ledger(tmp_path)
        for number in range(EACH):
            state(ledger, 100 * who + number, number + 1)
            ledger.settle(number + 1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, range(4)))
    ledger = open_ledger(tmp_path)
    assert ledger.catch_up() == 4 * EACH
    assert list(ledger.verify()) == []
    assert len(ledger.lines_of(0)) == 4 * EACH
