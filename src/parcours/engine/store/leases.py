"""Leases: who reads what the manifest said a while ago, so that no file is deleted under a reader."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from parcours.engine.store.tables import writes_told

LEASES = "leases"
_DIGITS = 20


class Lease:
    """A reader's claim on every file that was in force at ``generation`` or later, until `release`.

    The claim is a locked file: the system lets go of it by itself when the process ends, however it ends.
    """

    def __init__(self, path: Path, handle: int, generation: int) -> None:
        self.generation = generation
        self._path = path
        self._handle: int | None = handle
        self._owner = os.getpid()

    def release(self) -> None:
        """Give the claim back; doing so twice is harmless."""
        if self._handle is not None:
            # A forked process holds the same lock and must not take its parent's claim away.
            if self._owner == os.getpid():
                self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def __del__(self) -> None:
        with suppress(OSError):
            self.release()


def take_lease(folder: Path, read_generation: Callable[[], int]) -> Lease:
    """Claim every file that is in force from now on in the company ``folder``.

    ``read_generation`` is called once the claim stands already, so that nothing which it may still see is deleted
    in between. List files only after this has returned.

    Raises:
        ParcoursError: ``disk_full``, ``not_writable``.
    """
    place = folder / ".parcours" / LEASES
    path = place / f"{os.getpid()}-{secrets.token_hex(8)}"
    with writes_told(path):
        place.mkdir(parents=True, exist_ok=True)
        handle = _lock(path)
        try:
            generation = read_generation()
            os.pwrite(handle, str(generation).rjust(_DIGITS).encode(), 0)
        except BaseException:
            path.unlink(missing_ok=True)
            os.close(handle)
            raise
    return Lease(path, handle, generation)


@contextmanager
def leased(folder: Path, read_generation: Callable[[], int]) -> Iterator[int]:
    """Hold a lease while something is read; give its generation. Errors as in `take_lease`."""
    lease = take_lease(folder, read_generation)
    try:
        yield lease.generation
    finally:
        lease.release()


def oldest_lease(folder: Path) -> int | None:
    """Return the oldest generation that a living reader may still be reading, or nothing when nobody reads.

    Files whose reader has ended without saying so are removed. A lease that is just being taken, or that cannot be
    read, counts as older than everything.
    """
    place = folder / ".parcours" / LEASES
    living = [_read(path) for path in sorted(place.iterdir())] if place.is_dir() else []
    return min((one for one in living if one is not None), default=None)


def _lock(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Between the two calls a sweep may have taken the file for one that was left behind, and removed it.
        if os.fstat(handle).st_nlink:
            return handle
        os.close(handle)


def _read(path: Path) -> int | None:
    """Return the generation in the lease at ``path``; nothing when its reader is gone, and the file with it."""
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        written = os.pread(handle, _DIGITS, 0)
        return int(written) if len(written) == _DIGITS and written.strip().isdigit() else 0
    else:
        path.unlink(missing_ok=True)
        return None
    finally:
        os.close(handle)
