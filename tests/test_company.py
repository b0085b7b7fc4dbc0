"""An opened company: measures from Python, kept results, purposes, comments."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import parcours
from parcours import results
from parcours.flow import run
from parcours.measure import MEASURES
from parcours.progress import Silent
from parcours.simulate import make


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "firm"
    make(folder, 2_000, 5, Silent())
    run(parcours.open(folder), Silent())
    return folder


def test_every_measure_answers_from_python_and_draws_itself(firm: Path) -> None:
    company = parcours.open(firm)
    assert set(dir(company.measure)) == {measure.name for measure in MEASURES}
    causes = company.measure.causes()
    assert {"touchpoint", "operation", "effect", "low", "high"} <= causes.rows[0].keys()
    drawn = causes._repr_html_()
    assert "<svg" in drawn
    assert "<table" in drawn
    with pytest.raises(AttributeError):
        _ = company.measure.astrology


def test_a_result_is_kept_until_what_it_rests_on_changes(firm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(firm, tmp_path / "copy"))
    path = copy / results.KEPT / "journey.json"
    before = path.stat().st_mtime_ns
    kept = parcours.open(copy).result("journey")
    assert path.stat().st_mtime_ns == before
    blueprint = copy / "blueprint.yaml"
    blueprint.write_text(blueprint.read_text("utf-8").replace("deadline: 90d", "deadline: 91d"), "utf-8")
    changed = parcours.open(copy).result("journey")
    assert path.stat().st_mtime_ns > before
    assert changed.rows != kept.rows


def test_a_kept_result_that_was_altered_is_made_again(firm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(firm, tmp_path / "copy"))
    path = copy / results.KEPT / "experience.json"
    told = parcours.open(copy).result("experience")
    text = path.read_text("utf-8")
    path.write_text(text.replace(f'"n":{told.n}', f'"n":{told.n + 1}'), "utf-8")
    assert path.read_text("utf-8") != text
    assert parcours.open(copy).result("experience") == told


def test_a_measure_that_no_purpose_covers_reads_no_row(firm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(firm, tmp_path / "copy"))
    path = copy / "blueprint.yaml"
    text = re.sub(r"measures: \[all\]", "measures: [journey]", path.read_text("utf-8"))
    path.write_text(text, "utf-8")
    company = parcours.open(copy)
    assert company.result("journey").rows
    with pytest.raises(parcours.ParcoursError) as caught:
        company.result("causes")
    assert caught.value.code == "no_purpose"
    report = run(company, Silent())
    assert {finding.kind for finding in report.findings} == {"journey"}


def test_comments_come_masked_without_their_author(firm: Path) -> None:
    comments = parcours.open(firm).verbatims("delivery", limit=5)
    assert 0 < len(comments) <= 5
    assert [comment.score for comment in comments] == sorted(comment.score for comment in comments)
    assert not any("@" in comment.text for comment in comments)


def test_a_stage_and_a_touchpoint_may_share_an_id(firm: Path) -> None:
    labels = parcours.open(firm).labels
    assert labels["stage:delivery"] != labels["touchpoint:delivery"]


def test_a_folder_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(parcours.ParcoursError, match="parcours init"):
        parcours.open(tmp_path / "nowhere")


def test_a_wrong_scale_gives_no_score_and_every_result_on_answers_says_so(firm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(firm, tmp_path / "copy"))
    path = copy / "blueprint.yaml"
    text, changes = re.subn(r"scale: \[0, 10\]", "scale: [0, 8]", path.read_text("utf-8"), count=1)
    assert changes == 1
    path.write_text(text, "utf-8")
    report = run(parcours.open(copy), Silent())
    (told,) = (warning for warning in report.warnings if "outside the declared scale (0–8;" in warning.en)
    company = parcours.open(copy)
    for name in ("experience", "causes", "promises", "stakes"):
        assert told in company.result(name).warnings
    assert told not in company.result("journey").warnings
    place = next(one for one in company.blueprint.touchpoints if told.en.startswith(one.label.en))
    (row,) = (row for row in company.result("experience").rows if row["touchpoint"] == place.id)
    assert (row["score"], row["n"]) == (None, 0)
