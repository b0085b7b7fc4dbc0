"""The manifest: one change or none, numbers that never come back, and a quarantine that follows its file."""

from __future__ import annotations

import pytest

from parcours.engine.store.manifest import FileState, KnownRows, Manifest, Quarantined
from parcours.engine.store.parts import Part


def part(path: str, first: int = 1) -> Part:
    return Part(path, 2, 100, "ab", first, first + 1, "orders", 0, 5, 6)


def state(file: str = "a.csv", rows: int = 2) -> FileState:
    return FileState("orders", file, 10, 20, "cd", "map", {"rows_read": rows}, 0, 99)


def aside(line: int) -> Quarantined:
    return Quarantined("orders", "a.csv", line, "date_unreadable", "non", "no", b"sealed", 99)


def test_a_commit_puts_everything_in_force(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    assert manifest.version == "empty"
    manifest.commit(
        add=[part("parts/b", 3), part("parts/a")],
        quarantine=[aside(7)],
        file_states=[state()],
        known_rows=KnownRows("orders", "known/x", "ef", 2),
    )
    again = Manifest(tmp_path)
    assert [one.path for one in again.parts("orders")] == ["parts/a", "parts/b"]
    assert again.parts("other") == ()
    assert again.file_states("orders") == {"a.csv": state()}
    assert again.known_rows("orders") == KnownRows("orders", "known/x", "ef", 2)
    assert again.known_rows("other") is None
    assert again.quarantined("orders") == (aside(7),)
    assert (again.sources(), again.sidecars()) == (("orders",), {"known/x"})


def test_the_version_changes_with_the_parts_and_only_with_them(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    versions = []
    for change in ({"add": [part("a")]}, {"file_states": [state()]}, {"remove": ["a"]}):
        manifest.commit(**change)
        versions.append(manifest.version)
    assert versions[0] == versions[1] != versions[2]
    other = Manifest(tmp_path / "other")
    other.commit(add=[part("a")])
    assert other.version != versions[0]


def test_a_change_that_breaks_in_the_middle_changes_nothing(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    manifest.commit(add=[part("a")], file_states=[state()], quarantine=[aside(1)])
    before = manifest.version

    def breaks():
        yield aside(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        manifest.commit(add=[part("b")], remove=["a"], file_states=[state(rows=9)], quarantine=breaks())
    assert [one.path for one in manifest.parts()] == ["a"]
    assert manifest.quarantined() == (aside(1),)
    assert (manifest.file_states("orders")["a.csv"].counts, manifest.version) == ({"rows_read": 2}, before)


def test_event_numbers_never_come_back(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    assert [manifest.reserve_event_nos(5), manifest.reserve_event_nos(1)] == [1, 6]
    manifest.close()
    assert Manifest(tmp_path).reserve_event_nos(3) == 7


def test_the_quarantine_of_a_file_is_replaced_with_its_state(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    manifest.commit(file_states=[state()], quarantine=[aside(1), aside(2)])
    manifest.commit(file_states=[state("b.csv")])
    assert [row.line for row in manifest.quarantined()] == [1, 2]
    manifest.commit(file_states=[state()], quarantine=[aside(3)])
    assert [row.line for row in manifest.quarantined()] == [3]


def test_a_new_date_is_noted_without_touching_the_quarantine(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    manifest.commit(file_states=[state()], quarantine=[aside(1)])
    manifest.note_unchanged("orders", "a.csv", 21, 100)
    assert (manifest.file_states("orders")["a.csv"].mtime_ns, len(manifest.quarantined())) == (21, 1)
