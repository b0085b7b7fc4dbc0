"""The report: one file that needs nothing, in both languages, without a customer's word."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest
from firm import Firm

from parcours.workspaces.report import make_report, write_report


@pytest.fixture(scope="module")
def report(firm: Firm) -> str:
    """The report of a firm whose customers answered."""
    return make_report(firm)


def test_it_needs_nothing_and_runs_nothing(report: str) -> None:
    assert len(report.encode()) <= 300_000
    assert not re.search(r"<script|<link|<img|<iframe|\ssrc=|url\(http|@import|\son\w+=", report)
    assert set(re.findall(r"https?://[^\s\"'<]+", report)) <= {"http://www.w3.org/2000/svg"}


def test_its_policy_allows_its_own_styles_alone(report: str) -> None:
    styles = report.split("<style>")[1].split("</style>", maxsplit=1)[0]
    digest = base64.b64encode(hashlib.sha256(styles.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in report


def test_both_languages_are_inside_the_companys_first(report: str) -> None:
    assert report.index('class="told told-fr" lang="fr"') < report.index('class="told told-en" lang="en"')
    assert "Livraison à domicile" in report
    assert "Home delivery" in report
    assert "Données synthétiques" in report


def test_every_touchpoint_is_reached_within_the_file(report: str, firm: Firm) -> None:
    ids = re.findall(r'\sid="([^"]+)"', report)
    assert len(ids) == len(set(ids))
    anchors = set(re.findall(r'href="#([^"]+)"', report))
    assert anchors <= set(ids)
    assert {f"fr-{touchpoint.id}" for touchpoint in firm.blueprint.touchpoints} <= anchors
    assert not re.search(r'href="/', report)


def test_nobodys_words_are_in_it(firm: Firm, tmp_path: Path) -> None:
    class Mute(Firm):
        def verbatims(self, touchpoint: str, limit: int = 8) -> list[object]:  # type: ignore[override]
            raise AssertionError("the report must not read comments")

    path = tmp_path / "report.html"
    write_report(Mute(firm.folder, firm.blueprint), path)
    assert "carton ouvert" not in path.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_a_silent_firm_has_a_report_too(silent_firm: Firm) -> None:
    assert "L’expérience n’est pas encore mesurée" in make_report(silent_firm)
