"""`parcours check` and `parcours init`: templates stand, faults come all at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import call

from parcours.blueprint import template_names


@pytest.mark.parametrize("name", template_names())
def test_each_template_starts_a_folder_without_a_fault_in_its_blueprint(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "acme"
    assert call("init", folder, "--template", name).returncode == 0
    faults = json.loads(call("check", folder, "--json").stdout)
    assert [fault for fault in faults if fault["level"] == "error" and "blueprint.yaml" in (fault["file"] or "")] == []


def test_faults_come_all_at_once_with_file_line_and_remedy(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    call("init", folder, "--template", "retail")
    path = folder / "blueprint.yaml"
    lines = path.read_text("utf-8").splitlines()
    owner = next(i for i, line in enumerate(lines) if line.strip().startswith("owner:"))
    stage = next(i for i, line in enumerate(lines) if line.strip().startswith("stage:"))
    lines[owner] = lines[owner].split("owner:")[0] + "owner: nobody_at_all"
    lines[stage] = lines[stage].split("stage:")[0] + "stage: limbo"
    path.write_text("\n".join(lines), "utf-8")
    done = call("check", folder, "--json")
    assert done.returncode == 1
    errors = {fault["line"]: fault for fault in json.loads(done.stdout) if fault["level"] == "error"}
    assert {owner + 1, stage + 1} <= errors.keys()
    for fault in errors.values():
        assert fault["sentence"]
        assert fault["remedy"]
    assert f"blueprint.yaml:{owner + 1}" in call("check", folder).stderr


def test_a_blueprint_goes_to_bpmn_and_comes_back(tmp_path: Path) -> None:
    call("init", tmp_path / "acme", "--template", "retail")
    assert call("export", tmp_path / "acme", "bpmn", "--out", tmp_path / "a.bpmn").returncode == 0
    assert call("init", tmp_path / "back", "--bpmn", tmp_path / "a.bpmn").returncode == 0
    assert call("export", tmp_path / "back", "bpmn", "--out", tmp_path / "b.bpmn").returncode == 0
    assert (tmp_path / "a.bpmn").read_text("utf-8") == (tmp_path / "b.bpmn").read_text("utf-8")


def test_a_template_never_overwrites(tmp_path: Path) -> None:
    call("init", tmp_path / "acme")
    (tmp_path / "acme" / "blueprint.yaml").write_text("# mine", "utf-8")
    assert call("init", tmp_path / "acme").returncode == 1
    assert (tmp_path / "acme" / "blueprint.yaml").read_text("utf-8") == "# mine"


def test_help_speaks_both_languages_and_a_wrong_command_is_2() -> None:
    assert "Crée un dossier" in call("--help", PARCOURS_LANG="fr").stdout
    assert "Start a company folder" in call("--help").stdout
    assert call("conquer").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bogus",), "Cette commande n'existe pas. Il y a : init, check, run"),
        (("run",), "Il manque FOLDER."),
        (("run", "--nope", "x"), "L'option --nope n'existe pas."),
        (("demo", "x", "--customers", "3"), "La valeur de customers ne convient pas"),
    ],
)
def test_a_wrong_command_line_is_explained_in_french(words: tuple[str, ...], said: str) -> None:
    done = call(*words, PARCOURS_LANG="fr")
    assert done.returncode == 2
    assert said in done.stderr


def test_faults_are_json_for_whoever_asked_for_json(tmp_path: Path) -> None:
    done = call("run", tmp_path / "nowhere", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["faults"][0]["code"] == "no_such_folder"
