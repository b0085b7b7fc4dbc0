"""The locks: entered again by their holder, waited for, and let go of whatever happens."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from parcours.engine.store.lock import company_lock, find_pages, pages_told, serving_lock
from parcours.errors import ParcoursError

TRY = (
    "import sys\nfrom pathlib import Path\nfrom parcours.engine.store.lock import company_lock\n"
    "from parcours.errors import ParcoursError\n"
    "try:\n    with company_lock(Path(sys.argv[1])):\n        print('free')\n"
    "except ParcoursError as error:\n    print(error.code)\n"
)


def ask_another_process(folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", TRY, str(folder)], capture_output=True, text=True, check=True
    ).stdout.strip()


def take_from_outside(folder: Path, name: str) -> int:
    """Hold a lock as another process does."""
    (folder / ".parcours").mkdir(exist_ok=True)
    handle = os.open(folder / ".parcours" / name, os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.pwrite(handle, b"4242", 0)
    return handle


def test_the_holder_may_enter_again_and_others_wait_until_it_has_left(tmp_path: Path) -> None:
    with company_lock(tmp_path):
        with company_lock(tmp_path):
            assert ask_another_process(tmp_path) == "already_running"
        assert ask_another_process(tmp_path) == "already_running"
    assert ask_another_process(tmp_path) == "free"


def test_an_error_inside_lets_go_of_the_lock(tmp_path: Path) -> None:
    try:
        with company_lock(tmp_path):
            raise ValueError("inside")
    except ValueError:
        assert ask_another_process(tmp_path) == "free"


def test_whoever_waits_gets_it_as_soon_as_it_is_free(tmp_path: Path) -> None:
    handle = take_from_outside(tmp_path, "lock")
    threading.Timer(0.3, os.close, (handle,)).start()
    begun = time.monotonic()
    with company_lock(tmp_path, wait_s=20):
        assert 0.2 < time.monotonic() - begun < 5


def test_whoever_waits_in_vain_is_told_who_holds_it(tmp_path: Path) -> None:
    handle = take_from_outside(tmp_path, "lock")
    begun = time.monotonic()
    with pytest.raises(ParcoursError) as told, company_lock(tmp_path, wait_s=0.3):
        pass
    os.close(handle)
    assert 0.3 <= time.monotonic() - begun < 5
    assert told.value.code == "already_running"
    assert "4242" in str(told.value)
    with company_lock(tmp_path):
        pass


def test_another_thread_of_the_holder_waits_as_well(tmp_path: Path) -> None:
    order = []

    def enter() -> None:
        with company_lock(tmp_path, wait_s=20):
            order.append("second")

    with company_lock(tmp_path):
        other = threading.Thread(target=enter)
        other.start()
        time.sleep(0.3)
        order.append("first")
    other.join()
    assert order == ["first", "second"]


def test_a_folder_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(ParcoursError) as told, company_lock(tmp_path / "gone"):
        pass
    assert told.value.code == "database_gone"
    assert not (tmp_path / "gone").exists()


def test_one_alone_serves_and_others_may_work_beside_it(tmp_path: Path) -> None:
    with serving_lock(tmp_path):
        with pytest.raises(ParcoursError) as told, serving_lock(tmp_path):
            pass
        assert told.value.code == "already_serving"
        assert str(os.getpid()) in str(told.value)
        assert ask_another_process(tmp_path) == "free"
    with serving_lock(tmp_path):
        pass


def test_a_holder_that_is_killed_holds_nothing(tmp_path: Path) -> None:
    hold = TRY.replace("print('free')", "print('held', flush=True); sys.stdin.read()")
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert ask_another_process(tmp_path) == "already_running"
        other.kill()
    assert ask_another_process(tmp_path) == "free"


def test_where_pages_are_is_told_while_somebody_shows_them(tmp_path: Path) -> None:
    assert find_pages(tmp_path) == ""
    with pages_told(tmp_path, "http://127.0.0.1:18731"):
        with pages_told(tmp_path, "http://127.0.0.1:9"):
            assert find_pages(tmp_path) == "http://127.0.0.1:18731"
        assert find_pages(tmp_path) == "http://127.0.0.1:18731"
    assert find_pages(tmp_path) == ""
