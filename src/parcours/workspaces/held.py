"""The company that pages are read from: opened again when its blueprint or its settings change on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

from parcours.errors import ParcoursError
from parcours.words import Words
from parcours.workspaces.readable import Readable
from parcours.workspaces.shelf import DECLARED, read_stamp

Reopen = Callable[[], Readable]


class Held:
    """Holds the company as it was last read without a fault; safe to share between threads.

    A request takes it once, so that a page never mixes two blueprints.
    """

    def __init__(self, company: Readable, reopen: Reopen | None = None) -> None:
        self._company = company
        self._reopen = reopen
        self._stamp = read_stamp(company.folder, DECLARED)
        self._lock = Lock()

    def take(self) -> Readable:
        """Return the company as its files now say; with a fault in them, as they said before, and its ``notice``."""
        if self._reopen is None:
            return self._company
        with self._lock:
            stamp = read_stamp(self._company.folder, DECLARED)
            if stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._company = self._reopen()
                except ParcoursError as fault:
                    self._company.notice = _say_fault(fault)
            return self._company


def _say_fault(fault: ParcoursError) -> Words:
    first = fault.faults[0]
    more = len(fault.faults) - 1
    sentence, remedy = first.sentence, first.remedy
    # The file's name alone: a page says nothing of the machine's folders.
    place = f"{Path(first.place).name}\u00a0: " if first.place else ""
    return Words(
        fr=f"Le blueprint ou les réglages ont changé et ont une faute ; les pages montrent encore la version d’avant. "
        f"{place}{sentence.fr} {remedy.fr}{f' (et {more} de plus)' if more else ''}",
        en="The blueprint or the settings have changed and have a fault; the pages still show the version before. "
        f"{place}{sentence.en} {remedy.en}{f' (and {more} more)' if more else ''}",
    )
