"""The hand-over to the writer: frames down a local socket, a number back once they are on disk."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec

from parcours.engine.store.journal import Frame

LOG = logging.getLogger(__name__)
_SIZE = struct.Struct("<I")
LONGEST = 128 << 20
RETRY_S = 0.2
ANSWER_S = 30.0
"""How long a frame may stay without an answer before the line is given up: a writer that hangs must not hang us."""

PROOF = Frame(0, 0, 0, b"")
"""A frame of nothing: the writer makes a small durable write of its own, and answers as for any other."""


class Handed(msgspec.Struct, frozen=True, array_like=True):
    """A frame on its way, under a number of its sender."""

    number: int
    frame: Frame


class Answered(msgspec.Struct, frozen=True, array_like=True):
    """What became of a frame: its batch number, or the code of the fault that kept it out."""

    number: int
    batch_no: int = 0
    fault: str = ""


class NotWrittenError(Exception):
    """The frame is not on disk, for sure or for all one knows: it must be sent again."""


_encode_handed = msgspec.msgpack.Encoder().encode
_decode_answer = msgspec.msgpack.Decoder(Answered).decode
Waiting: TypeAlias = "dict[int, asyncio.Future[int]]"


def with_size(message: bytes) -> bytes:
    """Return ``message`` with its length before it."""
    return _SIZE.pack(len(message)) + message


class Handover:
    """The sending end of an event loop: connects, and connects again when the writer comes back.

    Args:
        address: The writer's socket.
        answer_s: How long a frame may stay without an answer.
    """

    def __init__(self, address: Path, answer_s: float = ANSWER_S) -> None:
        self._address = address
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: Waiting = {}
        self._number = 0
        self._task: asyncio.Task[None] | None = None
        self._answer_s = answer_s

    @property
    def connected(self) -> bool:
        """Whether the writer is there."""
        return self._writer is not None

    async def start(self) -> None:
        """Begin to connect, for ever."""
        self._task = asyncio.create_task(self._stay_connected())

    async def stop(self) -> None:
        """Let go of the socket; frames without an answer fail."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def put(self, frame: Frame) -> asyncio.Future[int]:
        """Send ``frame``; the future gives its batch number once it is on disk, or raises `NotWrittenError`."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if self._writer is None:
            future.set_exception(NotWrittenError("no_writer"))
            return future
        self._number += 1
        self._waiting[self._number] = future
        self._writer.write(with_size(_encode_handed(Handed(self._number, frame))))
        late = future.get_loop().call_later(self._answer_s, self._give_up, self._number)
        future.add_done_callback(lambda _: late.cancel())
        return future

    def _give_up(self, number: int) -> None:
        if number in self._waiting and self._writer is not None:
            LOG.warning("the writer does not answer")
            # What it has not read yet goes with the line, or it would pile up here.
            self._writer.transport.abort()
            self._fail("writer_silent")

    async def _stay_connected(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(self._address))
                await self._hear(reader)
            except (OSError, asyncio.IncompleteReadError, msgspec.DecodeError):
                pass
            finally:
                self._lose()
            await asyncio.sleep(RETRY_S)

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            (size,) = _SIZE.unpack(await reader.readexactly(_SIZE.size))
            answer = _decode_answer(await reader.readexactly(size))
            future = self._waiting.pop(answer.number, None)
            if future is None or future.done():
                continue
            if answer.fault:
                future.set_exception(NotWrittenError(answer.fault))
            else:
                future.set_result(answer.batch_no)

    def _lose(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._fail("writer_gone")

    def _fail(self, code: str) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(NotWrittenError(code))


def hand_over(address: Path, frame: Frame, timeout_s: float = 30.0) -> int:
    """Hand one frame over from an ordinary thread and return its batch number.

    Raises:
        NotWrittenError: when the writer is not there, goes away, or could not write.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(timeout_s)
            line.connect(str(address))
            line.sendall(with_size(_encode_handed(Handed(1, frame))))
            (size,) = _SIZE.unpack(_receive(line, _SIZE.size))
            answer = _decode_answer(_receive(line, size))
    except OSError as fault:
        raise NotWrittenError("no_writer") from fault
    if answer.fault:
        raise NotWrittenError(answer.fault)
    return answer.batch_no


def _receive(line: socket.socket, size: int) -> bytes:
    pieces = b""
    while len(pieces) < size:
        piece = line.recv(size - len(pieces))
        if not piece:
            raise NotWrittenError("writer_gone")
        pieces += piece
    return pieces
