"""Compaction and replay that are killed, where they stand, at a step that touches the disk or at any moment.

A small process imports everything once and forks for each trial, so that a trial takes a fraction of a second. What is
patched is patched here, in the forked process: the product knows nothing of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WRITING = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")


class Nursery:
    """Starts processes that do an action to a folder and die at a step, or when they are told to."""

    def __init__(self) -> None:
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests import dying; dying.bear()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._read()

    def run(self, action: str, folder: Path, step: int = 0, after_s: float = 0.0, **more: Any) -> dict[str, Any]:
        """Do ``action``; die at disk step number ``step``, or ``after_s`` after the start, if given.

        Returns ``status`` (the exit status, ``-9`` when it was killed) and ``steps``, how many there were.
        """
        assert self._process.stdin
        asked = {"action": action, "folder": str(folder), "step": step, "after_s": after_s, **more}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._read()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        assert line, "the nursery has ended"
        return dict(json.loads(line))


def bear() -> None:
    """Fork for each line of standard input, and tell what became of the child."""
    # Everything that a trial needs, imported before the first fork and not used before it.
    from parcours import flow
    from parcours.collect import compact  # noqa: F401
    from parcours.know import Know  # noqa: F401

    assert flow
    print("{}", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        reading, writing = os.pipe()
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _live(asked, writing)
        os.close(writing)
        status = _wait(child, started, asked["after_s"])
        steps = os.read(reading, 64)
        os.close(reading)
        print(json.dumps({"status": status, "steps": int(steps or b"0")}), flush=True)


def _wait(child: int, started: float, after_s: float) -> int:
    """Return the status of a child, which is killed when its time is up."""
    if after_s:
        while time.monotonic() - started < after_s:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _live(asked: dict[str, Any], writing: int) -> None:
    """Do what was asked, and end without the courtesies of an interpreter."""
    counter = _Steps(asked["step"])
    try:
        ACTIONS[asked["action"]](Path(asked["folder"]), counter, asked)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os.write(writing, str(counter.count).encode())
    os._exit(0)


class _Steps:
    """Counts what touches the disk, and kills this process at one of them."""

    def __init__(self, last: int) -> None:
        self.count, self._last, self._on = 0, last, False

    def begin(self) -> None:
        """Count from now on."""
        from parcours.engine.store import sqlite

        self._on = True
        execute, executemany = sqlite.Database.execute, sqlite.Database.executemany
        sqlite.Database.execute = self._before(execute)  # type: ignore[method-assign]
        sqlite.Database.executemany = self._before(executemany)  # type: ignore[method-assign]
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[Any, ...]) -> None:
        if self._on and event in WRITING and (event != "open" or (isinstance(args[2], int) and args[2] & 3)):
            self._step()

    def _before(self, real: Any) -> Any:
        def run(database: Any, sql: str, *rest: Any) -> Any:
            if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA", "BEGIN", "CREATE")):
                self._step()
            return real(database, sql, *rest)

        return run

    def _step(self) -> None:
        self.count += 1
        if self.count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def _take_over(folder: Path, steps: _Steps, asked: dict[str, Any]) -> None:
    from parcours import company as companies
    from parcours import flow
    from parcours.collect import company_lock
    from parcours.collect.compaction import compact

    compact.MOST_EVENTS = asked.get("most_events", compact.MOST_EVENTS)
    company = companies.open(folder)
    steps.begin()
    with company_lock(folder):
        flow.collect_live(company)


def _replay(folder: Path, steps: _Steps, asked: dict[str, Any]) -> None:
    from parcours import company as companies
    from parcours import flow
    from parcours.collect.compaction import compact

    compact.MOST_EVENTS = asked.get("most_events", compact.MOST_EVENTS)
    company = companies.open(folder)
    steps.begin()
    flow.replay(company)


def _retain(folder: Path, steps: _Steps, asked: dict[str, Any]) -> None:
    from parcours import company as companies
    from parcours.collect import company_lock

    company = companies.open(folder)
    company.know.door()
    steps.begin()
    with company_lock(folder):
        company.know.upkeep.retain()


def _rotate(folder: Path, steps: _Steps, asked: dict[str, Any]) -> None:
    from parcours import company as companies

    know = companies.open(folder).know
    know.door()
    steps.begin()
    know.rotate(asked["key"])


ACTIONS = {"rotate": _rotate, "take over": _take_over, "replay": _replay, "retain": _retain}
