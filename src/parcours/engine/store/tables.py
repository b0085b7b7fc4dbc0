"""Derived tables and results under `.parcours/tables`: rebuildable at any time, replaced whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parcours.engine.store.sqlite import disk_full
from parcours.errors import ParcoursError
from parcours.words import Words

STAMP = "fingerprint"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class Tables:
    """The derived tables of one company; each name is a folder that holds files and the fingerprint they were made of.

    Args:
        folder: The company folder; tables stand in ``folder/.parcours/tables``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / ".parcours" / "tables"

    def place(self, name: str) -> Path:
        """Return the folder of ``name``, made or not; a name that would leave the folder raises `ValueError`."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a table name: {name!r}")
        return self.folder / name

    def fresh(self, name: str, fingerprint: str) -> bool:
        """Return whether ``name`` stands there and was made of exactly ``fingerprint``."""
        stamp = self.place(name) / STAMP
        try:
            return stamp.read_text("utf-8") == fingerprint
        except (FileNotFoundError, UnicodeDecodeError):
            return False

    @contextmanager
    def replace(self, name: str, fingerprint: str) -> Iterator[Path]:
        """Give an empty folder to write to; on leaving without an error it takes the place of ``name``.

        Until then readers see what was there before, and after an error they go on seeing it.

        Raises:
            ParcoursError: ``disk_full``.
        """
        target = self.place(name)
        draft = self.folder / f".{name}.{os.getpid()}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            with writes_told(target):
                draft.mkdir(parents=True)
                yield draft
                (draft / STAMP).write_text(fingerprint, "utf-8")
                for path in sorted(draft.rglob("*")):
                    sync(path)
                _swap(draft, target)
                sync(self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def write_result(self, name: str, fingerprint: str, document: bytes) -> None:
        """Keep ``document`` (JSON) as the result ``name`` made of ``fingerprint``.

        Raises:
            ParcoursError: ``disk_full``.
        """
        with self.replace(name, fingerprint) as draft:
            (draft / "result.json").write_bytes(document)

    def read_result(self, name: str, fingerprint: str) -> bytes | None:
        """Return the result kept under ``name``, or nothing when it was made of something else."""
        if not self.fresh(name, fingerprint):
            return None
        try:
            return (self.place(name) / "result.json").read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, name: str) -> None:
        """Remove ``name``; nothing happens when it is not there."""
        shutil.rmtree(self.place(name), ignore_errors=True)


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


def _swap(draft: Path, target: Path) -> None:
    """Put ``draft`` where ``target`` is. A crash between the two renames leaves no table, which is only rebuilt."""
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    draft.rename(target)
    shutil.rmtree(old, ignore_errors=True)
