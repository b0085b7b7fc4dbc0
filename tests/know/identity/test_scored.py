"""Tests of scored edges: each pair once, what was decided stays, and whatever was altered or lost is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.errors import ParcoursError
from parcours.know import verify
from parcours.know.identity.scored import ACCEPTED, REFUSED, WAITING, Scored
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.progress import Silent
from parcours.settings import Settings

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(-9000, 30000)), max_size=8)


def open_scored(folder: Path) -> Scored:
    return Scored(open_state(folder), open_keys(folder, Settings())[0])


def append(scored: Scored, pairs: list[tuple[int, int, int]], event_no: int = 1, standing: int = WAITING) -> int:
    table = np.array(pairs, np.int64).reshape(-1, 3)
    return scored.append(table[:, 0], table[:, 1], table[:, 2], 1, event_no, standing)


def lines(scored: Scored) -> list[tuple[int, ...]]:
    read = scored.read()
    columns = (read.event_no, read.one, read.other, read.weight_milli, read.standing)
    return [tuple(map(int, line)) for line in zip(*columns, strict=True)]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(PAIRS, st.sampled_from([WAITING, ACCEPTED])), max_size=4))
def test_each_pair_stands_once_and_what_was_accepted_stays(
    batches: list[tuple[list[tuple[int, int, int]], int]],
) -> None:
    expected: dict[tuple[int, int], tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        scored = open_scored(Path(scratch))
        for pairs, standing in batches:
            best: dict[tuple[int, int], int] = {}
            for one, other, weight in pairs:
                pair = min(one, other), max(one, other)
                if one != other:
                    best[pair] = max(weight, best.get(pair, weight))
            for pair, weight in best.items():
                if expected.get(pair, (0, WAITING))[1] == WAITING:
                    expected[pair] = weight, standing
            append(scored, pairs, standing=standing)
        found = {
            (one, other): (weight, standing) for _, one, other, weight, standing in lines(open_scored(Path(scratch)))
        }
    assert found == expected


def test_pairs_come_in_the_order_in_which_they_were_decided(tmp_path: Path) -> None:
    scored = open_scored(tmp_path)
    assert append(scored, [(9, 3, 100), (2, 8, 100)], event_no=5) == 2
    assert append(scored, [(3, 9, 900)], event_no=7, standing=ACCEPTED) == 1
    assert append(scored, [(3, 9, 100), (2, 8, 100)], event_no=9) == 0
    assert lines(scored) == [(5, 2, 8, 100, WAITING), (7, 3, 9, 900, ACCEPTED)]
    assert scored.settle(8, 2, ACCEPTED, event_no=11)
    assert lines(scored) == [(7, 3, 9, 900, ACCEPTED), (11, 2, 8, 100, ACCEPTED)]


def test_what_a_person_turned_down_is_not_asked_again(tmp_path: Path) -> None:
    scored = open_scored(tmp_path)
    append(scored, [(1, 2, 100)])
    assert scored.settle(2, 1, REFUSED)
    assert append(scored, [(1, 2, 30_000)], event_no=2, standing=ACCEPTED) == 0
    assert lines(scored) == [(1, 1, 2, 100, REFUSED)]
    assert not scored.settle(1, 3, ACCEPTED)


def test_whoever_is_forgotten_stands_in_no_pair(tmp_path: Path) -> None:
    scored = open_scored(tmp_path)
    append(scored, [(1, 2, 100), (3, 1, 100), (3, 4, 100)])
    assert scored.forget(np.array([1, 7])) == 2
    assert lines(scored) == [(1, 3, 4, 100, WAITING)]


def test_the_version_differs_whenever_the_pairs_do(tmp_path: Path) -> None:
    scored = open_scored(tmp_path)
    seen = [(scored.version(), lines(scored))]
    for change in (
        lambda: append(scored, [(1, 2, 100)]),
        lambda: append(scored, [(1, 2, 100)], event_no=2),
        lambda: append(scored, [(1, 2, 101)]),
        lambda: append(scored, [(3, 4, 101)]),
        lambda: scored.settle(1, 2, REFUSED),
        lambda: scored.forget(np.array([2])),
        lambda: append(scored, [(1, 2, 102)]),
    ):
        change()
        seen.append((scored.version(), lines(scored)))
    for version, pairs in seen:
        assert [other == version for other, _ in seen] == [other == pairs for _, other in seen]
    assert len({version for version, _ in seen}) == len(seen) - 1


@pytest.mark.parametrize("column", ["other", "event_no", "weight_milli", "model_no", "standing", "checksum"])
def test_an_altered_pair_is_named(tmp_path: Path, column: str) -> None:
    scored = open_scored(tmp_path)
    append(scored, [(1, 2, 100), (3, 4, 100)])
    open_state(tmp_path).execute(f"UPDATE scored SET {column} = {column} + 1 WHERE one = 3")
    with pytest.raises(ParcoursError, match=r"\(3, \d\)"):
        scored.read()
    named = [str(fault.sentence.en) for fault in verify(tmp_path, Settings(), Silent()).faults]
    assert named
    assert all("“scored”" in sentence for sentence in named)


def test_a_lost_pair_shows(tmp_path: Path) -> None:
    scored = open_scored(tmp_path)
    append(scored, [(1, 2, 100), (3, 4, 100)])
    open_state(tmp_path).execute("DELETE FROM scored WHERE one = 3")
    for ask in (scored.read, lambda: scored.settle(3, 4, ACCEPTED), lambda: append(scored, [(3, 4, 100)])):
        with pytest.raises(ParcoursError, match="row_damaged"):
            ask()
