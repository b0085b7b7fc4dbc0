"""Derived tables and results under `.parcours/tables`: rebuildable at any time, replaced whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from parcours.engine.store.digests import describe, is_intact
from parcours.engine.store.sqlite import disk_full
from parcours.errors import ParcoursError
from parcours.words import Words

POINTER = "current"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Made(msgspec.Struct, frozen=True):
    """What the pointer of a table says: the version in force, what that was made of, its files' sizes and SHA-256."""

    version: str
    fingerprint: str
    files: dict[str, tuple[int, str]]


class Version:
    """One version of a table, whole and unchanging; it stays on disk until `release`, or as long as this lives."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle: int | None = handle

    def release(self) -> None:
        """Let go of it; doing so twice is harmless."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        self.release()


class Tables:
    """The derived tables of one company; each name is a folder of versions and a pointer to the one in force.

    Whoever reads a version holds it (`hold`): the system lets go by itself when the reader's process ends. A version
    that is in force no more is deleted once nobody holds it.

    Args:
        folder: The company folder; tables stand in ``folder/.parcours/tables``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".parcours" / "tables"

    def place(self, name: str) -> Path:
        """Return the folder of the version of ``name`` in force, which is not there when there is none.

        A name that would leave the folder raises `ValueError`. It may be replaced at any moment: see `hold`.
        """
        made = self._read(name)
        return self._home(name) / (made.version if made else "none")

    def fresh(self, name: str, fingerprint: str) -> bool:
        """Return whether ``name`` stands there unharmed and was made of exactly ``fingerprint``."""
        version = self.hold(name, fingerprint)
        return version is not None

    def hold(self, name: str, fingerprint: str) -> Version | None:
        """Return the version of ``name`` in force, held, when it was made of ``fingerprint`` and is unharmed.

        A damaged one counts as none, so that it is made anew.
        """
        while (made := self._read(name)) is not None and made.fingerprint == fingerprint:
            version = _take(self._home(name) / made.version)
            if version is not None:
                files = made.files.items()
                return version if all(is_intact(version.path / file, *told) for file, told in files) else None
            if self._read(name) == made:
                return None
        return None

    def fingerprint(self, name: str) -> str | None:
        """Return what the version of ``name`` in force was made of, or nothing when there is none."""
        made = self._read(name)
        return made.fingerprint if made else None

    @contextmanager
    def replace(self, name: str, fingerprint: str) -> Iterator[Path]:
        """Give an empty folder to write to; on leaving without an error it is the version of ``name`` in force.

        Until then readers see what was there before, and after an error they go on seeing it.

        Raises:
            ParcoursError: ``disk_full``.
        """
        home = self._home(name)
        draft = home / secrets.token_hex(8)
        with writes_told(home):
            draft.mkdir(parents=True)
            # Held while it is written, so that nobody else takes it for one that was left behind.
            version = _take(draft)
            try:
                yield draft
                paths = [path for path in sorted(draft.rglob("*")) if path.is_file()]
                for path in (*paths, draft):
                    sync(path)
                files = {str(path.relative_to(draft)): describe(path) for path in paths}
                self._point(home, Made(draft.name, fingerprint, files))
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise
            finally:
                if version:
                    version.release()
                self.sweep(name)

    def write_result(self, name: str, fingerprint: str, document: bytes) -> None:
        """Keep ``document`` (JSON) as the result ``name`` made of ``fingerprint``.

        Raises:
            ParcoursError: ``disk_full``.
        """
        with self.replace(name, fingerprint) as draft:
            (draft / "result.json").write_bytes(document)

    def read_result(self, name: str, fingerprint: str) -> bytes | None:
        """Return the result kept under ``name``, or nothing when it was made of something else."""
        version = self.hold(name, fingerprint)
        if version is None or not (version.path / "result.json").exists():
            return None
        return (version.path / "result.json").read_bytes()

    def drop(self, name: str) -> None:
        """Remove ``name``, whoever reads it; nothing happens when it is not there."""
        (self._home(name) / POINTER).unlink(missing_ok=True)
        shutil.rmtree(self._home(name), ignore_errors=True)

    def sweep(self, name: str) -> None:
        """Remove what of ``name`` is in force no more and nobody holds."""
        home = self._home(name)
        made = self._read(name)
        for path in sorted(home.iterdir()) if home.is_dir() else ():
            if path.name in (POINTER, made.version if made else None):
                continue
            if path.is_dir():
                _remove_unheld(path)
            else:
                path.unlink(missing_ok=True)

    def superseded(self, name: str) -> list[Path]:
        """Return the versions of ``name`` that are on disk and in force no more: somebody holds them."""
        made = self._read(name)
        home = self._home(name)
        return [path for path in home.iterdir() if path.is_dir() and path.name != (made.version if made else None)]

    def names(self) -> list[str]:
        """Return the names that have a pointer."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{POINTER}"))

    def is_intact(self, name: str) -> bool:
        """Return whether the pointer of ``name`` and every file of the version in force are what was written."""
        made = self._read(name)
        if made is None:
            return False
        place = self._home(name) / made.version
        return all(is_intact(place / file, *told, again=True) for file, told in made.files.items())

    def _home(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a table name: {name!r}")
        return self.folder / name

    def _read(self, name: str) -> Made | None:
        """Return what the pointer says, or nothing when there is none that can be believed."""
        try:
            body, _, checksum = (self._home(name) / POINTER).read_bytes().rpartition(b"\n")
            if hashlib.sha256(body).hexdigest().encode() != checksum:
                return None
            return msgspec.json.decode(body, type=Made)
        except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
            return None

    def _point(self, home: Path, made: Made) -> None:
        body = msgspec.json.encode(made)
        fresh = home / made.version / POINTER
        fresh.write_bytes(body + b"\n" + hashlib.sha256(body).hexdigest().encode())
        sync(fresh)
        fresh.replace(home / POINTER)
        sync(home)
        sync(self.folder)


@contextmanager
def writes_told(path: Path) -> Iterator[None]:
    """Turn a write that finds no room into a `ParcoursError` ``disk_full``; whoever calls removes the draft."""
    try:
        yield
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
            raise disk_full(path) from fault
        if fault.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ParcoursError(
                "not_writable",
                Words(fr=f"Parcours n'a pas le droit d'écrire {path}.", en=f"Parcours may not write {path}."),
                Words(
                    fr="Donnez à ce compte le droit d'écrire dans le dossier de l'entreprise.",
                    en="Give this account the right to write in the company folder.",
                ),
                path,
            ) from fault
        raise


def sync(path: Path) -> None:
    """Wait until the file or folder ``path`` is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _take(path: Path) -> Version | None:
    """Hold the version at ``path``; nothing when it is not there (any more)."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return None
    fcntl.flock(handle, fcntl.LOCK_SH)
    if os.fstat(handle).st_nlink:
        return Version(path, handle)
    os.close(handle)
    return None


def _remove_unheld(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    else:
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(handle)
