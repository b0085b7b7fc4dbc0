"""Parts without some of their rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from parcours.engine.store.parts import read_part, write_part
from parcours.engine.store.rewriting import among, by, leave_out


def test_only_parts_that_lose_rows_are_written_again(tmp_path) -> None:
    rows = pa.table(
        {
            "event_no": pa.array(range(6), pa.int64()),
            "row_key": pa.array([10, 11, 12, 13, 14, 15], pa.int64()),
            "occurred_ms": pa.array(range(6), pa.int64()),
            "bucket": pa.array([0, 0, 1, 1, 2, 2], pa.int8()),
        }
    )
    parts = write_part(tmp_path, rows, "orders")
    left: list[int] = []
    leaving = by("row_key", among(np.array([11, 14, 15])))
    found = leave_out(tmp_path, parts, ["row_key"], leaving, lambda rows: left.extend(rows.column(3).to_pylist()))
    assert left == [0, 2, 2]
    assert found.remove == [parts[0], parts[2]]
    assert [read_part(tmp_path, part).column("row_key").to_pylist() for part in found.add] == [[10]]
    assert sorted(np.concatenate(found.event_nos).tolist()) == [1, 4, 5]
    assert read_part(tmp_path, parts[0]).num_rows == 2
    assert (found.add[0].source, found.add[0].bucket, found.add[0].rows) == ("orders", 0, 1)


def test_nothing_is_among_nothing() -> None:
    assert among(np.empty(0, np.int64))(np.array([1, 2])).tolist() == [False, False]
