"""Parquet: every kind of column as the text that a person would write."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parcours.collect.parquet_file import ParquetRows
from parcours.errors import ParcoursError


def test_columns_become_text(tmp_path) -> None:
    moment = datetime(2026, 1, 5, 10, 0, 0, 250_000)
    table = pa.table(
        {
            "number": pa.array([1234567890123456.0, 1.5, 17.0]),
            "big": pa.array([2**53 + 1, 1, 2], pa.int64()),
            "local": pa.array([moment, None, moment], pa.timestamp("us")),
            "zoned": pa.array([moment.replace(tzinfo=UTC)] * 3, pa.timestamp("ns", "Europe/Paris")),
            "day": pa.array([date(2026, 1, 5)] * 3),
            "word": pa.array(["a", "b", "a"]).dictionary_encode(),
            "price": pa.array([Decimal("1.50")] * 3),
            "flag": [True, False, None],
            "who": [{"mail": "a@b.fr", "deep": {"x": 1}}, None, {"mail": None, "deep": {"x": 2}}],
            "list": [[1], [2], [3]],
        }
    )
    path = tmp_path / "x.parquet"
    pq.write_table(table, path)
    rows = ParquetRows(path)
    assert rows.columns == (*table.column_names[:8], "who.mail", "who.deep.x")
    (raw,) = rows.batches(rows.columns)
    found = {name: values.to_pylist() for name, values in raw.columns.items()}
    assert found["number"] == ["1234567890123456", "1.5", "17"]
    assert found["big"][0] == "9007199254740993"
    assert found["local"] == ["2026-01-05 10:00:00.250", None, "2026-01-05 10:00:00.250"]
    assert found["zoned"][0] == "2026-01-05 10:00:00.250Z"
    assert (found["day"][0], found["word"][1], found["price"][0]) == ("2026-01-05", "b", "1.50")
    assert (found["flag"], found["who.mail"]) == (["true", "false", None], ["a@b.fr", None, None])
    assert found["who.deep.x"] == ["1", None, "2"]
    assert raw.lines.tolist() == [1, 2, 3]
    assert b"a@b.fr" in raw.original(0)


@pytest.mark.parametrize("content", [b"PAR1 nonsense", b"a,b\n1,2\n"])
def test_what_is_no_parquet_is_told(tmp_path, content) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(ParcoursError) as caught:
        ParquetRows(path)
    assert caught.value.code == "file_unreadable"
