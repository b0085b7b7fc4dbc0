"""What connectors work against while `serve` runs: an inlet's way into the journal, and the outbox of destinations."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from parcours.collect.connectors.contract import Kind, Parcel, Unreadable
from parcours.collect.door import Door
from parcours.collect.journal.delivery import BATCH, ROWS, Delivery
from parcours.collect.journal.handover import NotWrittenError, hand_over
from parcours.collect.journal.sealing import Sealer
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.engine.store.journal import Journal
    from parcours.engine.store.outbox import OutboxTable
    from parcours.know import Verdict

AT_ONCE = 500
"""Records in one delivery: few enough that none of them stands behind too many others."""


class JournalPort:
    """The port of one source: records go to the writer, with the cursor that covers them.

    Args:
        source: The source.
        kind: What its records are.
        sealer: Seals them; this port's own.
        address: The writer's socket.
        journal: Where the cursor is read.
        ask_reload: Asks for the source's files to be loaded; returns when they are.
        stopping: Set when everybody should stop.
    """

    def __init__(
        self,
        source: str,
        kind: Kind,
        sealer: Sealer,
        address: Path,
        journal: Journal,
        ask_reload: Callable[[str], None],
        stopping: threading.Event,
    ) -> None:
        self._source, self._kind, self._sealer, self._address = source, kind, sealer, address
        self._journal, self._ask_reload, self._stopping = journal, ask_reload, stopping

    def cursor(self) -> bytes | None:
        """Return the cursor of the last durable delivery."""
        return self._journal.cursor(self._source)

    def deliver(self, records: Sequence[bytes], cursor: bytes, unreadable: Sequence[Unreadable] = ()) -> None:
        """Take records and cursor together; what is unreadable goes the same way, and waits in quarantine after it.

        Raises:
            ParcoursError: ``not_written``; nothing was taken.
        """
        now_ms = time.time_ns() // 1_000_000
        deliveries = [
            Delivery(self._source, BATCH if self._kind == "batch" else ROWS, now_ms, "", self._wrap(some))
            for some in (records[start : start + AT_ONCE] for start in range(0, len(records), AT_ONCE))
        ]
        deliveries += [Delivery(self._source, ROWS, now_ms, "", one.body) for one in unreadable]
        if not deliveries:
            # The cursor alone moves: a delivery of nothing carries it.
            deliveries = [Delivery(self._source, ROWS, now_ms, "", b"[]")]
        try:
            frame = self._sealer.seal(deliveries, len(records) + len(unreadable), self._source, cursor)
            hand_over(self._address, frame)
        except NotWrittenError as fault:
            raise ParcoursError(
                "not_written",
                Words(
                    fr=f"Ce que la source « {self._source} » apporte n'a pas pu être écrit ({fault}).",
                    en=f"What the source “{self._source}” brings could not be written ({fault}).",
                ),
                Words(
                    fr="Libérez de la place si le disque est plein ; rien n'est perdu, l'envoi est repris.",
                    en="Free some room if the disk is full; nothing is lost, it is tried again.",
                ),
            ) from fault

    def reload(self) -> None:
        """Load the files of this source now."""
        self._ask_reload(self._source)

    def stopping(self) -> bool:
        """Return whether everybody should stop."""
        return self._stopping.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than until asked to stop."""
        return self._stopping.wait(seconds)

    def _wrap(self, records: Sequence[bytes]) -> bytes:
        joined = b"[" + b",".join(records) + b"]"
        return b'{"batch":' + joined + b"}" if self._kind == "batch" else joined


class SealedOutbox:
    """The outbox of `journal.db`, opened for those who carry parcels out; what may go no more never comes out of it."""

    def __init__(self, table: OutboxTable, door: Door, judge: Callable[[str, Sequence[bytes]], list[Verdict]]) -> None:
        self._table, self._door, self._judge = table, door, judge

    def take(self, destination: str, limit: int) -> list[Parcel]:
        """Return the head of a queue, as far as its purpose may see whom it names at this moment.

        What it may not see is set aside and counted by the reason (``no_choice``, ``refused``, ``objected``).
        """
        while taken := self._table.take(destination, limit):
            parcels = [Parcel(number, one.message_id, self._door.unseal(one.body)) for number, one in taken]
            verdicts = self._judge(destination, [parcel.body for parcel in parcels])
            allowed = []
            for parcel, verdict in zip(parcels, verdicts, strict=True):
                if verdict:
                    allowed.append(parcel)
                else:
                    self._table.refuse(destination, parcel.number, verdict.code)
            if allowed:
                return allowed
        return []

    def done(self, destination: str, up_to_number: int) -> None:
        """Forget what is delivered."""
        self._table.done(destination, up_to_number)

    def refuse(self, destination: str, number: int, reason: Fault) -> None:
        """Set the head of a queue aside; it is counted by its reason."""
        self._table.refuse(destination, number, reason.code)

    def waiting(self, destination: str) -> tuple[int, int | None]:
        """Return how many wait, and since when."""
        return self._table.waiting(destination)
