"""The grocery example on its real data, which come inside a package: 1.5 million lines of 2,469 households."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import call, call_json


@pytest.mark.slow
def test_the_real_data_load_whole_and_no_satisfaction_is_invented(tmp_path: Path) -> None:
    folder = tmp_path / "grocery"
    assert call("init", folder, "--template", "grocery").returncode == 0
    report = call_json("run", folder)
    baskets = next(source for source in report["sources"] if source["source"] == "baskets")
    assert baskets["counts"]["rows_read"] == 1_469_307
    assert report["quarantined"] == 0
    assert report["customers"] == 2_469
    assert any("nothing is invented" in finding["sentence"] for finding in report["findings"])
    again = call_json("run", folder)
    assert all(source["files_read"] == 0 for source in again["sources"])
    assert again["events"] == report["events"]
