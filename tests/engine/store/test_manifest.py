"""The manifest: one change or none, numbers that never come back, and a quarantine that follows its file."""

from __future__ import annotations

import pytest

from parcours.engine.store.manifest import FileState, KnownRows, Manifest, Quarantined, SeenRun
from parcours.engine.store.parts import Part
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError


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


def test_a_manifest_of_an_older_version_is_taken_over(tmp_path) -> None:
    database = open_database(tmp_path / ".parcours" / "journal.db")
    database.execute(OLDER)
    for _ in range(2):
        manifest = Manifest(tmp_path)
        assert manifest.parts() == (Part("parts/a", 2, 100, "ab", 1, 2, "orders", 0, 5, 6),)
        assert manifest.version == "7-3"
        assert manifest.file_states("orders") == {"a.csv": state()}
        assert manifest.quarantined() == (aside(7),)
    manifest.commit(add=[part("parts/b", 3)], file_states=[state()], quarantine=[aside(8)])
    assert [one.path for one in Manifest(tmp_path).parts()] == ["parts/a", "parts/b"]


OLDER = """
CREATE TABLE parts (
    path TEXT PRIMARY KEY, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
    first_event_no INTEGER NOT NULL, last_event_no INTEGER NOT NULL, source TEXT NOT NULL,
    bucket INTEGER NOT NULL, min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE file_states (
    source TEXT NOT NULL, file TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, mapping TEXT NOT NULL, counts TEXT NOT NULL, number INTEGER NOT NULL,
    loaded_ms INTEGER NOT NULL, PRIMARY KEY (source, file));
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
    code TEXT NOT NULL, reason_fr TEXT NOT NULL, reason_en TEXT NOT NULL, original BLOB NOT NULL,
    at_ms INTEGER NOT NULL);
INSERT INTO parts VALUES ('parts/a', 2, 100, 'ab', 1, 2, 'orders', 0, 5, 6);
INSERT INTO counters VALUES ('event_no', 3), ('committed_event_no', 3), ('company', 7), ('version', 3);
INSERT INTO file_states VALUES ('orders', 'a.csv', 10, 20, 'cd', 'map', '{"rows_read":2}', 0, 99);
INSERT INTO quarantine VALUES (NULL, 'orders', 'a.csv', 7, 'date_unreadable', 'non', 'no', x'7365616c6564', 99);
"""


@pytest.mark.parametrize(
    ("table", "change", "read"),
    [
        ("parts", "UPDATE parts SET rows = 3", lambda manifest: manifest.parts()),
        ("parts", "DELETE FROM parts", lambda manifest: manifest.parts()),
        ("counters", "UPDATE counters SET value = 1 WHERE name = 'event_no'", lambda m: m.reserve_event_nos(1)),
        ("counters", "DELETE FROM counters WHERE name = 'version'", lambda manifest: manifest.version),
        ("file_states", "UPDATE file_states SET size = 11", lambda manifest: manifest.file_states("orders")),
        ("known_rows", "DELETE FROM known_rows", lambda manifest: manifest.known_rows("orders")),
        ("seen_runs", "UPDATE seen_runs SET last_day = 4", lambda manifest: manifest.seen_runs()),
        ("retired", "UPDATE retired SET generation = 0", lambda manifest: manifest.retired()),
        ("quarantine", "UPDATE quarantine SET line = 8", lambda manifest: manifest.quarantined()),
    ],
)
def test_an_altered_or_lost_row_is_named_and_never_returned(tmp_path, table, change, read) -> None:
    manifest = Manifest(tmp_path)
    manifest.reserve_event_nos(4)
    manifest.commit(
        add=[part("parts/a"), part("parts/b")],
        quarantine=[aside(7)],
        file_states=[state()],
        known_rows=KnownRows("orders", "known/x", "ef", 2),
        add_seen=[SeenRun("seen/a", 3, 3, 0, 1, 8, "gh", 5, 5)],
    )
    manifest.commit(remove=["parts/b"])
    open_database(tmp_path / ".parcours" / "journal.db").execute(change)
    with pytest.raises(ParcoursError) as caught:
        read(Manifest(tmp_path))
    assert caught.value.code == "row_damaged"
    assert table in str(caught.value)
