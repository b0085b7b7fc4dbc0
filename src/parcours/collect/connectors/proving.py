"""What every connector must keep to, as rules that anybody's tests can run: ours do, and a third party's can.

A test makes a case, which says how to fill the other side and how to take it away, and calls each rule with it:
``INLET_RULES`` for what comes in, ``OUTLET_RULES`` for what goes out. A rule that does not hold raises
`AssertionError` with a sentence.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from parcours.collect.connectors.contract import Inlet, Outcome, Outlet, Parcel
from parcours.collect.connectors.memory import MemoryPort
from parcours.errors import Fault, ParcoursError
from parcours.words import LANGUAGES

PATIENCE_S: Final = 30.0
STOP_S: Final = 5.0
"""How long a rule waits for what should take less than a second: tests share machines."""

_PARCELS: Final = 9


class InletCase(Protocol):
    """The other side of an inlet under test."""

    secrets: tuple[str, ...]
    """The values of the secrets that its options name; none of them may ever show."""

    def open(self) -> Inlet:
        """Open an inlet on this case's other side, small enough in its steps to deliver more than once."""

    def make_port(self) -> MemoryPort:
        """Return an empty port."""

    def put(self, ids: Sequence[str]) -> None:
        """Put one record an id on the other side."""

    def read_ids(self, port: MemoryPort) -> list[str]:
        """Return the ids of what the port was given, in order."""

    def take_away(self) -> None:
        """Make the other side fail."""

    def give_back(self) -> None:
        """Make it work again, with all that it held."""


class OutletCase(Protocol):
    """The other side of an outlet under test."""

    secrets: tuple[str, ...]

    def open(self) -> Outlet:
        """Open an outlet to this case's other side; one attempt may not take long."""

    def read_ids(self) -> list[str]:
        """Return the message ids that the other side has taken, in order where it has one."""

    def take_away(self) -> None:
        """Make the other side fail."""

    def give_back(self) -> None:
        """Make it work again."""


def brings_everything_once(case: InletCase) -> None:
    """All that is there comes, what comes later comes too, and nothing comes again."""
    port = case.make_port()
    inlet = case.open()
    case.put(_ids(0, 7))
    _bring(case, inlet, port, 7)
    case.put(_ids(7, 12))
    _bring(case, inlet, port, 12)
    inlet.close()
    _expect(sorted(case.read_ids(port)) == _ids(0, 12), f"all must come once, came: {case.read_ids(port)}")


def survives_a_restart_after_every_delivery(case: InletCase) -> None:
    """An inlet that is opened anew after each delivery goes on where the cursor says."""
    port = case.make_port()
    case.put(_ids(0, 12))
    until = time.monotonic() + PATIENCE_S
    while len(case.read_ids(port)) < 12 and time.monotonic() < until:
        port.restart()
        port.stop_after = 1
        inlet = case.open()
        _bring(case, inlet, port, 12, deliveries=1)
        inlet.close()
    _expect(sorted(case.read_ids(port)) == _ids(0, 12), f"all must come once, came: {case.read_ids(port)}")


def survives_a_crash_on_either_side_of_a_delivery(case: InletCase) -> None:
    """Whether the process dies just before or just after a delivery is durable, nothing is lost or doubled."""
    expected: list[str] = []
    port = case.make_port()
    for crash, side in enumerate(("before_delivery", "after_delivery", "before_delivery", "after_delivery")):
        case.put(_ids(crash * 5, crash * 5 + 5))
        expected += _ids(crash * 5, crash * 5 + 5)
        held = port.cursor()
        setattr(port, side, _die)
        inlet = case.open()
        died = _dies(inlet, port)
        inlet.close()
        _expect(died, "the port's crash must pass through `bring`")
        moved = port.cursor() != held
        _expect(moved == (side == "after_delivery"), "the cursor moves with a delivery, and only with one")
        port.restart()
        inlet = case.open()
        _bring(case, inlet, port, len(expected))
        inlet.close()
        _expect(sorted(case.read_ids(port)) == expected, f"all must come once, came: {case.read_ids(port)}")


def tells_what_fails_and_recovers(case: InletCase) -> None:
    """A fault of the other side is a `ParcoursError` with a remedy; when it is over, nothing is lost or doubled."""
    port = case.make_port()
    inlet = case.open()
    case.put(_ids(0, 5))
    _bring(case, inlet, port, 5)
    case.take_away()
    try:
        error = _meet_error(inlet, port)
    finally:
        case.give_back()
    for fault in error.faults:
        _well_told(fault)
        _hides(case.secrets, f"{fault} {error!r}")
    _hides(case.secrets, "".join(traceback.format_exception(error)))
    case.put(_ids(5, 9))
    _bring(case, inlet, port, 9)
    inlet.close()
    _expect(sorted(case.read_ids(port)) == _ids(0, 9), f"all must come once, came: {case.read_ids(port)}")


def stops_when_asked(case: InletCase) -> None:
    """A port that is stopping ends `bring` soon, and what was not delivered comes after a restart."""
    port = case.make_port()
    case.put(_ids(0, 12))
    inlet = case.open()
    thread = threading.Thread(target=_keep_bringing, args=(inlet, port), daemon=True)
    thread.start()
    port.ask_to_stop()
    inlet.close()
    thread.join(STOP_S)
    _expect(not thread.is_alive(), "an inlet must stop when it is asked to")
    inlet.close()
    port.restart()
    again = case.open()
    _bring(case, again, port, 12)
    again.close()
    _expect(sorted(case.read_ids(port)) == _ids(0, 12), f"all must come once, came: {case.read_ids(port)}")


