"""One writer a company, and one `serve`: locks that the system lets go of by itself when their process ends."""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from parcours.engine.store.sqlite import database_gone
from parcours.engine.store.tables import writes_told
from parcours.errors import ParcoursError
from parcours.words import Words

COMPANY, SERVING, PAGES = "lock", "serving", "pages"
"""The files that are locked, in ``.parcours``."""

POLL_S = 0.05
_held: set[tuple[Path, int]] = set()


@contextmanager
def company_lock(folder: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the company ``folder`` for writing; a thread that already holds it may enter again.

    ``wait_s`` is how long to wait for whoever holds it: `serve` does so for moments, again and again.

    Raises:
        ParcoursError: ``already_running`` when somebody else holds it, ``disk_full``, ``not_writable``,
            ``database_gone`` when there is no such folder.
    """
    key = (folder / ".parcours" / COMPANY).resolve(), threading.get_ident()
    if key in _held:
        yield
        return
    with _locked(key[0], wait_s, lambda owner: _already_running(folder, owner)):
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)


@contextmanager
def serving_lock(folder: Path, remedy: Words | None = None) -> Iterator[None]:
    """Be the one `serve` that collects for the company ``folder``; ``remedy`` is for what is no `serve` itself.

    Raises:
        ParcoursError: ``already_serving``, ``disk_full``, ``not_writable``.
    """
    with _locked(folder / ".parcours" / SERVING, 0.0, lambda owner: _already_serving(folder, owner, remedy)):
        yield


@contextmanager
def pages_told(folder: Path, place: str) -> Iterator[None]:
    """Say for as long as this lasts that the pages of ``folder`` are at ``place``; of several, the first is told."""
    path = folder / ".parcours" / PAGES
    with writes_told(path):
        path.parent.mkdir(exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if _take(handle):
            _write(handle, place)
        yield
    finally:
        os.close(handle)


def find_pages(folder: Path) -> str:
    """Return where the pages of ``folder`` are now, as ``http://HOST:PORT``; nothing when nobody shows them."""
    try:
        handle = os.open(folder / ".parcours" / PAGES, os.O_RDONLY)
    except FileNotFoundError:
        return ""
    try:
        # Whoever said so and lives holds the lock still.
        return "" if _take(handle) else os.pread(handle, 300, 0).decode("ascii", "replace")
    finally:
        os.close(handle)


@contextmanager
def _locked(path: Path, wait_s: float, taken: Callable[[str], ParcoursError]) -> Iterator[None]:
    with writes_told(path):
        try:
            # A company folder that was deleted under us is not made anew.
            path.parent.mkdir(exist_ok=True)
        except FileNotFoundError as fault:
            raise database_gone(path) from fault
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        until = time.monotonic() + wait_s
        while not _take(handle):
            if time.monotonic() >= until:
                raise taken(os.pread(handle, 20, 0).decode("ascii", "replace").strip() or "?")
            time.sleep(POLL_S)
        _write(handle, str(os.getpid()))
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        if fault.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            raise
        return False
    return True


def _write(handle: int, told: str) -> None:
    """Write who holds the lock, or where: it only serves a sentence, and a full disk must not stand in its way."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, told.encode(), 0)
    except OSError:
        return


def _already_running(folder: Path, owner: str) -> ParcoursError:
    return ParcoursError(
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
    )


def _already_serving(folder: Path, owner: str, remedy: Words | None) -> ParcoursError:
    return ParcoursError(
        "already_serving",
        Words(
            fr=f"Un autre parcours serve collecte déjà pour {folder} (processus {owner}).",
            en=f"Another parcours serve collects for {folder} already (process {owner}).",
        ),
        remedy
        or Words(
            fr="Servez-vous de celui-là ou arrêtez-le ; --no-collect ouvre les pages seules à côté de lui.",
            en="Use that one, or stop it; --no-collect opens the pages alone beside it.",
        ),
        folder,
    )
