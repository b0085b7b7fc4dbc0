"""What was measured, kept: a changed byte makes it count as never measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.measure.contract import Result
from parcours.results import (
    DAILY,
    KEPT,
    RUN,
    RunReport,
    damaged,
    keep_published,
    keep_run,
    recall_published,
    recall_run,
)
from parcours.words import Words

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


def result(by: str | None) -> Result:
    words = Words(fr="a", en="b")
    told = {"question": words, "unit": words, "definition": words, "method": words}
    return Result(
        measure="experience", by=by, period=None, n=12, columns=(), rows=({"n": 12},), sql="", purpose="p", **told
    )


def test_what_was_published_stays_until_its_day_is_over(tmp_path: Path) -> None:
    assert recall_published(tmp_path, "experience", "print", 20_000) is None
    published = {by: result(by) for by in (None, "channel")}
    keep_published(tmp_path, "print", 20_000, published)
    assert recall_published(tmp_path, "experience", "print", 20_000) == published
    # A clock that goes back a day shows the same figures: it makes none anew.
    assert recall_published(tmp_path, "experience", "print", 19_999) == published
    assert recall_published(tmp_path, "experience", "print", 20_001) is None
    assert recall_published(tmp_path, "experience", "another blueprint", 20_000) is None
    assert recall_published(tmp_path, "journey", "print", 20_000) is None


def test_what_was_published_and_then_altered_counts_as_none(tmp_path: Path) -> None:
    keep_published(tmp_path, "print", 20_000, {None: result(None)})
    path = tmp_path / KEPT / DAILY / "experience.json"
    path.write_bytes(path.read_bytes().replace(b'"n":12', b'"n":13', 1))
    assert recall_published(tmp_path, "experience", "print", 20_000) is None
    assert damaged(tmp_path) == [path]
