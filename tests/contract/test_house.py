"""The house rules that a reader relies on: sentences, names, public names, nothing that does not belong."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import parcours

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "parcours").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "common", "misc", "core", "base", "helpers", "manager", "service"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_file_opens_with_one_sentence(path: Path) -> None:
    sentence = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert sentence is not None, f"{path} opens with no sentence"
    first = sentence.split("\n\n")[0].strip()
    assert first.endswith((".", ".”", "`.")), f"{path}: “{first}” is no sentence"


def test_no_catch_all_module() -> None:
    names = {path.stem for path in SOURCES} | {path.parent.name for path in SOURCES}
    assert not names & FORBIDDEN_NAMES


def test_public_names_are_these_and_importable() -> None:
    assert sorted(parcours.__all__) == ["Company", "Fault", "ParcoursError", "Words", "open", "speak"]
    for name in parcours.__all__:
        assert getattr(parcours, name) is not None


def test_importing_the_package_loads_no_engine() -> None:
    code = "import sys, parcours; print(sorted({'duckdb', 'pyarrow', 'numpy', 'starlette'} & set(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_no_file_names_an_address_of_a_registry_or_a_machine_path() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    pattern = re.compile(
        "pythonhos" + "ted|pypi\\.o" + "rg|registry\\.npm" + "js|/ho" + "me/[a-z]+/|/ro" + "ot/|/wo" + "rk/"
    )
    found = []
    for name in tracked:
        path = ROOT / name
        if path.suffix in {".png", ".gz", ".parquet"} or not path.exists():
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{name}:{number}: {line[:100]}")
    assert not found


def test_requirements_are_exact_and_without_options() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text("utf-8").splitlines():
            if line.startswith("#") or line == "-r requirements.txt":
                continue
            assert re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line), f"{name}: {line}"
