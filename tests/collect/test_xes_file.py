"""XES: one row an event, its trace beside it, and no entity ever unfolded."""

from __future__ import annotations

import gzip

import pytest

from parcours.collect import xes_file
from parcours.collect.xes_file import XesRows
from parcours.errors import ParcoursError

LOG = """<?xml version="1.0" encoding="UTF-8"?>
<log xmlns="http://www.xes-standard.org/">
  <global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
  <float key="meta" value="1"><float key="inner" value="2"/></float>
  <trace>
    <string key="concept:name" value="case 1"/>
    <event>
      <string key="concept:name" value="A"><string key="nested" value="no"/></string>
      <date key="time:timestamp" value="2012-01-01T10:00:00.000+01:00"/>
      <list key="tags"><values><string key="tag" value="no"/></values></list>
    </event>
    <event><string key="concept:name" value="B"/><int key="n" value="3"/></event>
    <int key="AMOUNT" value="500"/>
  </trace>
  <trace><string key="concept:name" value="case 2"/><event><string key="concept:name" value="C"/></event></trace>
</log>
"""


@pytest.mark.parametrize("block", [7, 1 << 20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_events_carry_their_trace_and_their_place_in_it(tmp_path, monkeypatch, block, pack) -> None:
    monkeypatch.setattr(xes_file, "BLOCK_BYTES", block)
    path = tmp_path / "log.xes"
    path.write_bytes(pack(LOG.encode()))
    rows = XesRows(path)
    assert set(rows.columns) == {
        "case:concept:name", "case:AMOUNT", "concept:name", "time:timestamp", "n", "event:index",
    }  # fmt: skip
    wanted = ("concept:name", "case:concept:name", "case:AMOUNT", "event:index", "n")
    (raw,) = rows.batches(wanted)
    assert list(zip(*(raw.columns[name].to_pylist() for name in wanted), strict=True)) == [
        ("A", "case 1", "500", "1", None),
        ("B", "case 1", "500", "2", "3"),
        ("C", "case 2", None, "1", None),
    ]
    assert raw.lines.tolist() == [7, 12, 15]


@pytest.mark.parametrize(
    "log",
    [
        '<!DOCTYPE log [<!ENTITY a "aaaa">]><log><trace/></log>',
        '<!DOCTYPE log SYSTEM "file:///etc/passwd"><log/>',
        "<log><trace><event></trace></log>",
        "<log><trace>",
        "not xml",
    ],
)
def test_entities_and_broken_logs_are_refused_with_their_line(tmp_path, log) -> None:
    path = tmp_path / "log.xes"
    path.write_text(log)
    with pytest.raises(ParcoursError) as caught:
        list(XesRows(path).batches(("concept:name",)))
    assert (caught.value.code, caught.value.faults[0].line) == ("file_unreadable", 1)
