"""The shelf: a page is made once, and anew as soon as the folder changes."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

import pytest

from parcours.workspaces.shelf import MOST_PAGES, PUBLISHED, RESTS_ON, Shelf, pack, read_stamp


def test_a_page_is_made_once(tmp_path: Path) -> None:
    made: list[str] = []
    shelf = Shelf(tmp_path)

    def make() -> str:
        made.append("x")
        return f"page {len(made)}"

    assert shelf.take("/a", make) is shelf.take("/a", make)
    assert made == ["x"]


def test_a_run_or_an_erasure_makes_it_stale(tmp_path: Path) -> None:
    (tmp_path / ".parcours").mkdir()
    state = tmp_path / ".parcours" / "state.db"
    state.write_text("before")
    shelf = Shelf(tmp_path)
    assert shelf.take("/a", lambda: "old").plain == b"old"
    os.utime(state, ns=(1, 1))
    assert shelf.take("/a", lambda: "new").plain == b"new"


def test_a_change_while_a_page_is_made_keeps_the_stale_page_off_the_shelf(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)

    def make() -> str:
        (tmp_path / "blueprint.yaml").write_text("changed")
        shelf.take("/b", lambda: "other")
        return "stale"

    shelf.take("/a", make)
    assert shelf.take("/a", lambda: "fresh").plain == b"fresh"


def test_readers_at_once_have_it_made_once(tmp_path: Path) -> None:
    made: list[int] = []
    shelf = Shelf(tmp_path)

    def make() -> str:
        made.append(1)
        time.sleep(0.05)
        return "page"

    threads = [threading.Thread(target=shelf.take, args=("/a", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def touch(folder: Path, name: str, age: int) -> None:
    """Write a file and set its time."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    os.utime(path, ns=(age, age))


@pytest.mark.parametrize("name", [name for name in RESTS_ON if name not in PUBLISHED])
def test_while_events_come_in_what_is_not_published_evicts_nothing(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name, 1)
    live, still = Shelf(tmp_path, PUBLISHED), Shelf(tmp_path)
    marks = live.mark(), still.mark()
    for shelf in (live, still):
        assert shelf.take("/a", lambda: "old").plain == b"old"
    touch(tmp_path, name, 2)
    assert live.take("/a", lambda: "new").plain == b"old"
    assert still.take("/a", lambda: "new").plain == b"new"
    assert live.mark() == marks[0]
    assert still.mark() != marks[1]


@pytest.mark.parametrize("name", [*PUBLISHED[:2], "blueprint/care.yaml", PUBLISHED[-1]])
def test_what_is_published_makes_pages_stale(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name, 1)
    shelf = Shelf(tmp_path, PUBLISHED)
    mark = shelf.mark()
    shelf.take("/a", lambda: "old")
    touch(tmp_path, name, 2)
    assert shelf.mark() != mark
    assert shelf.take("/a", lambda: "new").plain == b"new"


def test_a_page_may_have_a_longest_age(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.take("/a", lambda: "old")
    assert shelf.take("/a", lambda: "new", longest_s=60).plain == b"old"
    assert shelf.take("/a", lambda: "new", longest_s=-1).plain == b"new"
    assert Shelf(tmp_path, longest_s=-1).take("/a", lambda: "x").plain == b"x"
    everywhere = Shelf(tmp_path, longest_s=-1)
    everywhere.take("/a", lambda: "old")
    assert everywhere.take("/a", lambda: "new").plain == b"new"


def test_a_page_that_is_always_fresh_does_not_wait_for_a_slow_one(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    begun, done = threading.Event(), threading.Event()
    ended: list[bool] = []

    def make_slowly() -> str:
        begun.set()
        ended.append(done.wait(20))
        return "slow"

    thread = threading.Thread(target=shelf.take, args=("/slow", make_slowly))
    thread.start()
    assert begun.wait(20)
    assert shelf.take("/fresh", lambda: "fresh", longest_s=1).plain == b"fresh"
    assert ended == []
    done.set()
    thread.join()
    assert ended == [True]


def test_the_shelf_has_an_end(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    for number in range(MOST_PAGES + 1):
        shelf.take(f"/{number}", lambda: "x")
    assert shelf.take("/0", lambda: "again").plain == b"again"


def test_bodies_name_their_content(tmp_path: Path) -> None:
    body = pack("é")
    assert gzip.decompress(body.compressed) == body.plain == "é".encode()
    assert body.tag == pack("é").tag != pack("e").tag
    assert set(read_stamp(tmp_path)) == {0}
