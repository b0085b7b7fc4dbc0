"""How the firm's systems export: what is read back is what was written, and a flaw is a row of its own."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from parcours.simulate import exports
from parcours.simulate.exports import Export, Flaw, write_export

TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["C"])), min_size=1, max_size=20)


@given(texts=TEXTS, number=st.floats(allow_nan=False, allow_infinity=False))
def test_json_lines_read_back_as_they_were(tmp_path_factory, texts, number) -> None:
    folder = tmp_path_factory.mktemp("jsonl")
    columns = {"key": pa.array(range(len(texts))), "text": pa.array(texts, pa.string())}
    columns["number"] = pa.array([number] * len(texts))
    write_export(Export(file="x.jsonl.gz", columns=columns), folder)
    rows = [json.loads(line) for line in gzip.decompress((folder / "data/x.jsonl.gz").read_bytes()).split(b"\n")[:-1]]
    assert [row["text"] for row in rows] == texts
    assert all(float(row["number"]) == number for row in rows)


def test_french_csv_has_semicolons_decimal_commas_and_its_own_encoding(tmp_path: Path) -> None:
    columns = {"clé": pa.array(["K1", "K2"]), "magasin": pa.array(["Nîmes", None]), "délai": pa.array([1.25, 3.0])}
    assert write_export(Export(file="x.csv.gz", columns=columns, encoding="cp1252"), tmp_path) == 2
    text = gzip.decompress((tmp_path / "data/x.csv.gz").read_bytes()).decode("cp1252")
    assert text == "clé;magasin;délai\nK1;Nîmes;1,25\nK2;;3\n"


def test_a_flaw_is_one_more_row_under_its_own_key(tmp_path: Path) -> None:
    columns = {"key": pa.array(["K1", "K2"]), "at": pa.array(["hier", "demain"])}
    flaws = (Flaw("at", "??", "bad_date"), Flaw("key", "", "missing_key"))
    assert write_export(Export(file="x.csv.gz", columns=columns, flaws=flaws), tmp_path) == 4
    text = gzip.decompress((tmp_path / "data/x.csv.gz").read_bytes()).decode()
    assert list(csv.reader(io.StringIO(text), delimiter=";"))[3:] == [["K1-1", "??"], ["", "demain"]]


def test_rows_written_in_slices_are_the_same_rows(tmp_path: Path, monkeypatch) -> None:
    columns = {"key": pa.array([str(n) for n in range(25)]), "value": pa.array(range(25))}
    write_export(Export(file="whole.jsonl.gz", columns=columns), tmp_path)
    monkeypatch.setattr(exports, "SLICE", 10)
    write_export(Export(file="sliced.jsonl.gz", columns=columns), tmp_path)
    whole, sliced = (gzip.decompress((tmp_path / f"data/{n}.jsonl.gz").read_bytes()) for n in ("whole", "sliced"))
    assert whole == sliced
    assert whole.count(b"\n") == 25


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    columns = {"key": pa.array([1, 2]), "site": pa.array(["Tours", None])}
    write_export(Export(file="x.parquet", columns=columns), tmp_path)
    assert pq.read_table(tmp_path / "data/x.parquet").to_pydict() == {"key": [1, 2], "site": ["Tours", None]}
