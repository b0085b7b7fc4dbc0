"""The wheel: what a stranger installs holds every file that the product reads, and runs without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy in which examples were run, built offline with the build back end of the environment."""
    place = tmp_path_factory.mktemp("wheel")
    for name, passing in (("src", ("__pycache__",)), ("examples", (".parcours", "report.html"))):
        shutil.copytree(ROOT / name, place / "copy" / name, ignore=shutil.ignore_patterns(*passing))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / "copy" / name)
    for example in ("loans", "retail"):
        (place / "copy/examples" / example / ".parcours/tables").mkdir(parents=True)
        for file in (".parcours/master.key", ".parcours/tables/current", "report.html"):
            (place / "copy/examples" / example / file).write_text("made by a run", "utf-8")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run(
        [*command, "--wheel-dir", str(place), str(place / "copy")], check=True, capture_output=True, text=True
    )
    return next(place.glob("parcours-*.whl"))


def test_it_holds_every_file_of_the_source_tree_and_the_templates(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    files = [path for path in (SOURCE / "parcours").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert {str(path.relative_to(SOURCE)) for path in files} <= held
    for template in ("retail", "loans", "grocery"):
        assert f"parcours/examples/{template}/blueprint.yaml" in held
    assert not [name for name in held if ".parcours" in name or ("examples" in name and name.endswith("report.html"))]


def test_it_runs_the_simulated_firm_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    firm = tmp_path / "firm"
    code = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from parcours.cli.main import main; main()"
    command = [sys.executable, "-c", code, "demo", str(firm), "--no-serve", "--customers", "200"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, env={**os.environ, "PARCOURS_LANG": "en"}
    )
    assert done.returncode == 0, done.stderr
    assert "touchpoints" in done.stdout
    assert (firm / "report.html").stat().st_size > 50_000
