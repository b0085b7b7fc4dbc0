"""The ordered queue of each destination, one thread each, so that no destination ever slows another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from parcours.collect.connectors.backoff import Backoff
from parcours.collect.connectors.contract import Outbox, Outcome, Outlet, Parcel
from parcours.collect.connectors.faults import fault_of
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

LOG = logging.getLogger(__name__)

TAKEN_AT_ONCE = 100
IDLE_S = 1.0
"""How soon a queue that nobody wakes looks for new parcels."""


class QueueState(msgspec.Struct, frozen=True):
    """How one destination stands.

    Attributes:
        destination: Its id.
        waiting: The parcels that wait.
        oldest_ms: Since when the oldest waits, in epoch milliseconds.
        delivered: The parcels delivered since the start.
        refused: The parcels refused for good since the start.
        failures: The attempts that failed since the last one that did not.
        last_error: The last fault, even when it is over.
        last_error_ms: When it happened.
        last_delivered_ms: When something was last delivered.
        next_try_ms: When a head that failed is tried again; ``None`` when nothing is held up.
    """

    destination: str
    waiting: int
    oldest_ms: int | None
    delivered: int
    refused: int
    failures: int
    last_error: Fault | None
    last_error_ms: int | None
    last_delivered_ms: int | None
    next_try_ms: int | None


class Queue:
    """The queue of one destination: its head first, again and again until it is delivered or refused."""

    def __init__(
        self, destination: str, outbox: Outbox, open_outlet: Callable[[], Outlet], backoff: Backoff | None = None
    ) -> None:
        self.destination = destination
        self._outbox = outbox
        self._open = open_outlet
        self._backoff = backoff or Backoff()
        self._outlet: Outlet | None = None
        self._stop = threading.Event()
        self._new = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"queue {destination}", daemon=True)
        self._delivered = self._refused = 0
        self._last_error: Fault | None = None
        self._last_error_ms: int | None = None
        self._last_delivered_ms: int | None = None
        self._next_try_ms: int | None = None

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def wake(self) -> None:
        """Say that something new waits; a head that failed keeps its pause all the same."""
        self._new.set()

    def ask_to_stop(self) -> None:
        """Cut what is under way short; what is not known to be delivered stays in the outbox."""
        self._stop.set()
        self._new.set()
        outlet = self._outlet
        if outlet is not None:
            _close(outlet, self.destination)

    def join(self, seconds: float) -> bool:
        """Wait until the thread has ended; return whether it has."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, seconds))
        return not self._thread.is_alive()

    def state(self) -> QueueState:
        """Return how the destination stands now."""
        waiting, oldest_ms = self._outbox.waiting(self.destination)
        return QueueState(
            destination=self.destination,
            waiting=waiting,
            oldest_ms=oldest_ms,
            delivered=self._delivered,
            refused=self._refused,
            failures=self._backoff.failures,
            last_error=self._last_error,
            last_error_ms=self._last_error_ms,
            last_delivered_ms=self._last_delivered_ms,
            next_try_ms=self._next_try_ms,
        )

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                pause_s = self._turn()
            except ParcoursError as error:
                pause_s = self._fail(error.faults[0])
            except Exception as error:
                # What broke unforeseen may have left the outlet half open: the next attempt starts with another.
                self._let_go()
                pause_s = self._fail(fault_of(error, self.destination))
            if pause_s:
                self._stop.wait(pause_s)
                self._next_try_ms = None
        self._let_go()

    def _let_go(self) -> None:
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            _close(outlet, self.destination)

    def _turn(self) -> float:
        """Deliver what waits; return how long to pause."""
        self._new.clear()
        parcels = self._outbox.take(self.destination, TAKEN_AT_ONCE)
        if not parcels:
            self._new.wait(IDLE_S)
            return 0.0
        if self._outlet is None:
            self._outlet = self._open()
        outcome = _within(self._outlet.send(parcels), parcels)
        if outcome.delivered:
            self._outbox.done(self.destination, parcels[outcome.delivered - 1].number)
            self._delivered += outcome.delivered
            self._last_delivered_ms = _now_ms()
            self._backoff.reset()
        if outcome.verdict == "refused":
            self._refuse(parcels[outcome.delivered], outcome.fault or _NO_REASON)
        if outcome.verdict == "later":
            return self._fail(outcome.fault or _NO_REASON, outcome.retry_after_s)
        return 0.0

    def _refuse(self, parcel: Parcel, fault: Fault) -> None:
        self._outbox.refuse(self.destination, parcel.number, fault)
        self._refused += 1
        self._note(fault)
        self._backoff.reset()

    def _fail(self, fault: Fault, asked_s: float | None = None) -> float:
        pause_s = self._backoff.pause_s(asked_s)
        self._note(fault)
        self._next_try_ms = _now_ms() + int(pause_s * 1000)
        if self._backoff.failures == 1 and not self._stop.is_set():
            LOG.warning("Destination %s: %s [%s]", self.destination, fault.sentence.en, fault.code)
        return pause_s

    def _note(self, fault: Fault) -> None:
        self._last_error, self._last_error_ms = fault, _now_ms()


class Queues:
    """All destinations at work.

    Args:
        outbox: Where the parcels wait; it is used by every queue's thread at once.
        openers: How each destination's outlet is opened; one that cannot be opened is tried again like one that fails.
    """

    def __init__(self, outbox: Outbox, openers: Mapping[str, Callable[[], Outlet]]) -> None:
        self._queues = {name: Queue(name, outbox, opener) for name, opener in openers.items()}

    def start(self) -> None:
        """Begin to deliver everywhere."""
        for queue in self._queues.values():
            queue.start()

    def wake(self) -> None:
        """Say that something new waits."""
        for queue in self._queues.values():
            queue.wake()

    def stop(self, within_s: float = 1.0) -> tuple[str, ...]:
        """Stop every queue; return the destinations that still hang, whose threads die with the process."""
        for queue in self._queues.values():
            queue.ask_to_stop()
        until = time.monotonic() + within_s
        return tuple(name for name, queue in self._queues.items() if not queue.join(until - time.monotonic()))

    def states(self) -> tuple[QueueState, ...]:
        """Return how each destination stands now."""
        return tuple(queue.state() for queue in self._queues.values())


_NO_REASON = Fault(
    "destination_failed",
    Words("La destination n'a pas dit pourquoi.", "The destination did not say why."),
    Words("Prévenez les auteurs de son connecteur.", "Tell the authors of its connector."),
)


def _within(outcome: Outcome, parcels: list[Parcel]) -> Outcome:
    """Return the outcome, or hold a connector that claims the impossible to have failed."""
    least = len(parcels) if outcome.verdict == "done" else 0
    most = len(parcels) if outcome.verdict == "done" else len(parcels) - 1
    if least <= outcome.delivered <= most:
        return outcome
    sentence = Words(
        f"Le connecteur dit avoir remis {outcome.delivered} envois sur {len(parcels)} ({outcome.verdict}).",
        f"The connector claims {outcome.delivered} delivered parcels of {len(parcels)} ({outcome.verdict}).",
    )
    return Outcome.later(0, Fault("connector_broken", sentence, _NO_REASON.remedy))


def _close(outlet: Outlet, destination: str) -> None:
    try:
        outlet.close()
    except Exception as error:
        LOG.warning("Destination %s: closing failed: %s", destination, type(error).__name__)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
