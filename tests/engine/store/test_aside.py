"""Events in quarantine: taken by reason and number, and never fewer in silence than were put there."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.sqlite import PAGE_BYTES, open_database
from parcours.errors import ParcoursError
from parcours.words import Words


def fill(path: Path) -> dict[str, int]:
    """Put events aside; return the first page of each table and index."""
    database = open_database(path)
    why = Words(fr="Illisible.", en="Unreadable.")
    AsideEvents(database).add(Aside(f"web{number % 2}", "no_time", "", why, number, b"sealed") for number in range(6))
    found = {str(name): int(page or 0) for name, page in database.execute("SELECT name, rootpage FROM sqlite_master")}
    database.truncate_log()
    database.close()
    return found


def test_taken_by_source_and_number(tmp_path: Path) -> None:
    fill(tmp_path / "journal.db")
    aside = AsideEvents(open_database(tmp_path / "journal.db"))
    assert [number for number, _ in aside.take("web1")] == [2, 4, 6]
    assert [number for number, _ in aside.take(after=3, limit=2)] == [4, 5]
    assert aside.numbers("web0", "no_time", 1, 4, 9) == [3]
    assert aside.take("elsewhere") == []


@pytest.mark.parametrize(("harmed", "source"), [("aside", None), ("aside_by_reason", "web1"), ("aside_counts", "web1")])
def test_lost_lines_are_told(tmp_path: Path, harmed: str, source: str | None) -> None:
    path = tmp_path / "journal.db"
    page = fill(path)[harmed]
    content = bytearray(path.read_bytes())
    start = (page - 1) * PAGE_BYTES
    # A page that says that it holds no lines.
    content[start + 3 : start + 5] = b"\0\0"
    path.write_bytes(content)
    aside = AsideEvents(open_database(path))
    for look in (lambda: aside.take(source), lambda: aside.numbers(source, None, 0, 9, 9)):
        with pytest.raises(ParcoursError) as told:
            look()
        assert told.value.code == "row_damaged"
