"""A short run of the fuzzer, always the same, from the recorded requests: it works, and finds nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BESIDE = HERE.parent / "collect" / "compaction"
RUNS = 1_500


def write_corpus(folder: Path) -> Path:
    """Write what a fuzzer starts from: the recorded requests, and bodies that are broken in known ways."""
    sys.path.insert(0, str(BESIDE))
    from recorded import RECORDED

    bodies = [json.dumps(body).encode() for *_, body in RECORDED]
    bodies += [b'{"batch":[{"a":"\\ud800"},{"type":"track"}]}', b'{"batch":[1,,2]}', b'[{"a":1}]', b"\xff", b"[" * 3000]
    folder.mkdir()
    for number, body in enumerate(bodies):
        (folder / f"{number:02d}").write_bytes(bytes([number % 44]) + body)
    return folder


def test_a_short_run_finds_nothing(tmp_path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed here: nothing was fuzzed by coverage")
    corpus = write_corpus(tmp_path / "corpus")
    command = [sys.executable, str(HERE / "fuzz_deliveries.py"), str(corpus), f"-runs={RUNS}", "-seed=7"]
    done = subprocess.run(
        [*command, f"-artifact_prefix={tmp_path}/", "-max_len=2000"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert f"Done {RUNS} runs" in done.stderr
