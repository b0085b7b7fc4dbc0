"""A disk that fails as it is told: an SQLite VFS over the real one, for the processes that tests start.

What is to fail stands in a file that may change at any moment; nothing fails while the file is missing.
"""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Any

import apsw
import msgspec

SECTOR = 512
ERRORS = {
    ("EIO", "sync"): apsw.SQLITE_IOERR_FSYNC,
    ("EIO", "write"): apsw.SQLITE_IOERR_WRITE,
    ("EIO", "read"): apsw.SQLITE_IOERR_READ,
    ("EIO", "truncate"): apsw.SQLITE_IOERR_TRUNCATE,
    ("EIO", "open"): apsw.SQLITE_CANTOPEN,
    ("ENOSPC", "write"): apsw.SQLITE_FULL,
    ("EROFS", "write"): apsw.SQLITE_READONLY,
    ("EROFS", "open"): apsw.SQLITE_READONLY,
}


class Plan(msgspec.Struct, frozen=True):
    """What fails.

    Attributes:
        on: The calls: ``sync``, ``write``, ``read``, ``truncate``, ``open``.
        error: ``EIO``, ``ENOSPC`` or ``EROFS``.
        files: The ends of the names of the files that it is about.
        after: How many such calls still succeed.
        short: Whether half of what was to be written is written.
        lose: Whether a failed sync loses what was written since the last one, as a kernel that drops pages does.
        cut: After so many calls the power fails: what was not synced is on disk or not, sector by sector.
        seed: What that chance starts from.
    """

    on: tuple[str, ...] = ()
    error: str = "EIO"
    files: tuple[str, ...] = ("-wal", ".db")
    after: int = 0
    short: bool = False
    lose: bool = False
    cut: int = 0
    seed: int = 0


class Disk:
    """What is told to fail now, and what every file holds that is not synced yet."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._stamp: tuple[int, int] | None = None
        self._plan: Plan | None = None
        self._calls = 0
        self.unsynced: dict[str, list[tuple[int, bytes, int]]] = {}

    def meet(self, call: str, name: str) -> Plan | None:
        """Return the plan when this call is to fail."""
        plan = self._read()
        if plan is None or not name.endswith(plan.files):
            return None
        if plan.cut and call in ("write", "sync"):
            self._calls += 1
            if self._calls >= plan.cut:
                self.cut_power(plan.seed)
        if call not in plan.on:
            return None
        self._calls += 1
        return plan if self._calls > plan.after else None

    def _read(self) -> Plan | None:
        try:
            state = self._place.stat()
        except FileNotFoundError:
            self._stamp = self._plan = None
            return None
        stamp = (state.st_mtime_ns, state.st_ino)
        if stamp != self._stamp:
            self._stamp, self._calls = stamp, 0
            self._plan = msgspec.json.decode(self._place.read_bytes(), type=Plan)
        return self._plan

    def lose(self, name: str) -> None:
        """Put back what ``name`` held at its last sync."""
        with Path(name).open("r+b", buffering=0) as file:
            for offset, old, size in reversed(self.unsynced.pop(name, [])):
                file.seek(offset)
                file.write(old)
                file.truncate(max(size, 0))

    def cut_power(self, seed: int) -> None:
        """End the process as a power cut does: of what was not synced, each sector is there or not."""
        chance = random.Random(seed)
        for name, changes in self.unsynced.items():
            if not Path(name).exists():
                continue
            with Path(name).open("r+b", buffering=0) as file:
                for offset, old, size in reversed(changes):
                    for start in range(0, len(old), SECTOR):
                        if chance.random() < 0.5:
                            file.seek(offset + start)
                            file.write(old[start : start + SECTOR])
                    if chance.random() < 0.2:
                        file.truncate(max(size, 0))
        os._exit(137)


def fail(plan: Plan, call: str) -> None:
    """Raise what a plan says."""
    raise apsw.exception_for(ERRORS[plan.error, call])


class FaultyFile(apsw.VFSFile):
    """A file on the disk."""

    def __init__(self, disk: Disk, filename: Any, flags: list[int]) -> None:
        super().__init__("unix", filename, flags)
        self._disk = disk
        self._name = filename.filename() if isinstance(filename, apsw.URIFilename) else str(filename)

    def xRead(self, amount: int, offset: int) -> bytes:
        if plan := self._disk.meet("read", self._name):
            fail(plan, "read")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        plan = self._disk.meet("write", self._name)
        if plan and not plan.short:
            fail(plan, "write")
        size = super().xFileSize()
        old = super().xRead(len(data), offset) if offset < size else bytes(len(data))
        self._disk.unsynced.setdefault(self._name, []).append((offset, old, size))
        super().xWrite(data[: len(data) // 2] if plan else data, offset)
        if plan:
            fail(plan, "write")

    def xTruncate(self, size: int) -> None:
        if plan := self._disk.meet("truncate", self._name):
            fail(plan, "truncate")
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        if plan := self._disk.meet("sync", self._name):
            if plan.lose:
                self._disk.lose(self._name)
            fail(plan, "sync")
        super().xSync(flags)
        self._disk.unsynced.pop(self._name, None)


class FaultyVfs(apsw.VFS):
    """The disk as SQLite sees it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__("faulty", "unix", True)

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        if plan := self._disk.meet("open", str(name.filename() if isinstance(name, apsw.URIFilename) else name)):
            fail(plan, "open")
        return FaultyFile(self._disk, name, flags)
