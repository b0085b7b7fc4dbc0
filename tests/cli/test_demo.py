"""`parcours demo`: made, run, and honest about being simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import CUSTOMERS, call

from parcours import company as companies
from parcours.cli.demo import enter_requests


def test_it_prints_what_others_rely_on(made: tuple[Path, dict[str, Any]]) -> None:
    report = made[1]
    assert {"events", "quarantined", "customers", "touchpoints", "seconds", "findings"} <= report.keys()
    assert report["events"] > 30 * 52
    assert report["quarantined"] > 0
    assert any(finding["kind"] == "experience" for finding in report["findings"])


def test_every_row_that_was_read_is_accounted_for(made: tuple[Path, dict[str, Any]]) -> None:
    for source in made[1]["sources"]:
        counts = source["counts"]
        kept = counts["new"] + counts["replaced"] + counts["unchanged"]
        assert counts["rows_read"] == kept + counts["quarantined"], source["source"]


def test_the_truth_lies_beside_the_firm_and_says_that_it_is_synthetic(made: tuple[Path, dict[str, Any]]) -> None:
    truth = json.loads((made[0] / "truth.json").read_text("utf-8"))
    assert truth["synthetic"] is True
    assert truth["customers"] == CUSTOMERS
    assert {"touchpoint", "operation", "effect", "unit"} <= truth["causes"][0].keys()


def test_the_report_is_one_file_in_both_languages_without_what_customers_wrote(
    made: tuple[Path, dict[str, Any]],
) -> None:
    text = (made[0] / "report.html").read_text("utf-8")
    assert "<script" not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert 'lang="fr"' in text
    assert 'lang="en"' in text


def test_a_size_that_makes_no_firm_is_a_usage_error(tmp_path: Path) -> None:
    assert call("demo", tmp_path / "x", "--customers", 3, "--no-serve").returncode == 2


def test_who_asks_to_be_erased_stands_in_the_register_once_and_is_erased_by_nobody(
    made: tuple[Path, dict[str, Any]],
) -> None:
    folder = made[0]
    asked = (folder / "erasure-requests.txt").read_text("utf-8").split()
    for _ in range(2):
        know = companies.open(folder).know
        entered = know.requests.list_requests()
        assert [(one.kind, one.state, one.channel) for one in entered] == [("erasure", "received", "letter")] * 3
        assert {know.requests.identifiers_of(one.number) for one in entered} == {(one,) for one in asked}
        assert all(know.explain(one) for one in asked)
        enter_requests(folder)