def shows_no_secret_of_an_inlet(case: InletCase) -> None:
    """What Python prints of an inlet holds no secret."""
    inlet = case.open()
    _hides(case.secrets, f"{inlet!r} {inlet!s}")
    inlet.close()


def sends_everything_once_in_order(case: OutletCase) -> None:
    """Parcels arrive with their own ids; nothing to send is nothing wrong."""
    outlet = case.open()
    _expect(outlet.send([]) == Outcome(0), "nothing to send is done at once")
    _send(outlet, _parcels(0, 5))
    _send(outlet, _parcels(5, _PARCELS))
    outlet.close()
    _expect(case.read_ids() == _ids(0, _PARCELS), f"all must arrive once, arrived: {case.read_ids()}")


def holds_what_cannot_be_sent_and_recovers(case: OutletCase) -> None:
    """When the other side fails, the head waits with a reason and a remedy; later all arrive, none before its turn."""
    outlet = case.open()
    _send(outlet, _parcels(0, 2))
    case.take_away()
    try:
        outcome = _attempt(outlet, _parcels(2, _PARCELS))
    finally:
        case.give_back()
    _expect(outcome.verdict == "later", f"a failing destination is tried again later, not {outcome.verdict}")
    _expect(outcome.fault is not None, "the reason must be told")
    if outcome.fault is not None:
        _well_told(outcome.fault)
        _hides(case.secrets, str(outcome.fault))
    _send(outlet, _parcels(2 + outcome.delivered, _PARCELS))
    outlet.close()
    first = list(dict.fromkeys(case.read_ids()))
    _expect(first == _ids(0, _PARCELS), f"all must arrive in their order, arrived: {case.read_ids()}")


def ends_when_closed(case: OutletCase) -> None:
    """Closing from another thread cuts an attempt short; it can be closed twice."""
    outlet = case.open()
    _send(outlet, _parcels(0, 1))
    case.take_away()
    try:
        thread = threading.Thread(target=_attempt, args=(outlet, _parcels(1, _PARCELS)), daemon=True)
        thread.start()
        outlet.close()
        thread.join(STOP_S)
    finally:
        case.give_back()
    _expect(not thread.is_alive(), "an outlet must end when it is closed")
    outlet.close()


def shows_no_secret_of_an_outlet(case: OutletCase) -> None:
    """What Python prints of an outlet holds no secret."""
    outlet = case.open()
    _hides(case.secrets, f"{outlet!r} {outlet!s}")
    outlet.close()


INLET_RULES: Final[tuple[Callable[[InletCase], None], ...]] = (
    brings_everything_once,
    survives_a_restart_after_every_delivery,
    survives_a_crash_on_either_side_of_a_delivery,
    tells_what_fails_and_recovers,
    stops_when_asked,
    shows_no_secret_of_an_inlet,
)

OUTLET_RULES: Final[tuple[Callable[[OutletCase], None], ...]] = (
    sends_everything_once_in_order,
    holds_what_cannot_be_sent_and_recovers,
    ends_when_closed,
    shows_no_secret_of_an_outlet,
)


class _DiedError(Exception):
    """The process dies here."""


def _die() -> None:
    raise _DiedError


def _dies(inlet: Inlet, port: MemoryPort) -> bool:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            inlet.bring(port)
        except _DiedError:
            return True
    return False


def _bring(case: InletCase, inlet: Inlet, port: MemoryPort, wanted: int, deliveries: int | None = None) -> None:
    """Call an inlet as the keeper does, until so much has come; then some more, for what should not come again."""
    until = time.monotonic() + PATIENCE_S
    quiet = 0
    while quiet < 3 and time.monotonic() < until:
        try:
            inlet.bring(port)
        except ParcoursError:
            time.sleep(0.05)
        if deliveries is not None and port.deliveries >= deliveries:
            return
        quiet += len(case.read_ids(port)) >= wanted


def _keep_bringing(inlet: Inlet, port: MemoryPort) -> None:
    while not port.stopping():
        try:
            inlet.bring(port)
        except ParcoursError:
            port.wait(0.01)


def _meet_error(inlet: Inlet, port: MemoryPort) -> ParcoursError:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            inlet.bring(port)
        except ParcoursError as error:
            return error
    raise AssertionError("a fault of the other side must be told")


def _attempt(outlet: Outlet, parcels: Sequence[Parcel]) -> Outcome:
    try:
        return outlet.send(parcels)
    except ParcoursError as error:
        return Outcome.later(0, error.faults[0])


def _send(outlet: Outlet, parcels: Sequence[Parcel]) -> None:
    until = time.monotonic() + PATIENCE_S
    left = list(parcels)
    while left and time.monotonic() < until:
        outcome = _attempt(outlet, left)
        _expect(outcome.verdict != "refused", f"nothing here deserves to be refused: {outcome.fault}")
        left = left[outcome.delivered :]
        if left:
            time.sleep(0.05)
    _expect(not left, "all must be delivered in the end")


def _parcels(first: int, last: int) -> list[Parcel]:
    return [Parcel(number + 1, name, b'{"userId":"u1","n":%d}' % number) for number, name in _numbered(first, last)]


def _numbered(first: int, last: int) -> list[tuple[int, str]]:
    return list(zip(range(first, last), _ids(first, last), strict=True))


def _ids(first: int, last: int) -> list[str]:
    return [f"m{number:03d}" for number in range(first, last)]


def _well_told(fault: Fault) -> None:
    for language in LANGUAGES:
        _expect(bool(getattr(fault.sentence, language)), f"{fault.code} has no sentence in {language}")
        _expect(bool(getattr(fault.remedy, language)), f"{fault.code} has no remedy in {language}")


def _hides(secrets: Sequence[str], text: str) -> None:
    _expect(not any(secret in text for secret in secrets), "a secret shows")


def _expect(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)
