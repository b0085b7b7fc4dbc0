"""The loans example on a small log of the same form: lifecycle events in XES become touches and waits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import call, call_json

ROOT = Path(__file__).parents[2]


@pytest.fixture
def loans(tmp_path: Path, make_loans: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARCOURS_PLACE_BPIC2012", str(make_loans))
    folder = tmp_path / "loans"
    assert call("init", folder, "--template", "loans").returncode == 0
    return folder


def test_a_log_gives_stages_and_no_experience_that_nobody_reported(loans: Path) -> None:
    report = call_json("run", loans)
    assert report["customers"] == 40
    assert report["quarantined"] == 0
    journey = {row["stage"]: row for row in call_json("show", loans, "journey")["rows"]}
    assert journey["application"]["entered"] == 40
    assert journey["offer"]["entered"] == 20
    assert journey["loan"]["entered"] == 10
    experience = call_json("show", loans, "experience")
    assert all(row["score"] is None for row in experience["rows"])
    assert any("nothing is invented" in warning for warning in experience["warnings"])


def test_waits_behind_the_line_come_from_the_lifecycle(loans: Path) -> None:
    call_json("run", loans)
    kept = {row["metric"]: row for row in call_json("show", loans, "promises")["rows"]}
    assert kept["completion_waiting"]["value"] == pytest.approx(2.0)


def test_without_the_data_the_remedy_names_the_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARCOURS_PLACE_BPIC2012", raising=False)
    call("init", tmp_path / "loans", "--template", "loans")
    done = call("run", tmp_path / "loans")
    assert done.returncode == 1
    assert "PARCOURS_PLACE_BPIC2012" in done.stderr
