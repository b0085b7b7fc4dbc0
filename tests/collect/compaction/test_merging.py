"""Merging: the same rows in fewer files, whatever happens in between."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect.compaction import merging, seen
from parcours.collect.compaction.merging import keep_compact, level_of, plan_merges
from parcours.engine.store import parts as store
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import Part, read_part, verified, write_part
from parcours.errors import ParcoursError


def rows(numbers: list[int], bucket: int = 0, **columns: Any) -> pa.Table:
    return pa.table(
        {
            "event_no": pa.array(numbers, pa.int64()),
            "occurred_ms": pa.array([1000 - number for number in numbers], pa.int64()),
            "bucket": pa.array([bucket] * len(numbers), pa.int8()),
            **columns,
        }
    )


def held(folder: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Return every row in force by event number, without its nulls: an absent column says the same."""
    found = [row for part in manifest.parts() for row in read_part(folder, part).to_pylist()]
    found = [{name: repr(value) for name, value in row.items() if value is not None} for row in found]
    return sorted(found, key=lambda row: int(row["event_no"]))


def check_order(folder: Path, manifest: Manifest) -> None:
    for part, path in zip(manifest.parts(), verified(folder, manifest.parts()), strict=True):
        numbers = np.asarray(pq.read_table(path, columns=["event_no"]).column(0))
        assert (np.diff(numbers) > 0).all()
        assert (part.rows, part.first_event_no, part.last_event_no) == (len(numbers), numbers[0], numbers[-1])
        times = np.asarray(pq.read_table(path, columns=["occurred_ms"]).column(0))
        assert (part.min_ms, part.max_ms) == (times.min(), times.max())


COLUMNS = st.sampled_from([(), ("field_site",), ("field_amount", "object_order"), ("field_site", "field_amount")])
PIECES = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 1), COLUMNS), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(pieces=PIECES, interleaved=st.booleans(), group=st.sampled_from([3, 1000]), batch=st.sampled_from([1, 2, 64]))
def test_merged_parts_hold_the_same_rows_in_order(tmp_path_factory, pieces, interleaved, group, batch) -> None:
    folder = tmp_path_factory.mktemp("merging")
    manifest = Manifest(folder)
    total = sum(size for size, _, _ in pieces)
    numbers = np.random.default_rng(total).permutation(total) if interleaved else np.arange(total)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "FAN_OUT", 2)
        patch.setattr(merging, "ROW_GROUP_ROWS", group)
        patch.setattr(merging, "_BATCH_ROWS", batch)
        for size, bucket, columns in pieces:
            mine, numbers = numbers[:size].tolist(), numbers[size:]
            made = {
                "field_site": pa.array([None if n % 3 else f"S{n}" for n in mine], pa.string()),
                "field_amount": pa.array(
                    [math.nan if n % 4 == 1 else None if n % 4 else -0.0 for n in mine], pa.float64()
                ),
                "object_order": pa.array(mine, pa.int64()),
            }
            table = rows(mine, bucket, **{name: made[name] for name in columns})
            manifest.commit(add=write_part(folder, table, "log"))
        before, version = held(folder, manifest), manifest.version
        keep_compact(folder, manifest)
    assert held(folder, manifest) == before
    assert manifest.version == version
    check_order(folder, manifest)
    levels = [(part.bucket, level_of(part)) for part in manifest.parts()]
    assert len(levels) == len(set(levels))
    assert {path.name for path in (folder / ".parcours/parts").iterdir()} == {
        Path(part.path).name for part in manifest.parts()
    }


