"""What was measured, kept: a changed byte makes it count as never measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.results import KEPT, RUN, RunReport, damaged, keep_run, recall_run

REPORT = RunReport(
    events=12, quarantined=0, customers=3, touchpoints=2, seconds=0.5, findings=(), sources=(), report="report.html",
    finished_ms=7,
)  # fmt: skip


def test_a_report_comes_back(tmp_path: Path) -> None:
    assert recall_run(tmp_path) is None
    keep_run(tmp_path, REPORT)
    assert recall_run(tmp_path) == REPORT
    assert damaged(tmp_path) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"events":12', b'"events":13'),
        (b'"fingerprint":""', b'"fingerprint":"a"'),
        (b"}}", b""),
        (b"report", b"rep\xffrt"),
    ],
)
def test_a_changed_report_is_none(tmp_path: Path, before: bytes, after: bytes) -> None:
    keep_run(tmp_path, REPORT)
    path = tmp_path / KEPT / RUN
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after, 1))
    assert recall_run(tmp_path) is None
    assert damaged(tmp_path) == [path]


def test_a_report_that_is_gone_is_told_and_one_that_never_was_is_not(tmp_path: Path) -> None:
    assert damaged(tmp_path) == []
    keep_run(tmp_path, REPORT)
    path = tmp_path / KEPT / RUN
    path.unlink()
    assert recall_run(tmp_path) is None
    assert damaged(tmp_path) == [path]
