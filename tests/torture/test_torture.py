"""The long forms of the tests that hurt run in short, so that they are fit to run in long."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
_found = importlib.util.spec_from_file_location("hour", ROOT / "scripts" / "torture" / "hour.py")
assert _found
assert _found.loader
hour = importlib.util.module_from_spec(_found)
sys.modules["hour"] = hour
_found.loader.exec_module(hour)


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "torture" / name), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, cwd=ROOT)


@pytest.mark.parametrize("name", ["kill_compaction.py", "kill_replay.py"])
def test_a_few_kills(name: str) -> None:
    done = run(name, "--kills", "3")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_few_examples_of_a_property() -> None:
    done = run("properties.py", "--examples", "3", str(ROOT / "tests/know/audit/test_merkle.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 files, 3 examples each, seed 1: 0 failed" in done.stdout
    # Where no property is found, nothing was tried.
    assert run("properties.py", str(ROOT / "tests/test_words.py")).returncode == 1


def test_a_few_runs_of_the_fuzzer() -> None:
    pytest.importorskip("atheris", reason="atheris is not installed here: nothing was fuzzed by coverage")
    done = run("fuzz.py", "--runs", "50", "tcf", "deliveries")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("held") == 2


def test_every_cut_has_its_place_and_one_of_them_is_noticed() -> None:
    listed = run("mutation.py", "--list")
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) >= 150
    done = run("mutation.py", "password shortest", "permission own")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 cuts, 2 noticed" in done.stdout


def test_a_few_seconds_of_the_hour() -> None:
    done = run("hour.py", "--minutes", "0.2", "--rate", "1000", "--every", "3", "--customers", "500")
    assert "stopped with 0" in done.stdout, done.stdout + done.stderr
    assert done.stdout.count(" min ") == 4
    events = int(done.stdout.splitlines()[-1].split()[0].replace(",", ""))
    assert 8_000 <= events <= 12_000


def look(minute: float, **changes: Any) -> Any:
    flat = {
        "rate": 20_000.0,
        "p99_ms": 12.0,
        "statuses": {"200": 12_000},
        "own_mb": dict.fromkeys(hour.PROCESSES, 200.0),
        "all_mb": dict.fromkeys(hour.PROCESSES, 300.0),
        "cpu": dict.fromkeys(hour.PROCESSES, 0.3),
        "files": 250,
        "mb": 400.0,
        "waiting": 100_000,
        "lag_s": 5.0,
    }
    return hour.Look(minute, **{**flat, **changes})


def judge(*looks: Any) -> str:
    return "; ".join(hour.judge(list(looks), 20_000))


def test_what_holds_steady_is_not_complained_of() -> None:
    assert judge(*(look(n) for n in range(1, 10))) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rate": 15_000.0}, "rate: "),
        ({"statuses": {"200": 11_000, "503": 7}}, "answers: {'503': "),
        ({"own_mb": dict.fromkeys(hour.PROCESSES, 300.0)}, "memory: main from 200 to 300 MB of its own"),
        ({"files": 900}, "files: least from 250 to 900"),
        ({"lag_s": 200.0}, "backlog: "),
    ],
)
def test_what_does_not_hold_is_named(change: dict[str, Any], said: str) -> None:
    assert said in judge(*(look(n) for n in range(1, 7)), *(look(n, **change) for n in range(7, 10)))


def test_the_measurer_may_hold_what_it_measures_and_no_more() -> None:
    def at(minute: int, measurer_mb: float) -> Any:
        return look(minute, own_mb={**dict.fromkeys(hour.PROCESSES, 200.0), "measurer": measurer_mb})

    assert judge(*(at(n, 300 + 100 * n) for n in range(1, 10))) == ""
    assert "memory: measurer" in judge(*(at(n, 1_000 * n) for n in range(1, 10)))


def test_a_short_run_is_not_judged_by_its_growth() -> None:
    assert judge(look(1), look(2), look(3, files=5_000)) == ""


def test_nothing_seen_is_not_a_success() -> None:
    assert judge() == "nothing was seen"
