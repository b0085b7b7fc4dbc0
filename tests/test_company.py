"""An opened company: measures from Python, kept results, purposes, comments."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import parcours
from parcours import results
from parcours.errors import ParcoursError
from parcours.flow import run
from parcours.know import Caller
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


COMPANY = """company: {id: kiosk, label: {fr: Kiosque, en: Kiosk}}
stages: [{id: buy, label: {fr: Achat, en: Purchase}}]
channels: [{id: shop, label: {fr: Boutique, en: Shop}, kind: human}]
teams: [{id: desk, label: {fr: Comptoir, en: Desk}}]
touchpoints:
  - {id: till, label: {fr: Caisse, en: Till}, stage: buy, channel: shop, owner: desk, events: [Bought]}
operations:
  - {id: queue, label: {fr: File, en: Queue}, owner: desk, supports: [till], events: [Waited],
     measure: {unit: min, field: minutes}}
"""
SALES = """source: sales
file: sales.csv
key: [sale]
time: {column: at}
ids: {user: client}
events: [{name: Bought}]
"""


def open_kiosk(folder: Path, purposes: str = "") -> parcours.company.Company:
    """Open a shop of twelve sales to four customers, who are each named in two ways."""
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    (folder / "blueprint.yaml").write_text(COMPANY + purposes, "utf-8")
    if not (folder / "sources" / "sales.yaml").exists():
        (folder / "sources" / "sales.yaml").write_text(SALES, "utf-8")
    rows = [f"s{sale},2026-01-{sale + 1:02d}T10:00:00Z,c{sale % 4},k{sale % 4}\n" for sale in range(12)]
    (folder / "sales.csv").write_text("sale,at,client,card\n" + "".join(rows), "utf-8")
    return parcours.open(folder)


def purposes(*named: str) -> str:
    told = (pair.split(":") for pair in named)
    return "purposes:\n" + "".join(f"  - {{id: {id}, label: {{fr: {id}, en: {id}}}, basis: {b}}}\n" for id, b in told)


def test_other_ids_in_a_source_leave_as_many_customers_as_a_fresh_load(tmp_path: Path) -> None:
    company = open_kiosk(tmp_path / "kiosk", purposes("serve:contract"))
    assert run(company, Silent()).customers == 4
    source = company.folder / "sources" / "sales.yaml"
    source.write_text(SALES.replace("user: client", "user: card"), "utf-8")
    again = run(parcours.open(company.folder), Silent())
    assert (again.customers, again.events) == (4, 12)
    assert run(parcours.open(company.folder), Silent()).customers == 4


def test_nothing_is_shown_before_the_first_run(tmp_path: Path) -> None:
    company = open_kiosk(tmp_path, purposes("serve:contract"))
    for ask in (lambda: company.result("journey"), lambda: company.rows_for("export")):
        with pytest.raises(parcours.ParcoursError, match="parcours run") as caught:
            ask()
        assert caught.value.code == "nothing_loaded"
    run(company, Silent())
    assert company.result("journey").rows


def test_without_a_purpose_a_run_says_why_nothing_is_measured(tmp_path: Path) -> None:
    for _ in range(2):
        report = run(open_kiosk(tmp_path), Silent())
        assert (report.discarded, report.customers, report.findings) == (12, 0, ())
        assert any("declares no purpose" in warning.en for warning in report.warnings)
        assert any(warning.fr.startswith("12 événements") for warning in report.warnings)


def test_without_any_consent_the_result_says_so_and_blames_no_survey(tmp_path: Path) -> None:
    report = run(open_kiosk(tmp_path / "alone", purposes("learn:consent")), Silent())
    assert report.discarded == 12
    assert [finding.sentence.en[:26] for finding in report.findings] == ["No customer can be seen for"[:26]]
    company = open_kiosk(tmp_path / "kiosk", purposes("learn:consent", "serve:contract"))
    report = run(company, Silent())
    assert report.discarded == 0
    told = "4 of 4 customers have not allowed “learn”: their rows are not read."
    assert told in [warning.en for warning in report.warnings]
    for name in ("experience", "journey"):
        assert [warning.en for warning in company.result(name).warnings] == [told]


def test_roles_that_see_groups_alone_see_one_moment_of_the_day(firm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(firm, tmp_path / "copy"))
    company = parcours.open(copy)
    before = company.seen_by(Caller(1, "cco"), "experience")
    assert company.result("experience").rows[0]["n"] == before.rows[0]["n"]
    make(copy, 2_100, 5, Silent())
    run(parcours.open(copy), Silent())
    later = parcours.open(copy)
    assert later.result("experience").n != before.n
    assert later.seen_by(Caller(1, "cco"), "experience") == before
    hidden = [row for row in later.seen_by(Caller(1, "cmo"), "experience", "week").rows if row["seen"] == "hidden"]
    assert hidden
    whole = {(row["week"], row["touchpoint"]): row for row in company.result("experience", "week").rows}
    assert all(row["n"] is None for row in hidden)
    assert any(whole[row["week"], row["touchpoint"]]["n"] for row in hidden)


def test_a_role_never_sees_what_no_purpose_covers(firm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(firm, tmp_path / "copy"))
    assert parcours.open(copy).seen_by(Caller(1, "cco"), "experience").n
    path = copy / "blueprint.yaml"
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"measures: \[?all\]?", "measures: [journey]", text), "utf-8")
    assert path.read_text("utf-8") != text
    for role in ("cco", "finance"):
        name = "stakes" if role == "finance" else "experience"
        with pytest.raises(ParcoursError) as caught:
            parcours.open(copy).seen_by(Caller(1, role), name)
        assert caught.value.code == "no_purpose"
