"""JSON lines: nested values by dotted names, and bad lines by their number."""

from __future__ import annotations

import gzip

import pytest

from parcours.collect import jsonl_file
from parcours.collect.jsonl_file import JsonlRows
from parcours.collect.rows import WHOLE_ROW
from parcours.errors import ParcoursError

LINES = (
    b'\xef\xbb\xbf{"id": 1, "at": "x", "who": {"mail": "a@b.fr"}}\n\n'
    b'{"id": "2", "ok": true, "amount": 1.5, "who.mail": "direct"}\n[1]\n{"id": 3\n'
    b'{"id": 4.0, "tags": ["a"], "who": "nobody"}'
)


@pytest.mark.parametrize("block", [5, 1 << 20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_values_become_text_and_bad_lines_are_named(tmp_path, monkeypatch, block, pack) -> None:
    monkeypatch.setattr(jsonl_file, "BLOCK_BYTES", block)
    path = tmp_path / "x.jsonl"
    path.write_bytes(pack(LINES))
    rows = JsonlRows(path)
    assert rows.columns == ("id", "at", "who.mail", "ok", "amount", "tags", "who")
    wanted = ("id", "who.mail", "ok", "amount", "tags", "absent")
    found, bad = {}, []
    for raw in rows.batches(wanted):
        cells = zip(*(raw.columns[name].to_pylist() for name in wanted), strict=True)
        found |= dict(zip(raw.lines.tolist(), cells, strict=True))
        bad += raw.bad
    assert found == {
        1: ("1", "a@b.fr", None, None, None, None),
        3: ("2", "direct", "true", "1.5", None, None),
        6: ("4", None, None, None, '["a"]', None),
    }
    assert [(row.line, row.code, row.original) for row in bad] == [
        (4, "not_an_object", b"[1]"),
        (5, "not_an_object", b'{"id": 3'),
    ]


def test_the_whole_row_is_a_column(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1, "b": 2}\n{"a": 1, "b": 3}\n')
    (raw,) = JsonlRows(path).batches(("a", WHOLE_ROW))
    assert raw.columns[WHOLE_ROW].to_pylist() == ['{"a": 1, "b": 2}', '{"a": 1, "b": 3}']
    assert raw.original(1) == b'{"a": 1, "b": 3}'


def test_a_line_that_is_not_utf8_is_bad(tmp_path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": "\xe9"}\n{"a": "\xc3\xa9"}\n')
    (raw,) = JsonlRows(path).batches(("a",))
    assert (raw.columns["a"].to_pylist(), [row.line for row in raw.bad]) == (["é"], [1])


@pytest.mark.parametrize("content", [b"[\n1,\n2]\n", b"nonsense", b"[" + b"{}," * 200])
def test_what_is_no_json_lines_is_told_and_not_put_aside_line_by_line(tmp_path, monkeypatch, content) -> None:
    monkeypatch.setattr(jsonl_file, "MOST_LINE_BYTES", 100)
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(ParcoursError) as caught:
        list(JsonlRows(path).batches(("a",)))
    assert caught.value.code == "file_unreadable"


def test_a_line_without_end_stops_the_reading_before_memory_does(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(jsonl_file, "MOST_LINE_BYTES", 100)
    monkeypatch.setattr(jsonl_file, "BLOCK_BYTES", 30)
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": "' + b"x" * 1000)
    with pytest.raises(ParcoursError) as caught:
        list(JsonlRows(path).batches(("a",)))
    assert caught.value.faults[0].line == 2
