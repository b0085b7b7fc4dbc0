"""One writer a company: a lock that the system lets go of by itself when its process ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parcours.engine.store.tables import writes_told
from parcours.errors import ParcoursError
from parcours.words import Words

POLL_S = 0.05
_held: dict[Path, int] = {}


@contextmanager
def company_lock(folder: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the company ``folder`` for writing; a process that already holds it may enter again.

    ``wait_s`` is how long to wait for whoever holds it: `serve` does so for moments, again and again.

    Raises:
        ParcoursError: ``already_running`` when another process holds it, ``disk_full``, ``not_writable``.
    """
    path = (folder / ".parcours" / "lock").resolve()
    if path in _held:
        yield
        return
    with writes_told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait(handle, wait_s)
        _take(handle, folder)
        _held[path] = handle
        try:
            yield
        finally:
            del _held[path]
    finally:
        os.close(handle)


def _wait(handle: int, wait_s: float) -> None:
    """Return when the lock could be had, or when the time is up: `_take` then says by whom it is held."""
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(POLL_S)
        else:
            return


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        if fault.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        owner = os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "?"
        raise ParcoursError(
            "already_running",
            Words(
                fr=f"Une autre commande parcours tient {folder} (processus {owner}).",
                en=f"Another parcours run holds {folder} (process {owner}).",
            ),
            Words(
                fr="Attendez qu'elle finisse ou arrêtez-la, puis recommencez.",
                en="Wait until it has finished or stop it, then try again.",
            ),
            folder,
        ) from fault
    # The number only serves the sentence above: a full disk must not stand in the way of the lock.
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    except OSError:
        return
