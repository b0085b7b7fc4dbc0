"""DuckDB answers steps over Parquet files, keeps nothing, and explains what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from parcours.engine.sql.duckdb import DuckDB
from parcours.engine.sql.step import STEPS, Step, Table
from parcours.errors import ParcoursError


@pytest.fixture(autouse=True)
def forget_steps() -> Iterator[None]:
    """Leave the registry as it was, so that the contract suite never meets these."""
    before = dict(STEPS)
    yield
    STEPS.clear()
    STEPS.update(before)


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, Table]:
    """One table in two files, of which the second lacks two columns, in a folder with an awkward name."""
    folder = tmp_path / "l'été 100% (a)"
    folder.mkdir()
    pq.write_table(
        pa.table({"no": pa.array([1, 2, 3], pa.int16()), "s": ["a", None, "z\\b"], "extra": [1, 2, 3]}),
        folder / "0.parquet",
    )
    pq.write_table(pa.table({"no": pa.array([4], pa.int64())}), folder / "1.parquet")
    columns = {"no": "int", "s": "text", "x": "float"}
    return {"t": Table("t", (folder / "0.parquet", folder / "1.parquet"), columns)}  # type: ignore[arg-type]


ALL = {"text": "select no, s, x from t order by no", "reads": ("t",), "gives": {"no": "int", "s": "text", "x": "float"}}
NARROW = {
    "text": "select cast(no as smallint) as small, cast(no as integer) as middle, sum(no) as wide from t group by no"
    " order by no desc",
    "reads": ("t",),
    "gives": {"small": "int", "middle": "int", "wide": "int"},
}


def test_a_column_that_files_lack_is_null_of_its_kind(tables: dict[str, Table]) -> None:
    answer = DuckDB(200, 1).run(Step(name="all", **ALL), tables)  # type: ignore[arg-type]
    assert answer.schema == pa.schema([("no", pa.int64()), ("s", pa.string()), ("x", pa.float64())])
    assert answer.column("no").to_pylist() == [1, 2, 3, 4]
    assert answer.column("s").to_pylist() == ["a", None, "z\\b", None]
    assert answer.column("x").null_count == 4


def test_a_table_without_files_is_empty_with_its_columns(tables: dict[str, Table]) -> None:
    empty = Table("t", (), tables["t"].columns)
    answer = DuckDB(200, 1).run(Step(name="all", **ALL), {"t": empty})  # type: ignore[arg-type]
    assert (answer.num_rows, answer.column_names) == (0, ["no", "s", "x"])


def test_a_file_keeps_the_order_and_the_widths_of_the_step(tables: dict[str, Table], tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    rows = DuckDB(200, 1).write(Step(name="narrow", **NARROW), tables, path)  # type: ignore[arg-type]
    written = pq.read_table(path)
    assert rows == written.num_rows == 4
    assert [field.type for field in written.schema] == [pa.int16(), pa.int32(), pa.int64()]
    assert written.column("small").to_pylist() == [4, 3, 2, 1]


def test_parameters_of_every_kind_are_passed(tables: dict[str, Table]) -> None:
    step = Step(
        name="parameters",
        text="select no from t where s in $words or no in $nos or no = $no or no in $none order by no limit $most",
        reads=("t",),
        gives={"no": "int"},
        sample={"words": ("a",), "nos": (1,), "no": 1, "none": (), "most": 3},
    )
    answer = DuckDB(200, 1).run(step, tables, words=("z\\b", "'; drop"), nos=(1, 99), no=4, none=(), most=2)
    assert answer.column("no").to_pylist() == [1, 3]


def test_a_missing_parameter_or_table_or_file_is_named(tables: dict[str, Table], tmp_path: Path) -> None:
    engine = DuckDB(200, 1)
    step = Step(name="one", text="select $x as v from t", reads=("t",), gives={"v": "int"}, sample={"x": 1})
    with pytest.raises(ParcoursError, match=r"parameter_missing"):
        engine.run(step, tables)
    with pytest.raises(ParcoursError, match=r"table_missing"):
        engine.run(step, {}, x=1)
    with pytest.raises(ParcoursError, match=r"gone\.parquet"):
        engine.run(step, {"t": Table("t", (tmp_path / "gone.parquet",), tables["t"].columns)}, x=1)


def test_a_failing_step_shows_its_name_and_its_whole_sql(tables: dict[str, Table]) -> None:
    step = Step(name="wrong_column", text="select nowhere from t", reads=("t",), gives={"nowhere": "int"})
    with pytest.raises(ParcoursError) as caught:
        DuckDB(200, 1).run(step, tables)
    assert caught.value.code == "step_failed"
    assert "wrong_column" in str(caught.value)
    assert "SELECT nowhere FROM t" in str(caught.value)


def test_a_fraction_declared_int_is_refused(tables: dict[str, Table]) -> None:
    step = Step(name="fraction", text="select avg(no) as v from t", reads=("t",), gives={"v": "int"})
    with pytest.raises(ParcoursError, match=r"step_failed"):
        DuckDB(200, 1).run(step, tables)


def test_too_little_memory_and_a_full_disk_are_told_apart(tmp_path: Path) -> None:
    numbers = pa.table({"no": pa.array(range(300_000), pa.int64())})
    pq.write_table(numbers, tmp_path / "n.parquet")
    table = {"t": Table("t", (tmp_path / "n.parquet",), {"no": "int"})}
    step = Step(
        name="greedy",
        text="select count(*) as n from (select distinct a.no * 1000 + b.no as v from t a join t b on b.no < 9)",
        reads=("t",),
        gives={"n": "int"},
    )
    with pytest.raises(ParcoursError, match=r"memory_mb"):
        DuckDB(8, 1).run(step, table)
    full = tmp_path / "full.parquet"
    full.symlink_to("/dev/full")
    whole = Step(name="whole", text="select no from t", reads=("t",), gives={"no": "int"})
    with pytest.raises(ParcoursError, match=r"disk_full"):
        DuckDB(200, 1).write(whole, table, full)
    assert not full.is_symlink()


def test_the_spill_folder_goes_with_the_engine(tmp_path: Path) -> None:
    engine = DuckDB(200, 1, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    del engine
    assert list(tmp_path.iterdir()) == []
