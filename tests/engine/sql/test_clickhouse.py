"""ClickHouse answers behind the same two methods, and says so when it is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parcours.engine.sql.engines import open_engine
from parcours.engine.sql.step import STEPS, Engine, Step, Table
from parcours.errors import ParcoursError


@pytest.fixture(autouse=True)
def forget_steps() -> Iterator[None]:
    """Leave the registry as it was, so that the contract suite never meets these."""
    before = dict(STEPS)
    yield
    STEPS.clear()
    STEPS.update(before)


@pytest.fixture
def engine() -> Engine:
    """ClickHouse in this process."""
    pytest.importorskip("chdb", reason="the extra clickhouse is not installed")
    return open_engine("clickhouse", 500, 2)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    """One table in two folders and three files, with a narrow column, of which one file lacks the text."""
    paths = []
    for name, rows in (
        ("a/0", {"no": [1], "s": ["l'été"]}),
        ("a/1", {"no": [2]}),
        ("b (c)/2", {"no": [3], "s": ["x"]}),
    ):
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table(rows).cast(pa.schema([("no", pa.int16()), ("s", pa.string())][: len(rows)])), path)
        paths.append(path)
    return Table("t", tuple(paths), {"no": "int", "s": "text", "x": "float"})


def test_files_of_several_folders_are_read_as_one(engine: Engine, table: Table) -> None:
    step = Step(
        name="all",
        text="select no, s, x from t order by no desc",
        reads=("t",),
        gives={"no": "int", "s": "text", "x": "float"},
    )
    answer = engine.run(step, {"t": table})
    assert answer.schema == pa.schema([("no", pa.int64()), ("s", pa.string()), ("x", pa.float64())])
    assert answer.to_pylist() == [
        {"no": 3, "s": "x", "x": None},
        {"no": 2, "s": None, "x": None},
        {"no": 1, "s": "l'été", "x": None},
    ]


def test_a_file_keeps_the_order_and_the_widths_of_the_step(engine: Engine, table: Table, tmp_path: Path) -> None:
    step = Step(
        name="narrow",
        text="select cast(no as smallint) as small, no from t order by no desc",
        reads=("t",),
        gives={"small": "int", "no": "int"},
    )
    assert engine.write(step, {"t": table}, tmp_path / "out.parquet") == 3
    written = pq.read_table(tmp_path / "out.parquet")
    assert [field.type for field in written.schema] == [pa.int16(), pa.int64()]
    assert written.column("no").to_pylist() == [3, 2, 1]


def test_a_failing_step_shows_its_name_and_its_whole_sql(engine: Engine, table: Table) -> None:
    step = Step(name="wrong_column", text="select nowhere from t", reads=("t",), gives={"nowhere": "int"})
    with pytest.raises(ParcoursError) as caught:
        engine.run(step, {"t": table})
    assert caught.value.code == "step_failed"
    assert "wrong_column" in str(caught.value)
    assert "SELECT nowhere FROM t" in str(caught.value)


def test_a_path_that_would_be_a_pattern_is_refused(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "all*.parquet"
    pq.write_table(pa.table({"no": [1]}), path)
    step = Step(name="one", text="select no from t", reads=("t",), gives={"no": "int"})
    with pytest.raises(ParcoursError, match=r"path_is_a_pattern"):
        engine.run(step, {"t": Table("t", (path,), {"no": "int"})})


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "chdb", None)
    with pytest.raises(ParcoursError, match=r"parcours\[clickhouse\]"):
        open_engine("clickhouse", 500, 2)
