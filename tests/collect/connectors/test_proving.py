"""The rules for connectors catch what they should: each planted fault is found by the rule that is made for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from parcours.collect.connectors import proving
from parcours.collect.connectors.contract import Inlet, Kind, Outcome, Outlet, Parcel, Port
from parcours.collect.connectors.memory import MemoryPort
from parcours.collect.connectors.proving import INLET_RULES, OUTLET_RULES
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

SECRET = "hunter2-8126"
DOWN = ParcoursError("down", Words("En panne.", "It is down."), Words("Attendez.", "Wait."))


class List:
    """The other side: a list, with an inlet over it that is right unless a fault is planted."""

    secrets = (SECRET,)

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.rows: list[str] = []
        self.down = False

    def open(self) -> Inlet:
        return ListInlet(self)

    def make_port(self) -> MemoryPort:
        return MemoryPort()

    def put(self, ids: Sequence[str]) -> None:
        self.rows += ids

    def read_ids(self, port: MemoryPort) -> list[str]:
        return [record.decode() for record in port.records]

    def take_away(self) -> None:
        self.down = True

    def give_back(self) -> None:
        self.down = False


class ListInlet:
    kind: Kind = "rows"
    pause_s = 0.0

    def __init__(self, case: List) -> None:
        self.case = case
        self.fault = case.fault
        self.own = 0

    def __repr__(self) -> str:
        return f"ListInlet({SECRET if self.fault == 'shows its secret' else '…'})"

    def bring(self, port: Port) -> None:
        if self.case.down:
            self.fail()
        start = self.own if self.fault == "keeps its place to itself" else int(port.cursor() or b"0")
        while start < len(self.case.rows) and (not port.stopping() or self.fault == "does not stop"):
            end = min(start + 2, len(self.case.rows))
            kept = start + 1 if self.fault == "loses a row" and end - start == 2 else end
            cursor = start if self.fault == "forgets to move" else end
            if self.fault == "moves first":
                port.deliver([], str(end).encode())
            try:
                port.deliver([row.encode() for row in self.case.rows[start:kept]], str(cursor).encode())
            except Exception:
                if self.fault != "swallows a crash":
                    raise
            start = self.own = end
        while self.fault == "does not stop":
            threading.Event().wait(3600)

    def fail(self) -> None:
        if self.fault == "says nothing":
            return
        if self.fault == "has no remedy":
            raise ParcoursError("down", DOWN.faults[0].sentence, Words())
        if self.fault == "tells its secret":
            raise ParcoursError("down", Words("x", f"refused {SECRET}"), DOWN.faults[0].remedy)
        if self.fault == "chains its secret":
            raise DOWN from ValueError(SECRET)
        raise DOWN

    def close(self) -> None:
        """Nothing is held open."""


class Box:
    """The other side of an outlet: a list, with an outlet to it that is right unless a fault is planted."""

    secrets = (SECRET,)

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.taken: list[str] = []
        self.down = False

    def open(self) -> Outlet:
        return BoxOutlet(self)

    def read_ids(self) -> list[str]:
        return self.taken

    def take_away(self) -> None:
        self.down = True

    def give_back(self) -> None:
        self.down = False


class BoxOutlet:
    def __init__(self, case: Box) -> None:
        self.case = case
        self.fault = case.fault
        self.closed = threading.Event()

    def __repr__(self) -> str:
        return f"BoxOutlet({SECRET if self.fault == 'shows its secret' else '…'})"

    def send(self, parcels: Sequence[Parcel]) -> Outcome:
        if self.case.down:
            return self.fail(parcels)
        order = list(reversed(parcels)) if self.fault == "sends backwards" else list(parcels)
        self.case.taken += [parcel.message_id for parcel in order[: -1 if self.fault == "loses a parcel" else None]]
        if self.fault == "sends twice":
            self.case.taken += [parcel.message_id for parcel in order]
        return Outcome(len(parcels) or int(self.fault == "sends nothing badly"))

    def fail(self, parcels: Sequence[Parcel]) -> Outcome:
        if self.fault == "hangs":
            threading.Event().wait(3600)
        if self.fault == "says done":
            return Outcome(len(parcels))
        if self.fault == "refuses what may pass":
            return Outcome.refused(0, DOWN.faults[0])
        if self.fault == "does not say why":
            return Outcome(0, "later")
        if self.fault == "tells its secret":
            return Outcome.later(0, Fault("down", Words(SECRET, SECRET), DOWN.faults[0].remedy))
        if self.fault == "overtakes":
            self.case.taken += [parcel.message_id for parcel in parcels[1:]]
        self.closed.wait(0.01)
        return Outcome.later(0, DOWN.faults[0])

    def close(self) -> None:
        self.closed.set()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "PATIENCE_S", 0.3)
    monkeypatch.setattr(proving, "STOP_S", 0.3)


@pytest.mark.parametrize("rule", INLET_RULES, ids=lambda rule: rule.__name__)
def test_an_inlet_that_is_right_keeps_every_rule(rule: Callable[[List], None]) -> None:
    rule(List())


@pytest.mark.parametrize("rule", OUTLET_RULES, ids=lambda rule: rule.__name__)
def test_an_outlet_that_is_right_keeps_every_rule(rule: Callable[[Box], None]) -> None:
    rule(Box())


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (proving.brings_everything_once, "loses a row"),
        (proving.brings_everything_once, "forgets to move"),
        (proving.survives_a_restart_after_every_delivery, "keeps its place to itself"),
        (proving.survives_a_crash_on_either_side_of_a_delivery, "moves first"),
        (proving.survives_a_crash_on_either_side_of_a_delivery, "swallows a crash"),
        (proving.tells_what_fails_and_recovers, "says nothing"),
        (proving.tells_what_fails_and_recovers, "has no remedy"),
        (proving.tells_what_fails_and_recovers, "tells its secret"),
        (proving.tells_what_fails_and_recovers, "chains its secret"),
        (proving.stops_when_asked, "does not stop"),
        (proving.shows_no_secret_of_an_inlet, "shows its secret"),
    ],
)
def test_a_planted_fault_of_an_inlet_is_found(rule: Callable[[List], None], fault: str) -> None:
    with pytest.raises(AssertionError):
        rule(List(fault))


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (proving.sends_everything_once_in_order, "sends nothing badly"),
        (proving.sends_everything_once_in_order, "sends backwards"),
        (proving.sends_everything_once_in_order, "sends twice"),
        (proving.sends_everything_once_in_order, "loses a parcel"),
        (proving.holds_what_cannot_be_sent_and_recovers, "says done"),
        (proving.holds_what_cannot_be_sent_and_recovers, "refuses what may pass"),
        (proving.holds_what_cannot_be_sent_and_recovers, "does not say why"),
        (proving.holds_what_cannot_be_sent_and_recovers, "tells its secret"),
        (proving.holds_what_cannot_be_sent_and_recovers, "overtakes"),
        (proving.ends_when_closed, "hangs"),
        (proving.shows_no_secret_of_an_outlet, "shows its secret"),
    ],
)
def test_a_planted_fault_of_an_outlet_is_found(rule: Callable[[Box], None], fault: str) -> None:
    with pytest.raises(AssertionError):
        rule(Box(fault))
