"""Inlets at work: each in its thread, told when it fails, called again, stopped within a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from parcours.collect.connectors import inlets
from parcours.collect.connectors.backoff import Backoff
from parcours.collect.connectors.contract import Inlet, Kind, Port
from parcours.collect.connectors.inlets import Inlets
from parcours.collect.connectors.memory import MemoryPort
from parcours.errors import ParcoursError
from parcours.words import Words


class Counting:
    """An inlet that delivers one record a call, and fails at the calls that are named."""

    kind: Kind = "rows"
    pause_s = 0.001

    def __init__(self, *fails: tuple[int, Exception]) -> None:
        self.fails = dict(fails)
        self.calls = 0
        self.closed = 0

    def bring(self, port: Port) -> None:
        self.calls += 1
        if self.calls in self.fails:
            raise self.fails[self.calls]
        port.deliver([b"{}"], str(self.calls).encode())

    def close(self) -> None:
        self.closed += 1


class Hanging(Counting):
    """An inlet that never comes back."""

    def bring(self, port: Port) -> None:
        time.sleep(3600)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlets, "Backoff", lambda: Backoff(first_s=0.001, most_s=0.002))


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until and not holds():
        time.sleep(0.001)
    return holds()


def down(code: str = "down") -> ParcoursError:
    return ParcoursError(code, Words("Non.", "No."), Words("Attendez.", "Wait."))


def test_an_inlet_is_called_again_and_again_and_a_hanging_one_holds_up_no_other() -> None:
    steady, hanging = Counting(), Hanging()
    ports = MemoryPort(), MemoryPort()
    running = Inlets({"steady": (lambda: steady, ports[0]), "hanging": (lambda: hanging, ports[1])})
    running.start()
    assert eventually(lambda: steady.calls >= 5)
    for port in ports:
        port.ask_to_stop()
    assert running.stop(within_s=0.5) == ("hanging",)
    assert steady.closed


def test_a_fault_is_told_and_the_inlet_is_called_again() -> None:
    inlet, port = Counting((2, down()), (3, down())), MemoryPort()
    running = Inlets({"shop": (lambda: inlet, port)})
    running.start()
    assert eventually(lambda: inlet.calls >= 5)
    (state,) = running.states()
    assert state.last_error is not None
    assert state.last_error.code == "down"
    assert state.failures == 0
    assert state.last_success_ms is not None
    port.ask_to_stop()
    assert running.stop() == ()
    assert inlet.closed == 2, "once by who stops it, once by its own thread"


def test_what_breaks_unforeseen_is_told_by_its_kind_alone_and_the_inlet_opened_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    opened: list[Counting] = []

    def open_inlet() -> Inlet:
        opened.append(Counting((1, ZeroDivisionError("secret text of a row"))) if not opened else Counting())
        return opened[-1]

    port = MemoryPort()
    running = Inlets({"shop": (open_inlet, port)})
    running.start()
    assert eventually(lambda: len(port.records) >= 2)
    port.ask_to_stop()
    running.stop()
    (state,) = running.states()
    assert state.last_error is not None
    assert state.last_error.code == "connector_broken"
    assert len(opened) == 2
    assert opened[0].closed == 1
    assert "secret text" not in f"{state} {caplog.text}"


def test_an_inlet_that_cannot_be_opened_is_tried_again() -> None:
    attempts = 0

    def open_inlet() -> Inlet:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise down("secret_not_set")
        return Counting()

    port = MemoryPort()
    running = Inlets({"shop": (open_inlet, port)})
    running.start()
    assert eventually(lambda: bool(port.records))
    port.ask_to_stop()
    assert running.stop() == ()


def test_stopping_before_starting_does_no_harm() -> None:
    assert Inlets({"shop": (Counting, MemoryPort())}).stop() == ()
    assert threading.active_count() < 50
