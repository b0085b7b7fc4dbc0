"""The shelf: a page is made once, and anew as soon as the folder changes."""

from __future__ import annotations

import gzip
import os
import threading
import time
from pathlib import Path

from parcours.workspaces.shelf import MOST_PAGES, Shelf, pack, read_stamp


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
