"""Requests that wait together: packed and sealed as one frame, handed over, and answered when it is on disk."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.handover import PROOF, Handover, NotWrittenError
from parcours.collect.journal.sealing import HourKey, Sealer
from parcours.errors import ParcoursError

LOG = logging.getLogger(__name__)
FRAME_BYTES = 4 << 20
INLINE_BYTES = 64 << 10
"""What is smaller is sealed where it is: a hop to another thread costs more than that."""

MOST_FRAMES = 2
"""Frames under way at once: one being written while the next is sealed."""


class Gathering:
    """Groups what arrives while earlier frames are under way.

    Args:
        hour_key: Gives the key of an hour.
        handover: The line to the writer.
    """

    def __init__(self, hour_key: HourKey, handover: Handover) -> None:
        # One for the loop and one for the thread beside it: a compressor may not be shared.
        self._inline, self._beside = Sealer(hour_key), Sealer(hour_key)
        self._handover = handover
        self._waiting: list[tuple[Delivery, int, asyncio.Future[int]]] = []
        self._under_way = 0
        self._called = False
        self._thread = ThreadPoolExecutor(1, "seal")
        self._tasks: set[asyncio.Task[None]] = set()
        self.bytes = 0
        self.fault = ""
        """Why the last group was not written; empty when it was."""

    def put(self, delivery: Delivery, events: int) -> asyncio.Future[int]:
        """Take a delivery in; the future gives its batch number once it is on disk, or raises `NotWrittenError`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._waiting.append((delivery, events, future))
        self.bytes += len(delivery.body)
        if not self._called and self._under_way < MOST_FRAMES:
            # Whatever else is ready in this turn of the loop goes along.
            self._called = True
            loop.call_soon(self._flush)
        return future

    async def prove(self) -> str:
        """Let the writer write a few bytes of its own; return why it could not, or nothing."""
        try:
            await self._handover.put(PROOF)
        except NotWrittenError as refused:
            self.fault = str(refused)
        else:
            self.fault = ""
        return self.fault

    async def drain(self) -> None:
        """Wait until nothing is under way any more."""
        while self._waiting or self._tasks:
            self._flush()
            await asyncio.wait(self._tasks) if self._tasks else await asyncio.sleep(0)
        self._thread.shutdown()

    def _flush(self) -> None:
        self._called = False
        while self._waiting and self._under_way < MOST_FRAMES:
            size = count = 0
            for count, (delivery, _, _) in enumerate(self._waiting, 1):  # noqa: B007 - the last count is used below
                size += len(delivery.body)
                if size >= FRAME_BYTES:
                    break
            group, self._waiting = self._waiting[:count], self._waiting[count:]
            self._under_way += 1
            task = asyncio.get_running_loop().create_task(self._hand_over(group, size))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _hand_over(self, group: list[tuple[Delivery, int, asyncio.Future[int]]], size: int) -> None:
        deliveries = [delivery for delivery, _, _ in group]
        events = sum(count for _, count, _ in group)
        fault: NotWrittenError | None = None
        batch_no = 0
        try:
            if size < INLINE_BYTES:
                frame = self._inline.seal(deliveries, events)
            else:
                loop = asyncio.get_running_loop()
                frame = await loop.run_in_executor(self._thread, self._beside.seal, deliveries, events)
            batch_no = await self._handover.put(frame)
        except NotWrittenError as refused:
            fault = refused
        except ParcoursError as refused:
            fault = NotWrittenError(refused.code)
        except Exception:
            # Whoever waits must hear of it, whatever it was.
            LOG.exception("a group could not be handed over")
            fault = NotWrittenError("internal")
        finally:
            self._under_way -= 1
            self.bytes -= size
        self.fault = str(fault or "")
        for _, _, future in group:
            if future.done():  # The client has gone; what it sent is kept all the same.
                continue
            if fault:
                future.set_exception(fault)
            else:
                future.set_result(batch_no)
        self._flush()
