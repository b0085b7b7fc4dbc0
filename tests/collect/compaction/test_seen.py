"""Seen ids: what a plain dictionary would say, over any order of calls, merges, restarts and crashes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect.compaction import seen as seen_module
from parcours.collect.compaction import seen_files
from parcours.collect.compaction.seen import CONFLICT, DUPLICATE, NEW, UNTIMED, Seen, days_of
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.retiring import remove_retired
from parcours.errors import ParcoursError

Event = tuple[int, int, int]


def columns(events: list[Event]) -> tuple[Any, Any, Any]:
    table = np.array(events, np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def judge(model: dict[tuple[int, int], int], events: list[Event]) -> list[int]:
    """Say what a dictionary says, and let it learn what is new."""
    verdicts = []
    for day, id, content in events:
        known = model.get((day, id))
        verdicts.append(NEW if known is None else DUPLICATE if known == content else CONFLICT)
        model.setdefault((day, id), content)
    return verdicts


class Register:
    """Seen ids as compaction keeps them: a manifest beside them, opened anew for every call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = Manifest(folder)

    def open(self) -> Seen:
        return Seen(self.folder, self.manifest.seen_runs())

    def take(self, events: list[Event], commit: bool = True) -> list[int]:
        seen = self.open()
        day, ids, contents = columns(events)
        verdicts = seen.sort_out(day, ids, contents)
        new = verdicts == NEW
        runs = seen.write(day[new], ids[new], contents[new])
        if commit:
            self.manifest.commit(add_seen=runs)
        return verdicts.tolist()

    def merge(self, resting_before: int | None = None, commit: bool = True) -> int:
        seen = self.open()
        plans = seen.plan_merges(resting_before)
        for group in plans:
            add, remove = seen.merge(group)
            if commit:
                self.manifest.commit(add_seen=add, remove_seen=remove, same_rows=True)
                seen = seen.extended(add, remove)
        if commit:
            assert remove_retired(self.folder, self.manifest) == 0
        return len(plans)


EVENTS = st.lists(st.tuples(st.integers(-1, 3), st.integers(-4, 12), st.integers(0, 2)), max_size=12)
CALLS = st.one_of(
    st.tuples(st.just("take"), EVENTS),
    st.tuples(st.just("take and die"), EVENTS),
    st.tuples(st.just("merge"), st.none() | st.integers(0, 4)),
    st.tuples(st.just("merge and die"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


@pytest.mark.parametrize(("fan_out", "own_rows"), [(2, 3), (3, 6), (2, 1000), (8, 1)])
@settings(max_examples=60, deadline=None)
@given(calls=st.lists(CALLS, max_size=14))
def test_it_says_what_a_dictionary_says(tmp_path_factory, fan_out, own_rows, calls) -> None:
    register = Register(tmp_path_factory.mktemp("seen"))
    model: dict[tuple[int, int], int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seen_module, "FAN_OUT", fan_out)
        patch.setattr(seen_module, "OWN_ROWS", own_rows)
        patch.setattr(seen_files, "_STEP_ROWS", 2)
        for what, told in calls:
            if what == "take":
                assert register.take(told) == judge(model, told)
            elif what == "take and die":  # Written and never committed: as if it had never been.
                assert register.take(told, commit=False) == judge(dict(model), told)
            elif what.startswith("merge"):
                register.merge(told, commit=what == "merge")
            else:
                register = Register(register.folder)
        everything = [(day, id, 0) for day in range(-1, 4) for id in range(-4, 13)]
        assert register.take(everything, commit=False) == judge(dict(model), everything)
    held = register.manifest.seen_runs()
    assert sum(run.rows for run in held) == len(model)
    on_disk = {path.name for path in (register.folder / ".parcours").glob("seen/*")}
    assert {run.path.removeprefix("seen/") for run in held} <= on_disk


def test_an_id_counts_a_day_alone_and_without_a_time_by_itself(tmp_path) -> None:
    register = Register(tmp_path)
    assert register.take([(5, 1, 7), (6, 1, 7), (UNTIMED, 1, 7), (5, 1, 7), (5, 1, 8)]) == [0, 0, 0, 1, 2]
    assert register.take([(UNTIMED, 1, 7), (UNTIMED, 1, 9), (7, 1, 7)]) == [1, 2, 0]
    assert days_of(np.array([-1, 0, 86_399_999, 86_400_000, -(10**12)])).tolist() == [-1, 0, 0, 1, -1]


def test_a_clock_that_jumps_about_makes_one_file_a_call(tmp_path) -> None:
    register = Register(tmp_path)
    for start in range(0, 1000, 100):
        register.take([(day, day, 0) for day in range(start, start + 100)])
    assert len(register.manifest.seen_runs()) == 10
    assert register.merge() == 1
    assert len(register.manifest.seen_runs()) == 3
    assert register.take([(day, day, 0) for day in range(1000)]) == [DUPLICATE] * 1000


def test_files_stay_few_and_an_id_is_written_once_a_level(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(seen_module, "OWN_ROWS", 40)
    register = Register(tmp_path)
    written = most = 0
    for call in range(512):
        register.take([(call // 128, 10_000 * call + number, 0) for number in range(50)])
        before = {run.path for run in register.manifest.seen_runs()}
        while register.merge():
            pass
        written += sum(run.rows for run in register.manifest.seen_runs() if run.path not in before)
        most = max(most, len(register.manifest.seen_runs()))
    # Four days of 128 calls: three levels of seven files at most each, and a day is written anew twice (8 and 64).
    assert most <= 4 * 7 * 3
    assert written <= 2 * 512 * 50
    assert {run.level for run in register.manifest.seen_runs()} == {2}
    register.merge(resting_before=4)
    assert len(register.manifest.seen_runs()) == 4
    assert register.merge(resting_before=4) == 0


def test_a_late_event_does_not_write_a_resting_day_anew(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(seen_module, "OWN_ROWS", 4)
    register = Register(tmp_path)
    register.take([(1, number, 0) for number in range(100)])
    register.take([(1, number, 0) for number in range(100, 105)])
    assert register.merge(resting_before=2) == 0
    register.take([(1, number, 0) for number in range(105, 120)])
    assert register.merge(resting_before=2) == 1


@pytest.mark.parametrize("harm", ["flipped", "cut", "gone", "longer"])
def test_a_damaged_file_is_named_and_nothing_is_answered(tmp_path, harm) -> None:
    register = Register(tmp_path)
    register.take([(5, number, 0) for number in range(50)])
    (path,) = (tmp_path / ".parcours" / "seen").iterdir()
    data = bytearray(path.read_bytes())
    if harm == "flipped":
        data[123] ^= 4
    path.write_bytes({"cut": data[:-8], "longer": data + b"\0"}.get(harm, data))
    os.utime(path, ns=(1, 1))
    if harm == "gone":
        path.unlink()
    with pytest.raises(ParcoursError) as caught:
        register.take([(5, 1, 0)])
    assert caught.value.code == "seen_damaged"
    assert path.name in str(caught.value)


def test_the_days_asked_about_choose_the_files(tmp_path) -> None:
    register = Register(tmp_path)
    register.take([(5, 1, 0)])
    register.take([(7, 1, 0), (9, 1, 0)])
    assert [(run.day, run.last_day) for run in register.manifest.seen_runs([6, 8])] == [(7, 9)]
    assert [run.day for run in register.manifest.seen_runs([5])] == [5]
    assert register.manifest.seen_runs([1]) == ()


def test_an_empty_call_writes_nothing(tmp_path) -> None:
    register = Register(tmp_path)
    assert register.take([]) == []
    assert register.manifest.seen_runs() == ()
