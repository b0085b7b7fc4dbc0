"""The company lock: entered again by its holder, and let go of at the end."""

from __future__ import annotations

import subprocess
import sys

from parcours.engine.store.lock import company_lock

TRY = (
    "import sys\nfrom pathlib import Path\nfrom parcours.engine.store.lock import company_lock\n"
    "from parcours.errors import ParcoursError\n"
    "try:\n    with company_lock(Path(sys.argv[1])):\n        print('free')\n"
    "except ParcoursError as error:\n    print(error.code)\n"
)


def ask_another_process(folder) -> str:
    return subprocess.run(
        [sys.executable, "-c", TRY, str(folder)], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_holder_may_enter_again_and_others_wait_until_it_has_left(tmp_path) -> None:
    with company_lock(tmp_path):
        with company_lock(tmp_path):
            assert ask_another_process(tmp_path) == "already_running"
        assert ask_another_process(tmp_path) == "already_running"
    assert ask_another_process(tmp_path) == "free"


def test_an_error_inside_lets_go_of_the_lock(tmp_path) -> None:
    try:
        with company_lock(tmp_path):
            raise ValueError("inside")
    except ValueError:
        assert ask_another_process(tmp_path) == "free"
