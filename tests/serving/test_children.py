"""A process that is started, heard, told, started again when it ends by itself, and stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from parcours.serving import children
from parcours.serving.children import Child

Start = Callable[..., tuple[Child, list[str]]]
MODULE = """
import os, sys
from itertools import pairwise
from pathlib import Path
print("here", os.getpid(), flush=True)
if "die" in sys.argv:
    os._exit(7)
for line in sys.stdin:
    print("heard", line.strip(), flush=True)
    if line == "die\\n":
        os._exit(3)
if "deaf" in sys.argv:
    import time
    time.sleep(60)
Path(sys.argv[1]).write_text("put away")
"""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start the module above; what it says is collected."""
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "parrot.py").write_text(MODULE, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "library"))
    monkeypatch.setattr(children, "LEAST_PAUSE_S", 0.05)
    started: list[Child] = []

    def begin(*words: str) -> tuple[Child, list[str]]:
        said: list[str] = []
        child = Child("parrot", [str(tmp_path / "end"), *words], lambda line: said.append(line.decode().strip()))
        child.start()
        started.append(child)
        wait_until(lambda: bool(said))
        return child, said

    yield begin
    for child in started:
        child.end()


def wait_until(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_it_hears_what_it_is_told_and_puts_everything_away(start: Start, tmp_path: Path) -> None:
    child, said = start()
    child.tell(b"one\n")
    child.tell(b"two\n")
    wait_until(lambda: len(said) == 3)
    child.ask_to_stop()
    assert child.wait(20)
    assert said[1:] == ["heard one", "heard two"]
    assert (tmp_path / "end").read_text() == "put away"
    assert not child.alive


def test_one_that_ends_by_itself_is_started_again_each_time_later(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    child, said = start("die")
    moments = [time.monotonic()]
    while len(moments) < 4:
        wait_until(child.look)
        moments.append(time.monotonic())
    pauses = [later - before for before, later in pairwise(moments[1:])]
    assert child.restarts == 3
    assert pauses[1] > pauses[0] > 0.05
    assert caplog.text.count("parrot ended with 7 and is started again") == 3
    wait_until(lambda: len(said) == 4)
    assert len(set(said)) == 4


def test_one_that_runs_is_left_alone(start: Start) -> None:
    child, _ = start()
    pid = child.pid
    assert not child.look()
    assert (child.pid, child.restarts) == (pid, 0)


def test_a_line_for_one_that_has_just_ended_hurts_nobody(start: Start) -> None:
    child, _ = start()
    child.tell(b"die\n")
    wait_until(lambda: not child.alive)
    for _ in range(3):
        child.tell(b"one\n")
    wait_until(child.look)
    child.tell(b"two\n")


def test_each_time_it_starts_it_is_greeted(start: Start, tmp_path: Path) -> None:
    said: list[bytes] = []
    child = Child("parrot", [str(tmp_path / "end")], said.append, greet=lambda it: it.tell(b"orders\n"))
    try:
        child.start()
        wait_until(lambda: said[-1:] == [b"heard orders\n"])
        child.tell(b"die\n")
        wait_until(lambda: not child.alive)
        wait_until(child.look)
        wait_until(lambda: said.count(b"heard orders\n") == 2)
    finally:
        child.end()


def test_one_that_does_not_stop_is_killed(start: Start, tmp_path: Path) -> None:
    child, _ = start("deaf")
    child.ask_to_stop()
    assert not child.wait(0.5)
    assert not child.alive
    assert not (tmp_path / "end").exists()


def test_a_line_that_cannot_be_understood_stops_no_other(
    start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    understood: list[bytes] = []

    def hear(line: bytes) -> None:
        if b"one" in line:
            raise ValueError("what?")
        understood.append(line)

    child = Child("parrot", [str(tmp_path / "end")], hear)
    try:
        child.start()
        child.tell(b"one\ntwo\n")
        wait_until(lambda: understood[-1:] == [b"heard two\n"])
        assert "could not be understood" in caplog.text
    finally:
        child.end()


def test_a_file_beside_it_stands_in_for_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit(9)\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    child = Child("json.tool", ["--help"])
    child.start()
    assert child.wait(20)
    assert child._process is not None
    assert child._process.returncode == 0


def test_it_goes_when_it_is_killed_from_outside_and_comes_back(start: Start) -> None:
    child, _ = start()
    pid = child.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_until(child.look)
    assert child.alive
    assert child.pid != pid


def test_one_that_was_never_started_can_be_told_and_stopped() -> None:
    child = Child("parrot", [])
    child.tell(b"one\n")
    child.ask_to_stop()
    child.end()
    assert child.wait(1)
    assert not child.alive