def test_files_stay_few_and_a_row_is_written_once_a_level(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    written = most = 0
    for number in range(150):
        manifest.commit(add=write_part(tmp_path, rows([2 * number, 2 * number + 1]), "log"))
        written += keep_compact(tmp_path, manifest).rows
        most = max(most, len(manifest.parts()))
    levels = math.ceil(math.log(150, merging.FAN_OUT))
    assert most <= (merging.FAN_OUT - 1) * levels
    assert written <= 300 * (levels - 1)
    assert sorted(part.level for part in manifest.parts()) == [0] * 6 + [1] * 2 + [2] * 2


def test_sources_buckets_and_levels_stay_apart_and_full_parts_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(merging, "MOST_ROWS", 10)

    def plans(*parts: Part) -> list[list[str]]:
        monkeypatch.setattr(merging, "_part_by_types", lambda folder, group, faults: [group])
        return [[part.path for part in plan] for plan in plan_merges(tmp_path, parts)[0]]

    def part(number: int, source: str = "log", bucket: int = 0, level: int = 0, rows: int = 1) -> Part:
        return Part(str(number), rows, 9, "", number, number, source, bucket, 0, 0, level)

    assert plans(*[part(n, bucket=n % 2) for n in range(14)]) == []
    assert plans(*[part(n, source=f"s{n % 2}") for n in range(14)]) == []
    assert plans(*[part(n, level=n % 2) for n in range(14)]) == []
    assert plans(*[part(n, rows=10) for n in range(14)]) == []
    assert plans(*[part(n) for n in reversed(range(9))]) == [[str(n) for n in range(8)]]
    many = [part(n, rows=9) for n in range(8)], [part(n, "other") for n in range(10, 18)]
    assert [len(plan[0]) for plan in plans(*many[0], *many[1])] == [2, 1]


def test_a_large_part_is_of_a_higher_level_however_it_came_to_be() -> None:
    sizes = [1, 32_768, 32_769, 262_144, 262_145]
    assert [level_of(Part("", size, 0, "", 0, 0, "", 0, 0, 0)) for size in sizes] == [0, 0, 1, 1, 2]
    assert level_of(Part("", 5, 0, "", 0, 0, "", 0, 0, 0, 3)) == 3


def test_a_field_that_became_another_kind_keeps_its_parts_apart(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    for number in range(20):
        kind = pa.float64() if number % 2 else pa.string()
        manifest.commit(add=write_part(tmp_path, rows([number], field_x=pa.array([None], kind)), "log"))
    before = held(tmp_path, manifest)
    assert keep_compact(tmp_path, manifest).merges == 2
    assert held(tmp_path, manifest) == before
    assert sorted(part.rows for part in manifest.parts()) == [1] * 4 + [8] * 2


def test_a_damaged_part_is_named_and_holds_nobody_up(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    for number in range(9):
        manifest.commit(add=write_part(tmp_path, rows([number]), "log"))
    damaged = tmp_path / ".parcours" / manifest.parts()[3].path
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-9] + b"\x01" + content[-8:])
    done = keep_compact(tmp_path, manifest)
    assert (done.merges, [str(fault) for fault in done.faults]) == (1, [str(store.part_damaged(damaged))])
    assert sorted(part.rows for part in manifest.parts()) == [1, 8]
    assert damaged.exists()


@pytest.mark.parametrize("moment", ["written", "compared", "committed"])
def test_a_merge_that_breaks_off_changes_nothing(tmp_path, monkeypatch, moment) -> None:
    manifest = Manifest(tmp_path)
    for number in range(8):
        manifest.commit(add=write_part(tmp_path, rows([number]), "log"))
    before = held(tmp_path, manifest), manifest.parts()
    place = {
        "written": (store, "describe"),
        "compared": (merging, "_holds_the_same"),
        "committed": (manifest, "commit"),
    }

    def breaks(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*place[moment], breaks)
        with pytest.raises(KeyboardInterrupt):
            keep_compact(tmp_path, manifest)
    assert (held(tmp_path, manifest), manifest.parts()) == before
    assert keep_compact(tmp_path, manifest).merges == 1
    assert held(tmp_path, manifest) == before[0]


def test_a_part_that_does_not_hold_the_same_never_comes_in_force(tmp_path, monkeypatch) -> None:
    manifest = Manifest(tmp_path)
    for number in range(8):
        manifest.commit(add=write_part(tmp_path, rows([number]), "log"))
    before = manifest.parts()
    monkeypatch.setattr(merging, "write_pieces", lambda *_: write_part(tmp_path, rows([1, 2]), "log")[0])
    with pytest.raises(ParcoursError) as caught:
        keep_compact(tmp_path, manifest)
    assert caught.value.code == "part_damaged"
    assert manifest.parts() == before
    assert len(list((tmp_path / ".parcours/parts").iterdir())) == 8


def test_a_reader_goes_on_reading_what_was_merged_away(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    for number in range(8):
        manifest.commit(add=write_part(tmp_path, rows([number]), "log"))
    with manifest.lease():
        parts = manifest.parts()
        keep_compact(tmp_path, manifest)
        assert [read_part(tmp_path, part).num_rows for part in parts] == [1] * 8
    keep_compact(tmp_path, manifest)
    assert len(list((tmp_path / ".parcours/parts").iterdir())) == 1


def test_seen_ids_are_merged_along_and_damaged_ones_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(seen, "FAN_OUT", 2)
    manifest = Manifest(tmp_path)

    def see(number: int) -> None:
        column = np.array([number])
        manifest.commit(add_seen=seen.Seen(tmp_path, manifest.seen_runs()).write(column, column, column))

    see(1)
    see(2)
    assert keep_compact(tmp_path, manifest).merges == 1
    (run,) = manifest.seen_runs()
    assert (run.rows, run.level) == (2, 1)
    for number in range(3, 5):
        see(number)
    path = tmp_path / ".parcours" / manifest.seen_runs()[-1].path
    path.write_bytes(path.read_bytes()[:-1])
    assert [fault.code for fault in keep_compact(tmp_path, manifest).faults] == ["seen_damaged"]
    assert keep_compact(tmp_path, manifest, stopping=lambda: True).merges == 0
