"""Pages already made, kept until the company's folder changes."""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock, RLock
from typing import NamedTuple

MOST_PAGES = 400
# What a page rests on: a run rewrites the journal, a consent or an erasure the state or the keys.
DECLARED = ("parcours.toml", "blueprint.yaml", "blueprint")
RESTS_ON = (
    *DECLARED,
    ".parcours/journal.db",
    ".parcours/journal.db-wal",
    ".parcours/state.db",
    ".parcours/state.db-wal",
    ".parcours/keys.db",
    ".parcours/keys.db-wal",
    ".parcours/parts",
    ".parcours/tables/results/_run.json",
)
Stamp = tuple[int, ...]


class Body(NamedTuple):
    """A page as it is sent: plain, compressed, and the tag that names exactly this content."""

    plain: bytes
    compressed: bytes
    tag: str


def read_stamp(folder: Path, names: tuple[str, ...] = RESTS_ON) -> Stamp:
    """Return what changes whenever one of ``names`` does, or a blueprint file in its folder (a missing one is 0)."""
    times = []
    for name in names:
        place = folder / name
        for path in (place, *(sorted(place.glob("*.y*ml")) if name == "blueprint" else ())):
            try:
                times.append(path.stat().st_mtime_ns)
            except OSError:
                times.append(0)
    return tuple(times)


def pack(text: str) -> Body:
    """Compress and tag a page."""
    plain = text.encode("utf-8")
    return Body(plain, gzip.compress(plain, 6, mtime=0), f'"{hashlib.sha256(plain).hexdigest()[:20]}"')


class Shelf:
    """The most recently read pages of one folder; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: Stamp = ()
        self._bodies: OrderedDict[str, Body] = OrderedDict()
        self._lock = Lock()
        self._making = RLock()

    def take(self, address: str, make: Callable[[], str]) -> Body:
        """Return the page at ``address``, made anew when the folder has changed since."""
        stamp = read_stamp(self._folder)
        if (found := self._find(address, stamp)) is not None:
            return found
        # One page is made at a time: eight readers of a new run must not ask the same measures eight times.
        with self._making:
            if (found := self._find(address, stamp)) is not None:
                return found
            body = pack(make())
            with self._lock:
                if stamp == self._stamp:
                    self._bodies[address] = body
                    while len(self._bodies) > MOST_PAGES:
                        self._bodies.popitem(last=False)
            return body

    def _find(self, address: str, stamp: Stamp) -> Body | None:
        with self._lock:
            if stamp != self._stamp:
                self._bodies.clear()
                self._stamp = stamp
            if address in self._bodies:
                self._bodies.move_to_end(address)
            return self._bodies.get(address)
