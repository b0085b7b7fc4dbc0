"""The door as a person uses it, on one small simulated firm made once a test process."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import pytest

from parcours.cli.main import main
from parcours.words import speak

CUSTOMERS = 600


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def call(*arguments: object, **environment: str) -> Done:
    """Run the door in this process, as its entry point does, in English unless told otherwise.

    Starting a Python for every command would take most of the suite's time; the commands that need a process of their
    own (signals, a terminal) start one in their tests.
    """
    said, told = io.StringIO(), io.StringIO()
    words = ["parcours", *map(str, arguments)]
    surroundings = {"PARCOURS_LANG": "en", "NO_COLOR": "1", **environment}
    status: object = 0
    with (
        mock.patch.dict(os.environ, surroundings),
        mock.patch("sys.argv", words),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(told),
    ):
        try:
            main()
        except SystemExit as end:
            status = end.code
        finally:
            speak(None)
    return Done(status if isinstance(status, int) else 0, said.getvalue(), told.getvalue())


def call_json(*arguments: object) -> Any:
    """Run `parcours … --json` and return what it printed."""
    done = call(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The firm, made and run by `parcours demo`, and what that printed."""
    folder = tmp_path_factory.mktemp("firm") / "riviere"
    return folder, call_json("demo", folder, "--no-serve", "--customers", CUSTOMERS, "--seed", 3)


@pytest.fixture
def firm(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A copy of the firm that a test may spoil."""
    return Path(shutil.copytree(made[0], tmp_path / "firm"))
