"""Pages already made, kept until what they rest on changes."""

from __future__ import annotations

import gzip
import hashlib
import math
import time
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
    ".parcours/erasing",
)
# While events come in, the keeper alone decides what pages show, and says so by writing its report anew: the journal,
# the state, the keys and the parts change every few seconds, and mean nothing to a reader until it has.
PUBLISHED = (*DECLARED, ".parcours/tables/results/_run.json", ".parcours/erasing")
LONGEST_S = 60.0
"""How long a page stays at most while events come in: another process may have erased somebody without publishing."""
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


class Kept(NamedTuple):
    """A page on the shelf, and when it was made (monotonic seconds)."""

    body: Body
    made_s: float


class Shelf:
    """The most recently read pages of one folder; safe to share between threads.

    Args:
        folder: The company folder.
        rests_on: What pages rest on, inside it.
        longest_s: How long a page stays at most.
    """

    def __init__(self, folder: Path, rests_on: tuple[str, ...] = RESTS_ON, longest_s: float = math.inf) -> None:
        self._folder = folder
        self._rests_on = rests_on
        self._longest_s = longest_s
        self._stamp: Stamp = ()
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = Lock()
        self._making = RLock()
        # A page that is always made anew must not wait for one whose measures take long.
        self._making_fresh = RLock()

    def mark(self) -> str:
        """Return what changes whenever the pages do."""
        return hashlib.sha256(repr(self._read_stamp()).encode()).hexdigest()[:16]

    def take(self, address: str, make: Callable[[], str], longest_s: float = math.inf) -> Body:
        """Return the page at ``address``, made anew when what it rests on has changed or it is too old."""
        stamp = self._read_stamp()
        age_s = min(longest_s, self._longest_s)
        if (found := self._find(address, stamp, age_s)) is not None:
            return found
        # One page is made at a time: eight readers of a new run must not ask the same measures eight times.
        with self._making if longest_s == math.inf else self._making_fresh:
            if (found := self._find(address, stamp, age_s)) is not None:
                return found
            made_s = time.monotonic()
            body = pack(make())
            with self._lock:
                if stamp == self._stamp:
                    self._kept[address] = Kept(body, made_s)
                    while len(self._kept) > MOST_PAGES:
                        self._kept.popitem(last=False)
            return body

    def _read_stamp(self) -> Stamp:
        return read_stamp(self._folder, self._rests_on)

    def _find(self, address: str, stamp: Stamp, age_s: float) -> Body | None:
        with self._lock:
            if stamp != self._stamp:
                self._kept.clear()
                self._stamp = stamp
            kept = self._kept.get(address)
            if kept is None or time.monotonic() - kept.made_s > age_s:
                return None
            self._kept.move_to_end(address)
            return kept.body
