"""Every inlet at work, one thread each, so that a slow one never holds up another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from parcours.collect.connectors.backoff import Backoff
from parcours.collect.connectors.contract import Inlet, Port
from parcours.collect.connectors.faults import fault_of
from parcours.errors import Fault, ParcoursError

LOG = logging.getLogger(__name__)


class InletState(msgspec.Struct, frozen=True):
    """How one inlet stands: whether it failed when last called, and why it last did."""

    source: str
    failures: int
    last_error: Fault | None
    last_error_ms: int | None
    last_success_ms: int | None


class _Work:
    """One inlet and its thread."""

    def __init__(self, source: str, open_inlet: Callable[[], Inlet], port: Port) -> None:
        self.source = source
        self._open = open_inlet
        self._port = port
        self._inlet: Inlet | None = None
        self._backoff = Backoff()
        self._last_error: Fault | None = None
        self._last_error_ms: int | None = None
        self._last_success_ms: int | None = None
        self.thread = threading.Thread(target=self._run, name=f"inlet {source}", daemon=True)

    def close(self) -> None:
        inlet = self._inlet
        if inlet is not None:
            try:
                inlet.close()
            except Exception as error:
                LOG.warning("Source %s: closing failed: %s", self.source, type(error).__name__)

    def state(self) -> InletState:
        return InletState(
            self.source, self._backoff.failures, self._last_error, self._last_error_ms, self._last_success_ms
        )

    def _run(self) -> None:
        while not self._port.stopping():
            self._port.wait(self._turn())
        self.close()

    def _turn(self) -> float:
        try:
            if self._inlet is None:
                self._inlet = self._open()
            self._inlet.bring(self._port)
        except ParcoursError as error:
            return self._fail(error.faults[0])
        except Exception as error:
            # What broke unforeseen may have left the inlet half open: the next attempt starts with another.
            self.close()
            self._inlet = None
            return self._fail(fault_of(error, self.source))
        self._backoff.reset()
        self._last_success_ms = _now_ms()
        return self._inlet.pause_s

    def _fail(self, fault: Fault) -> float:
        pause_s = self._backoff.pause_s()
        self._last_error, self._last_error_ms = fault, _now_ms()
        if self._backoff.failures == 1 and not self._port.stopping():
            LOG.warning("Source %s: %s [%s]", self.source, fault.sentence.en, fault.code)
        return pause_s


class Inlets:
    """All inlets at work.

    Args:
        works: How each source's inlet is opened, and its port. One that cannot be opened is tried again.
    """

    def __init__(self, works: Mapping[str, tuple[Callable[[], Inlet], Port]]) -> None:
        self._works = [_Work(source, opener, port) for source, (opener, port) in works.items()]

    def start(self) -> None:
        """Begin to bring in everywhere."""
        for work in self._works:
            work.thread.start()

    def stop(self, within_s: float = 1.0) -> tuple[str, ...]:
        """End every inlet, once the ports say that they are stopping; return the sources that still hang.

        Their threads die with the process, and lose nothing: a cursor moves with its records or not at all.
        """
        for work in self._works:
            work.close()
        until = time.monotonic() + within_s
        for work in self._works:
            if work.thread.ident is not None:
                work.thread.join(max(0.0, until - time.monotonic()))
        return tuple(work.source for work in self._works if work.thread.is_alive())

    def states(self) -> tuple[InletState, ...]:
        """Return how each inlet stands now."""
        return tuple(work.state() for work in self._works)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
