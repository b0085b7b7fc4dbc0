"""The main process's ear at the journal: follows it once a second, and tells the pages what arrives."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from parcours import company as companies
from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.serving.keeper import Told
from parcours.serving.measurer import Published
from parcours.serving.memory import give_back
from parcours.serving.read_back import ReadBack
from parcours.serving.troubles import list_troubles
from parcours.workspaces.live import Latest, LiveState

LOG = logging.getLogger(__name__)
EVERY_S = 1.0
GIVE_BACK_S = 10.0


class Feed:
    """What pages listen to.

    Args:
        company: The company, open; when its files change it is opened again, and followed anew.
        told: Returns what keeper and measurer last told.
        read_back: Keeps what arrives, for conformance checks.
    """

    def __init__(
        self, company: Company, told: Callable[[], tuple[Told, Published]], read_back: ReadBack | None = None
    ) -> None:
        self._company, self._told, self._read_back = company, told, read_back
        self._listen()
        self._declared = companies.declared_stamp(company.folder)
        self._stopping = threading.Event()
        self._state = LiveState()
        self._said = ""
        self._thread = threading.Thread(target=self._follow, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def take(self) -> Company:
        """Return the company whose journal is followed."""
        return self._company

    def catch_up(self) -> None:
        """Read what was acknowledged by now."""
        self._company.live.catch_up()

    def snapshot(self) -> LiveState:
        """Return what arrives, as of the last second."""
        return self._state

    def _follow(self) -> None:
        given_back = time.monotonic()
        while not self._stopping.wait(EVERY_S):
            if time.monotonic() - given_back > GIVE_BACK_S:
                give_back()
                given_back = time.monotonic()
            try:
                self._reopen()
                self._state = self._look()
                self._said = ""
            except ParcoursError as fault:
                self._say(fault.code)
            except Exception as fault:
                # Pages go on without it, and it goes on with the next look.
                self._say(type(fault).__name__)

    def _say(self, code: str) -> None:
        if code != self._said:
            LOG.warning("the journal cannot be followed", extra={"fields": {"code": code}})
        self._said = code

    def _reopen(self) -> None:
        stamp = companies.declared_stamp(self._company.folder)
        if stamp == self._declared:
            return
        self._declared = stamp
        company = companies.open(self._company.folder, follow=True)
        # A source with a fault keeps the company as it was.
        before, self._company = self._company, self._start_anew(company)
        before.live.close()

    def _start_anew(self, company: Company) -> Company:
        """Follow with another company what this one has not published yet."""
        company.live.published_to = self._company.live.published_to
        company.live.hear = self._company.live.hear
        return company

    def _listen(self) -> None:
        if self._read_back is not None:
            self._company.live.hear = self._read_back.note

    def _look(self) -> LiveState:
        live, (told, published) = self._company.live, self._told()
        live.published_to = max(live.published_to, published.batch_no)
        live.catch_up()
        pulse = live.pulse()
        touchpoints = self._company.blueprint.touchpoints
        latest = None
        if pulse.latest_touchpoint >= 0:
            latest = Latest(touchpoints[pulse.latest_touchpoint].id, pulse.latest_ms)
        troubles = "".join(f"-{fault.code}" for fault in list_troubles(told, published))
        return LiveState(
            rate_per_min=pulse.per_minute,
            lag_ms=pulse.waited_ms(),
            touchpoints={touchpoints[place].id: count for place, count in pulse.touchpoints.items()},
            latest=latest,
            sources_changed=f"{told.taken_batch_no}-{told.quarantined}-{published.at_ms}{troubles}",
        )
