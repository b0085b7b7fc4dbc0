"""CSV files: what is good is read at speed, and each bad row is found with its line and its own bytes."""

from __future__ import annotations

import csv as stdlib_csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect import csv_file, csv_records
from parcours.collect.csv_file import CsvRows
from parcours.collect.source import Csv

WANTED = ("a", "b", "c")
CELL = st.text(st.sampled_from('ab ,;"\n\ré'), max_size=5)


def read(path: Path, content: bytes, csv: Csv | None = None) -> tuple[dict[int, list[str]], dict[int, str]]:
    path.write_bytes(content)
    good: dict[int, list[str]] = {}
    bad: dict[int, str] = {}
    for raw in CsvRows(path, csv or Csv(), WANTED).batches(WANTED):
        cells = zip(*(raw.columns[name].to_pylist() for name in WANTED), strict=True)
        good |= dict(zip(raw.lines.tolist(), map(list, cells), strict=True))
        bad |= {row.line: row.code for row in raw.bad}
    return good, bad


@settings(max_examples=150, deadline=None)
@given(rows=st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8), block=st.integers(1, 40))
def test_what_a_csv_writer_writes_is_what_is_read_whatever_the_size_of_the_blocks(
    rows, block, tmp_path_factory
) -> None:
    text = io.StringIO(newline="")
    writer = stdlib_csv.writer(text, quoting=stdlib_csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([WANTED, *rows])
    before = csv_file.BLOCK_BYTES
    csv_file.BLOCK_BYTES = block
    try:
        good, bad = read(tmp_path_factory.mktemp("csv") / "x.csv", text.getvalue().encode())
    finally:
        csv_file.BLOCK_BYTES = before
    assert (list(good.values()), bad) == (rows, {})


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"1,2", "ragged_row"),
        (b"1,2,3,4", "ragged_row"),
        (b'1,"open,3', "quote_unclosed"),
        (b'1,"shut"x,3', "quote_unclosed"),
        (b"1,\xe9,3", "not_utf8"),
        (b"1,\x00,3", "nul_byte"),
        (b"1," + b"x" * (csv_records.MOST_RECORD_BYTES + 1) + b",3", "row_too_large"),
    ],
)
@pytest.mark.parametrize("last", [b"6,7,8\n", b"", b'6,"7,\n8",9\n'])
def test_one_bad_row_costs_one_row(tmp_path, line, code, last) -> None:
    content = b"a,b,c\n0,1,2\n" + line + b"\n4,5,6\n" + last
    good, bad = read(tmp_path / "x.csv", content)
    assert bad == {3: code}
    assert list(good)[:2] == [2, 4]
    assert len(good) == 2 + bool(last)


def test_original_bytes_are_those_of_the_file_in_its_own_encoding(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("a;b;c\né;à;ü\nÉ;2\n".encode("cp1252"))
    (raw,) = CsvRows(path, Csv(encoding="cp1252"), WANTED).batches(WANTED)
    assert raw.original(0) == "é;à;ü".encode("cp1252")
    assert raw.bad[0].original == "É;2".encode("cp1252")
    assert raw.columns["c"].to_pylist() == ["ü"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_and_byte_order_marks(tmp_path, encoding) -> None:
    csv = Csv(encoding="utf-8" if encoding == "utf-8-sig" else encoding)
    good, bad = read(tmp_path / "x.csv", "a,b,c\né,2,3\n".encode(encoding), csv)
    assert (good, bad) == ({2: ["é", "2", "3"]}, {})


def test_a_byte_that_a_one_byte_encoding_does_not_know_costs_its_row(tmp_path) -> None:
    good, bad = read(tmp_path / "x.csv", b"a,b,c\n1,2,3\n1,\x81,3\n", Csv(encoding="cp1252"))
    assert (list(good), bad) == ([2], {3: "not_utf8"})


def test_lines_count_quoted_newlines_and_blank_lines(tmp_path) -> None:
    good, bad = read(tmp_path / "x.csv", b'a,b,c\r\n1,"x\r\ny",3\r\n\r\n\n4,5,6\r\n7,8\r\n')
    assert (good, bad) == ({2: ["1", "x\r\ny", "3"], 6: ["4", "5", "6"]}, {7: "ragged_row"})


def test_a_quote_inside_a_bare_field_is_a_letter(tmp_path) -> None:
    good, bad = read(tmp_path / "x.csv", b'a,b,c\n1,5" pipe,3\n4,"5",6\n')
    assert (list(good.values()), bad) == ([["1", '5" pipe', "3"], ["4", "5", "6"]], {})


def test_the_delimiter_is_the_one_that_gives_the_columns(tmp_path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a;b,x;c\n1;2,5;3\n")
    rows = CsvRows(path, Csv(), ("a", "c"))
    assert (rows.delimiter, rows.columns) == (";", ("a", "b,x", "c"))


def test_a_file_without_a_header_is_read_with_the_names_that_are_given(tmp_path) -> None:
    good, _ = read(tmp_path / "x.csv", b"1,2,3\n", Csv(header=WANTED))
    assert good == {1: ["1", "2", "3"]}


def test_an_unclosed_quote_does_not_swallow_a_long_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(csv_records, "MOST_RECORD_BYTES", 1 << 12)
    rows = b"".join(b"%d,x,y\n" % number for number in range(20_000))
    good, bad = read(tmp_path / "x.csv", b'a,b,c\n0,"open,2\n' + rows)
    assert (bad, len(good)) == ({2: "quote_unclosed"}, 20_000)


def test_a_line_without_end_is_passed_over_in_little_memory(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", 1 << 12)
    monkeypatch.setattr(csv_records, "MOST_RECORD_BYTES", 1 << 10)
    good, bad = read(tmp_path / "x.csv", b"a,b,c\n" + b"z" * (1 << 16) + b"\n1,2,3\n")
    assert (bad, good) == ({2: "row_too_large"}, {3: ["1", "2", "3"]})


@pytest.mark.parametrize("block", [1, 3, 1 << 20])
@pytest.mark.parametrize("beside", [b"", b'4,5"6,7"x"\n'])
def test_a_return_outside_quotes_costs_its_row_wherever_a_block_ends(tmp_path, monkeypatch, block, beside) -> None:
    monkeypatch.setattr(csv_file, "BLOCK_BYTES", block)
    content = b'a,b,c\r\n1,2,3\r\n\r\r\r\n\r\n1,\r2,3\n1,2\r4,5,6\n"1\r2",2,\r\n' + beside
    good, bad = read(tmp_path / "x.csv", content)
    assert {line: good[line] for line in (2, 7)} == {2: ["1", "2", "3"], 7: ["1\r2", "2", ""]}
    assert {line: code for line, code in bad.items() if line < 8} == dict.fromkeys((3, 5, 6), "stray_return")
