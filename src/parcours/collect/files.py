"""Which files a source means, and their bytes: patterns, places, files of installed packages, gzip."""

from __future__ import annotations

import glob
import gzip
import hashlib
import importlib.util
import zlib
from contextlib import AbstractContextManager
from io import BufferedIOBase
from pathlib import Path
from types import TracebackType

import msgspec

from parcours.collect.faults import file_unreadable
from parcours.collect.source import Format, Source
from parcours.errors import ParcoursError
from parcours.settings import Settings
from parcours.words import Words

PACKAGE = "package:"
_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xes": "xes",
}


class Stamp(msgspec.Struct, frozen=True):
    """What tells one state of a file from another without reading it."""

    size: int
    mtime_ns: int


def find_files(pattern: str, folder: Path, settings: Settings) -> tuple[Path, ...]:
    """Return the files that ``pattern`` means, sorted; none when nothing is there.

    Raises:
        ParcoursError: ``place_not_set`` or ``package_missing``.
    """
    if pattern.startswith(PACKAGE):
        path = _in_package(pattern.removeprefix(PACKAGE))
    else:
        path = settings.locate(pattern, folder)
    if any(letter in pattern for letter in "*?["):
        return tuple(sorted(Path(one) for one in glob.glob(str(path), recursive=True) if Path(one).is_file()))
    return (path,) if path.is_file() else ()


def _in_package(name: str) -> Path:
    """Return a file inside an installed package, which is found without being imported."""
    package, _, inside = name.partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ParcoursError(
            "package_missing",
            Words(f"Le paquet Python « {package} » n'est pas installé.", f"The package “{package}” is not installed."),
            Words(f"Installez-le : pip install {package}.", f"Install it: pip install {package}."),
        )
    return Path(places[0]) / inside


def format_of(source_format: Format | None, path: Path) -> Format | None:
    """Return the format that the source states, else the one that the file's name says."""
    if source_format:
        return source_format
    name = path.name.lower().removesuffix(".gz")
    return _ENDINGS.get(Path(name).suffix)


def format_of_source(source: Source) -> Format | None:
    """Return the format of a source from its YAML alone; none when it has no file."""
    return format_of(source.format, Path(source.file)) if source.file is not None else None


def stamp(path: Path) -> Stamp:
    """Return the size and the time of the last change of ``path``."""
    state = path.stat()
    return Stamp(state.st_size, state.st_mtime_ns)


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Bytes(AbstractContextManager["Bytes"]):
    """A file's bytes, unpacked when it is gzipped, whatever its name says."""

    def __init__(self, path: Path) -> None:
        self._path, self._file = path, path.open("rb")
        packed = self._file.read(2) == b"\x1f\x8b"
        self._file.seek(0)
        self._stream: BufferedIOBase = gzip.GzipFile(fileobj=self._file) if packed else self._file

    def read(self, size: int) -> bytes:
        """Return at most ``size`` bytes, and none at the end.

        Raises:
            ParcoursError: ``file_unreadable`` when it is gzipped and damaged, or cut short.
        """
        try:
            return self._stream.read(size)
        except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
            raise file_unreadable(self._path, f"gzip, {fault}".rstrip(".")) from fault

    def place(self) -> int:
        """Return how far the file on disk has been read."""
        return self._file.tell()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def open_bytes(path: Path) -> Bytes:
    """Open ``path`` for reading; gzip is unpacked on the way."""
    return Bytes(path)
