"""Ordered queues, one a destination: order, no loss, and no destination that slows another, whatever each does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect.connectors.backoff import Backoff
from parcours.collect.connectors.contract import Outcome, Outlet, Parcel
from parcours.collect.connectors.memory import MemoryOutbox
from parcours.collect.connectors.queues import Queue, Queues
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

FAULT = Fault("flaky", Words("Non.", "No."), Words("Attendez.", "Wait."))


class Flaky:
    """An outlet that follows a script of fates, one a parcel: taken, later, refused, raises; then takes all."""

    def __init__(self, script: Sequence[str] = ()) -> None:
        self.script = list(script)
        self.taken: list[int] = []
        self.refused: list[int] = []
        self.closed = 0

    def send(self, parcels: Sequence[Parcel]) -> Outcome:
        for index, parcel in enumerate(parcels):
            fate = self.script.pop(0) if self.script else "taken"
            if fate == "later":
                return Outcome.later(index, FAULT)
            if fate == "refused":
                self.refused.append(parcel.number)
                return Outcome.refused(index, FAULT)
            if fate == "raises":
                raise ParcoursError("down", FAULT.sentence, FAULT.remedy)
            if fate == "breaks":
                raise KeyError("secret text of a row")
            self.taken.append(parcel.number)
            if fate == "crashes":
                raise ParcoursError("crash", FAULT.sentence, FAULT.remedy)
        return Outcome(len(parcels))

    def close(self) -> None:
        self.closed += 1


class Hanging(Flaky):
    """An outlet that never comes back, nor lets itself be closed."""

    def send(self, parcels: Sequence[Parcel]) -> Outcome:
        time.sleep(3600)
        return Outcome(len(parcels))


def quick() -> Backoff:
    return Backoff(first_s=0.0005, most_s=0.002)


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.001)
    return False


def fill(outbox: MemoryOutbox, destination: str, count: int) -> list[int]:
    return [outbox.put(destination, f"m{number}", b"{}") for number in range(count)]


def run_queue(outbox: MemoryOutbox, outlet: Outlet) -> Queue:
    queue = Queue("crm", outbox, lambda: outlet, quick())
    queue.start()
    return queue


FATES = ["taken", "taken", "later", "refused", "raises", "crashes", "breaks"]


@settings(max_examples=60, deadline=None)
@given(script=st.lists(st.sampled_from(FATES), max_size=25), count=st.integers(0, 12))
def test_every_parcel_is_taken_in_order_or_refused_whatever_befalls_it(script: list[str], count: int) -> None:
    outbox, outlet = MemoryOutbox(), Flaky(script)
    numbers = fill(outbox, "crm", count)
    queue = run_queue(outbox, outlet)
    assert eventually(lambda: not outbox.take("crm", 1))
    queue.ask_to_stop()
    assert queue.join(5)
    # A repetition comes only after a crash between taking and noting, and never goes back behind what was noted.
    first_taken = list(dict.fromkeys(outlet.taken))
    assert first_taken == sorted(first_taken)
    refused = [number for number, _ in outbox.refused.get("crm", [])]
    assert sorted({*first_taken, *refused}) == numbers
    if not {"crashes", "raises", "breaks", "later"} & set(script):
        assert outlet.taken == first_taken
        assert not set(refused) & set(first_taken)
    assert len(outlet.taken) - len(first_taken) <= sum(fate != "taken" for fate in script) * 12


def test_a_flaky_and_a_hanging_destination_slow_no_other() -> None:
    outbox = MemoryOutbox()
    fast, flaky = Flaky(), Flaky(["later"] * 10_000)
    hanging = Hanging()
    queues = Queues(outbox, {"flaky": lambda: flaky, "fast": lambda: fast, "hanging": lambda: hanging})
    for name in ("flaky", "fast", "hanging"):
        fill(outbox, name, 500)
    queues.start()
    assert eventually(lambda: len(fast.taken) == 500)
    states = {state.destination: state for state in queues.states()}
    assert states["fast"].waiting == 0
    assert states["flaky"].waiting == states["hanging"].waiting == 500
    assert queues.stop(within_s=0.5) == ("hanging",)


def test_a_head_that_failed_is_waited_for_and_its_queue_alone() -> None:
    outbox, outlet = MemoryOutbox(), Flaky(["taken", "later", "later", "later"])
    numbers = fill(outbox, "crm", 4)
    queue = run_queue(outbox, outlet)
    assert eventually(lambda: outlet.taken == numbers)
    queue.ask_to_stop()


def test_what_waits_longest_what_failed_and_what_was_done_can_be_read() -> None:
    outbox, outlet = MemoryOutbox(), Flaky(["taken", "refused", "taken", "later"])
    fill(outbox, "crm", 5)
    queue = Queue("crm", outbox, lambda: outlet, Backoff(first_s=3600, most_s=3600))
    queue.start()
    assert eventually(lambda: queue.state().next_try_ms is not None)
    state = queue.state()
    assert (state.waiting, state.delivered, state.refused, state.failures) == (2, 2, 1, 1)
    assert state.last_error == FAULT
    assert state.last_error_ms is not None
    assert state.last_delivered_ms is not None
    assert state.next_try_ms is not None
    assert state.next_try_ms - state.last_error_ms >= 1_700_000
    queue.ask_to_stop()
    assert queue.join(2), "a pause ends at once when asked"


def test_a_new_parcel_wakes_a_queue_that_idles() -> None:
    outbox, outlet = MemoryOutbox(), Flaky()
    queues = Queues(outbox, {"crm": lambda: outlet})
    queues.start()
    fill(outbox, "crm", 1)
    queues.wake()
    assert eventually(lambda: len(outlet.taken) == 1)
    assert queues.stop() == ()
    assert outlet.closed


def test_an_outlet_that_cannot_be_opened_is_tried_again() -> None:
    outbox, outlet = MemoryOutbox(), Flaky()
    attempts = 0

    def open_outlet() -> Outlet:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise ParcoursError("secret_not_set", FAULT.sentence, FAULT.remedy)
        return outlet

    fill(outbox, "crm", 2)
    queue = Queue("crm", outbox, open_outlet, quick())
    queue.start()
    assert eventually(lambda: len(outlet.taken) == 2)
    assert queue.state().last_error is not None
    queue.ask_to_stop()


@pytest.mark.parametrize(
    "outcome", [Outcome(1), Outcome(3), Outcome(-1), Outcome.later(2, FAULT), Outcome.refused(2, FAULT)]
)
def test_an_outlet_that_claims_the_impossible_loses_nothing(outcome: Outcome) -> None:
    class Lying(Flaky):
        def send(self, parcels: Sequence[Parcel]) -> Outcome:
            return outcome if len(parcels) == 2 else super().send(parcels)

    outbox, outlet = MemoryOutbox(), Lying()
    fill(outbox, "crm", 2)
    queue = run_queue(outbox, outlet)
    assert eventually(lambda: queue.state().failures > 2)
    assert queue.state().waiting == 2
    error = queue.state().last_error
    assert error is not None
    assert error.code == "connector_broken"
    queue.ask_to_stop()


def test_what_breaks_unforeseen_is_told_without_its_text_and_starts_anew(caplog: pytest.LogCaptureFixture) -> None:
    outbox, outlet = MemoryOutbox(), Flaky(["breaks"])
    fill(outbox, "crm", 1)
    queue = run_queue(outbox, outlet)
    assert eventually(lambda: outlet.taken == [1])
    error = queue.state().last_error
    assert error is not None
    assert error.code == "connector_broken"
    assert outlet.closed == 1
    queue.ask_to_stop()
    assert "secret text" not in f"{error} {caplog.text}"


def test_an_outbox_that_fails_holds_its_queue_up_and_loses_nothing() -> None:
    class Full(MemoryOutbox):
        def __init__(self) -> None:
            super().__init__()
            self.failing = 3

        def done(self, destination: str, up_to_number: int) -> None:
            if self.failing:
                self.failing -= 1
                raise ParcoursError("disk_full", FAULT.sentence, FAULT.remedy)
            super().done(destination, up_to_number)

    outbox, outlet = Full(), Flaky()
    fill(outbox, "crm", 2)
    queue = run_queue(outbox, outlet)
    assert eventually(lambda: not outbox.take("crm", 1))
    assert list(dict.fromkeys(outlet.taken)) == [1, 2]
    queue.ask_to_stop()


def test_many_threads_that_put_while_queues_deliver_lose_nothing() -> None:
    outbox = MemoryOutbox()
    outlets = {f"d{number}": Flaky(["taken", "later"] * 20) for number in range(4)}
    queues = [Queue(name, outbox, lambda outlet=outlet: outlet, quick()) for name, outlet in outlets.items()]  # type: ignore[misc]
    for queue in queues:
        queue.start()
    writers = [threading.Thread(target=fill, args=(outbox, name, 200)) for name in outlets for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert eventually(lambda: all(not outbox.take(name, 1) for name in outlets))
    for queue in queues:
        queue.ask_to_stop()
    for outlet in outlets.values():
        assert outlet.taken == sorted(outlet.taken)
        assert len(outlet.taken) == 600
