"""A short run of each property under coverage, always the same: batches, pixels and CSV hold, and the fuzzer works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.fuzz.properties import PROPERTIES

RUNS = dict.fromkeys(PROPERTIES, 1500) | {"callback": 100}
"""One of the entrances shows that the fuzzer reaches them; `test_entrances` tries them all."""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted(RUNS))
def test_a_short_run_finds_nothing(name: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed here: nothing was fuzzed by coverage")
    command = [sys.executable, "-m", "tests.fuzz.guided", name, f"-runs={RUNS[name]}", "-seed=7"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {RUNS[name]} runs" in done.stderr
