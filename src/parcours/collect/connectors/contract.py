"""The one interface of every connector: an inlet brings events in, an outlet carries them out, a port stands between.

A connector is an object of the entry-point group ``parcours.connectors``. It says what is wrong with its options and
opens inlets or outlets. It never touches the journal: what it takes in, it hands to a `Port`; what it carries out, the
queue of its destination hands to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

import msgspec

from parcours.blueprint.yaml_lines import Node, Place
from parcours.collect.source import Source
from parcours.errors import Fault
from parcours.settings import Settings
from parcours.words import Words

GROUP: Final = "parcours.connectors"
"""The entry-point group in which connectors, ours included, are registered."""

Role = Literal["in", "out"]
Kind = Literal["rows", "batch"]
"""What an inlet's records are: flat objects that the source's mapping turns into events, or Segment's calls."""

Options = Mapping[str, Any]


class Unreadable(msgspec.Struct, frozen=True):
    """One thing of the other side that is no record: it goes to quarantine, and the rest goes on.

    Attributes:
        code: A short name for the fault, as in ``not_an_object``.
        reason: What is wrong with it.
        body: Its own bytes, which the port seals.
        place: Where it stands on the other side, such as ``partition 2, offset 41``.
    """

    code: str
    reason: Words
    body: bytes
    place: str = ""


class Port(Protocol):
    """What an inlet delivers to: one source's way into the journal. The serving side implements it."""

    def cursor(self) -> bytes | None:
        """Return the cursor of the last durable delivery, or ``None`` before the first."""

    def deliver(self, records: Sequence[bytes], cursor: bytes, unreadable: Sequence[Unreadable] = ()) -> None:
        """Take ``records`` (a JSON object each) and ``cursor`` together: both are durable on return, or neither.

        Without records it moves the cursor alone.

        Raises:
            ParcoursError: nothing was taken; the inlet lets the error pass and is called again later.
        """

    def reload(self) -> None:
        """Load the files of this source now.

        Raises:
            ParcoursError: as `parcours.collect.load` does; the previous state holds.
        """

    def stopping(self) -> bool:
        """Return whether the inlet has been asked to stop."""

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until asked to stop; return whether that is so."""


class Inlet(Protocol):
    """One source at work. It is used by one thread, save `close`."""

    kind: Kind
    pause_s: float
    """How long to leave it alone after `bring` has returned; 0 when it waits for the other side by itself."""

    def bring(self, port: Port) -> None:
        """Deliver until there is nothing more to take now, or the port is stopping.

        It starts from ``port.cursor()`` and from nothing else that must survive. The cursor of a delivery covers
        exactly what has been delivered up to it.

        Raises:
            ParcoursError: a fault of the other side; it is called again later and recovers by itself.
        """

    def close(self) -> None:
        """Let go of the other side; another thread may call it to cut a `bring` short."""


class Parcel(msgspec.Struct, frozen=True):
    """One event on its way out.

    Attributes:
        number: Its place in its destination's queue, rising.
        message_id: The same at every attempt, so that the other side can tell a repetition.
        body: A JSON object.
    """

    number: int
    message_id: str
    body: bytes


class Outcome(msgspec.Struct, frozen=True):
    """What became of parcels: so many of the leading ones are delivered for good, and what befell the next.

    Attributes:
        delivered: The leading parcels that are delivered for good.
        verdict: ``done``: all of them. ``later``: the next one must be tried again. ``refused``: the next one never
            will be taken; it is set aside and the queue goes on after it.
        fault: Why, unless all is done.
        retry_after_s: How long the other side asks to be left alone, if it does.
    """

    delivered: int
    verdict: Literal["done", "later", "refused"] = "done"
    fault: Fault | None = None
    retry_after_s: float | None = None

    @classmethod
    def later(cls, delivered: int, fault: Fault, retry_after_s: float | None = None) -> Outcome:
        """Say that after ``delivered`` parcels the next one must be tried again."""
        return cls(delivered, "later", fault, retry_after_s)

    @classmethod
    def refused(cls, delivered: int, fault: Fault) -> Outcome:
        """Say that after ``delivered`` parcels the next one is refused for good."""
        return cls(delivered, "refused", fault)


class Outlet(Protocol):
    """One destination at work. It is used by one thread, save `close`."""

    def send(self, parcels: Sequence[Parcel]) -> Outcome:
        """Carry parcels out in their order; never one before those that stand ahead of it are delivered or refused.

        Raises:
            ParcoursError: a fault of the other side, with no parcel delivered; the same as `Outcome.later` with 0.
        """

    def close(self) -> None:
        """Let go of the other side; another thread may call it to cut a `send` short."""


class Outbox(Protocol):
    """Where the events of each destination wait. The serving side implements it; every change is durable on return."""

    def take(self, destination: str, limit: int) -> list[Parcel]:
        """Return the first parcels that wait, in the order of their numbers; they stay until `done` or `refuse`."""

    def done(self, destination: str, up_to_number: int) -> None:
        """Forget the parcels up to this number: they are delivered."""

    def refuse(self, destination: str, number: int, reason: Fault) -> None:
        """Set the head of the queue aside, with the reason; it is counted and no longer waits."""

    def waiting(self, destination: str) -> tuple[int, int | None]:
        """Return how many parcels wait, and since when the oldest does, in epoch milliseconds."""


class Where(msgspec.Struct, frozen=True):
    """Where options stand, so that their faults name lines: ``node`` is the options' own piece of YAML."""

    node: Node
    role: Role

    def fault(self, code: str, place: Place, sentence: Words, remedy: Words) -> Fault:
        """Return an error at ``place`` within the options."""
        return self.node.fault(code, place, sentence, remedy)

    def warning(self, code: str, place: Place, sentence: Words, remedy: Words) -> Fault:
        """Return a warning at ``place`` within the options."""
        return self.node.warning(code, place, sentence, remedy)


@runtime_checkable
class Connector(Protocol):
    """What an entry point of `GROUP` names: it checks options and opens inlets, outlets or both.

    Attributes:
        name: What YAML calls it.
        roles: ``in``, ``out`` or both.
        secrets: Its options that hold secrets. They name environment variables, ``${NAME}``; a URL among them may
            stand in the clear save for its password. Whoever reads the YAML checks that before `check` is called.
    """

    name: str
    roles: frozenset[Role]
    secrets: tuple[str, ...]

    def check(self, options: Options, where: Where) -> list[Fault]:
        """Return every fault of the options at once; a variable that is not set is no fault here."""

    def kind(self, options: Options) -> Kind:
        """Return what records these options give; with ``batch`` the source may do without a mapping."""

    def open_inlet(self, source: Source, options: Options, settings: Settings, folder: Path) -> Inlet:
        """Return the inlet of a source of the company in ``folder``; it need not reach the other side yet.

        Raises:
            ParcoursError: ``secret_not_set``, ``library_missing``, or what else keeps it from starting.
        """

    def open_outlet(self, destination: str, options: Options, settings: Settings, folder: Path) -> Outlet:
        """Return the outlet of a destination.

        Raises:
            ParcoursError: as `open_inlet` does.
        """
