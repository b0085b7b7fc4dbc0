"""Known rows: what a log of rows comes to, against the same rules written for people."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect import known
from parcours.collect.known import LOGGED, NONE_KNOWN, KnownWriter, RowLog, open_known, settle_rows
from parcours.errors import ParcoursError

BIG = 1 << 60
ROWS = st.lists(st.tuples(st.sampled_from([1, 2, 3, BIG, 3 * BIG]), st.integers(1, 3)), max_size=12)


def log_of(folder: Path, rows, before: dict[int, int]) -> RowLog:
    log = RowLog(folder)
    for place, (key, content) in enumerate(rows):
        piece = np.zeros(1, LOGGED)
        admitted = before.get(key) != content
        piece[0] = (key, content, 100 + 2 * place if admitted else 0, 2 if admitted else 0, 0, admitted)
        log.append(piece)
    return log


def by_hand(rows, before: dict[int, int]):
    """Return new, replaced, unchanged, the event numbers to drop, and what is known at the end."""
    last = dict(rows)
    final = {key: place for place, (key, _) in enumerate(rows)}
    counts = [0, 0, 0]
    dropped = []
    for place, (key, content) in enumerate(rows):
        if final[key] == place:
            kind = 0 if key not in before else (2 if before[key] == content else 1)
        else:
            kind = 2 if content == last[key] else 1
            if before.get(key) != content:
                dropped += [100 + 2 * place, 101 + 2 * place]
        counts[kind] += 1
    return (*counts, sorted(dropped), {**before, **last})


@settings(max_examples=40, deadline=None)
@given(first=ROWS, second=ROWS, memory=st.sampled_from([2, 100]))
def test_a_log_comes_to_what_the_rules_say(first, second, memory) -> None:
    usual, known._MEMORY_ROWS = known._MEMORY_ROWS, memory
    try:
        with tempfile.TemporaryDirectory() as place:
            folder, before, register = Path(place), {}, None
            for rows in (first, second):
                there = open_known(folder, register)
                with log_of(folder, rows, before) as log:
                    found = settle_rows(log, there, None, KnownWriter(folder, "s"))
                new, replaced, unchanged, dropped, after = by_hand(rows, before)
                counts = [one.get(0, 0) for one in (found.new, found.replaced, found.unchanged)]
                assert counts == [new, replaced, unchanged]
                assert sorted(found.superseded.tolist()) == dropped
                changed = {key for key, _ in rows if key not in before or before[key] != after[key]}
                assert set(found.renewed_keys.tolist()) == changed
                register, before = found.known, after
                now = open_known(folder, register)
                assert dict(zip(now.keys.tolist(), now.hashes.tolist(), strict=True)) == after
                assert now.keys.tolist() == sorted(after)
            assert {path.suffix for path in (folder / ".parcours" / "known").iterdir()} <= {".rows"}
    finally:
        known._MEMORY_ROWS = usual


def test_a_damaged_register_is_named(tmp_path) -> None:
    with log_of(tmp_path, [(1, 1), (2, 2)], {}) as log:
        register = settle_rows(log, NONE_KNOWN, None, KnownWriter(tmp_path, "s")).known
    path = tmp_path / ".parcours" / register.path
    data = bytearray(path.read_bytes())
    data[3] ^= 1
    path.write_bytes(data)
    with pytest.raises(ParcoursError) as caught:
        open_known(tmp_path, register)
    assert caught.value.code == "known_rows_damaged"
    path.unlink()
    with pytest.raises(ParcoursError):
        open_known(tmp_path, register)
