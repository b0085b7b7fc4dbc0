"""Which files a source means."""

from __future__ import annotations

import gzip
import sys

import pytest

from parcours.collect.files import digest, find_files, format_of, open_bytes
from parcours.errors import ParcoursError
from parcours.settings import Settings


def test_patterns_places_and_plain_paths(tmp_path, monkeypatch) -> None:
    for name in ("b-2.csv", "b-1.csv", "a.csv"):
        (tmp_path / name).write_text("x")
    settings = Settings(places={"exports": str(tmp_path)})
    assert [path.name for path in find_files("b-*.csv", tmp_path, settings)] == ["b-1.csv", "b-2.csv"]
    assert find_files("${exports}/a.csv", tmp_path / "elsewhere", settings) == ((tmp_path / "a.csv").resolve(),)
    assert find_files("none.csv", tmp_path, settings) == find_files("none-*.csv", tmp_path, settings) == ()
    monkeypatch.setenv("PARCOURS_PLACE_LATE", str(tmp_path))
    assert len(find_files("${late}/a.csv", tmp_path, settings)) == 1
    with pytest.raises(ParcoursError) as caught:
        find_files("${nowhere}/a.csv", tmp_path, settings)
    assert caught.value.code == "place_not_set"


def test_a_file_inside_a_package_is_found_without_importing_it(tmp_path, monkeypatch) -> None:
    package = tmp_path / "a_package_with_data"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "x.csv").write_text("a\n1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    (found,) = find_files("package:a_package_with_data/x.csv", tmp_path, Settings())
    assert found == package / "x.csv"
    assert "a_package_with_data" not in sys.modules
    for name in ("package:no_such_package/x.csv", "package:os.path/x.csv"):
        with pytest.raises(ParcoursError) as caught:
            find_files(name, tmp_path, Settings())
        assert caught.value.code == "package_missing"


def test_formats_by_ending(tmp_path) -> None:
    names = ("a.csv", "a.CSV.gz", "a.tsv", "a.jsonl", "a.ndjson.gz", "a.parquet", "a.xes.gz", "a.dat")
    found = [format_of(None, tmp_path / name) for name in names]
    assert found == ["csv", "csv", "csv", "jsonl", "jsonl", "parquet", "xes", None]
    assert format_of("xes", tmp_path / "a.csv") == "xes"


def test_gzip_is_unpacked_whatever_the_name(tmp_path) -> None:
    path = tmp_path / "plain.csv"
    path.write_bytes(gzip.compress(b"hello"))
    with open_bytes(path) as stream:
        assert stream.read(10) == b"hello"
        assert stream.place() == path.stat().st_size
    assert len(digest(path)) == 64


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: data[:40], lambda data: data[:2] + b"\0" * 20])
def test_a_damaged_gzip_file_is_told_with_its_name(tmp_path, spoil) -> None:
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(spoil(gzip.compress(bytes(range(256)) * 50)))
    with open_bytes(path) as stream, pytest.raises(ParcoursError, match=r"orders\.csv\.gz") as caught:
        stream.read(1 << 20)
    assert caught.value.code == "file_unreadable"
