"""`parcours run`: again, with something changed, with something broken, twice at once, interrupted."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import call, call_json


def digest_parts(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted((folder / ".parcours" / "parts").rglob("*.parquet")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def test_nothing_changed_means_nothing_read_and_the_same_findings(
    firm: Path, made: tuple[Path, dict[str, Any]]
) -> None:
    before = digest_parts(firm)
    report = call_json("run", firm)
    assert all(source["files_read"] == 0 for source in report["sources"])
    assert report["findings"] == made[1]["findings"]
    assert (report["events"], report["customers"]) == (made[1]["events"], made[1]["customers"])
    assert digest_parts(firm) == before


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda folder: (folder / "blueprint.yaml").write_text("company: [", "utf-8"), "yaml_malformed"),
        (lambda folder: (folder / "blueprint.yaml").write_bytes(b"company: \xe9t\xe9"), "yaml_encoding"),
        (lambda folder: next((folder / "data").glob("orders*")).unlink(), "file_missing"),
        (lambda folder: _replace(folder / "sources" / "orders.yaml", "creee_le", "cree_le"), "column_missing"),
        (lambda folder: (folder / "parcours.toml").write_text("language = 'klingon'", "utf-8"), "settings_unreadable"),
    ],
)
def test_a_broken_folder_is_one_sentence_and_leaves_the_previous_state(firm: Path, spoil: Any, code: str) -> None:
    before, report = digest_parts(firm), (firm / "report.html").read_bytes()
    spoil(firm)
    done = call("run", firm)
    assert done.returncode == 1
    assert f"[{code}]" in done.stderr, done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr
    assert (digest_parts(firm), (firm / "report.html").read_bytes()) == (before, report)


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_a_renamed_touchpoint_keeps_its_events(firm: Path) -> None:
    before = {row["touchpoint"]: row["n"] for row in call_json("show", firm, "experience")["rows"]}
    path = firm / "blueprint.yaml"
    text = path.read_text("utf-8").replace(
        "- id: delivery\n    label: {fr: Livraison à", "- id: handover\n    label: {fr: Livraison à"
    )
    names = r"(?m)(?<=[\[ ])delivery(?=[,\]])(?!\]\}\})"
    path.write_text(re.sub(names, "handover", text), "utf-8")
    report = call_json("run", firm)
    after = {row["touchpoint"]: row["n"] for row in call_json("show", firm, "experience")["rows"]}
    assert after.pop("handover") == before.pop("delivery")
    assert after == before
    assert report["events"] > 0


def test_two_runs_at_once_the_second_says_so(firm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parcours.flow.PATIENCE_S", 1.0)
    with (firm / ".parcours" / "lock").open("r+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        done = call("run", firm)
    assert done.returncode == 1
    assert "[already_running]" in done.stderr


@pytest.mark.parametrize("after_s", [1.5, 2.5])
def test_ctrl_c_leaves_a_state_from_which_the_next_run_goes_on(
    firm: Path, made: tuple[Path, dict[str, Any]], after_s: float
) -> None:
    for path in sorted((firm / ".parcours").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    command = [sys.executable, "-m", "parcours", "run", str(firm)]
    started = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                               env={**os.environ, "PARCOURS_LANG": "en"})  # fmt: skip
    time.sleep(after_s)
    started.send_signal(signal.SIGINT)
    said = started.communicate(timeout=60)[1]
    # A shell says 130 for both: Python ends by the signal itself when it falls into the import of a library.
    assert started.returncode in (0, 130, -signal.SIGINT), said
    assert "Traceback" not in said
    again = call_json("run", firm)
    assert (again["events"], again["customers"]) == (made[1]["events"], made[1]["customers"])


def test_a_folder_that_is_not_there_says_how_to_make_one(tmp_path: Path) -> None:
    done = call("run", tmp_path / "nowhere")
    assert done.returncode == 1
    assert "parcours init" in done.stderr


def test_json_alone_stands_on_stdout(firm: Path) -> None:
    done = call("run", firm, "--json")
    assert json.loads(done.stdout)["touchpoints"] > 0
