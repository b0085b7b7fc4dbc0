"""The one writer of the journal: takes every frame that waits, commits them together, and only then answers."""

from __future__ import annotations

import logging
import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from parcours.collect.journal.handover import LONGEST, PROOF, Answered, Handed, with_size
from parcours.engine.store.journal import Frame, Journal
from parcours.errors import ParcoursError
from parcours.telemetry import span

LOG = logging.getLogger(__name__)
_SIZE = struct.Struct("<I")
_READ_BYTES = 1 << 20
MOST_BYTES = 32 << 20
"""Bytes committed at once: a larger group would only make its first frames wait."""

_decode_handed = msgspec.msgpack.Decoder(Handed).decode
_encode_answer = msgspec.msgpack.Encoder().encode


class _Line:
    """One sender: what has been read of it, and what it has not taken of our answers."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.unread = bytearray()
        self.unsent = bytearray()

    def frames(self) -> list[Handed]:
        """Return the frames that are whole."""
        found, place, held = [], 0, self.unread
        while len(held) - place >= _SIZE.size:
            (size,) = _SIZE.unpack_from(held, place)
            if size > LONGEST:
                raise ValueError("frame too long")
            if len(held) - place - _SIZE.size < size:
                break
            start = place + _SIZE.size
            found.append(_decode_handed(memoryview(held)[start : start + size]))
            place = start + size
        if place:
            self.unread = held[place:]
        return found


class Writer:
    """Listens on a local socket and appends to the journal.

    A commit that fails is answered as such, and the file is closed and opened again before the next: after a failed
    fsync nobody knows what of the old log is on disk, so opening moves all of it into the file and starts a new log.

    Args:
        address: The path of the socket, in a folder that only this user may enter.
        open_journal: Opens the journal and gives what closes it.
    """

    def __init__(self, address: Path, open_journal: Callable[[], tuple[Journal, Callable[[], None]]]) -> None:
        self._address = address
        self._open_journal = open_journal
        self._journal: Journal | None = None
        self._close: Callable[[], None] = lambda: None
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX)
        self._ready: list[tuple[_Line, Handed]] = []
        self.commits = self.frames = 0
        self.fault = ""

    def listen(self) -> None:
        """Open the journal and begin to listen.

        Raises:
            ParcoursError: what is wrong with the journal.
        """
        self._reopen()
        with suppress(FileNotFoundError):
            self._address.unlink()
        self._listener.bind(str(self._address))
        self._listener.listen(64)
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Serve until ``stopping`` and nobody waits for an answer any more."""
        quiet_since = time.monotonic()
        while True:
            if self._step(0.2):
                quiet_since = time.monotonic()
            elif stopping() and time.monotonic() - quiet_since > 0.4:
                break
        self._selector.close()
        self._listener.close()
        self._close()

    def _step(self, timeout_s: float) -> bool:
        """Take what has come and commit it; return whether there was anything."""
        for key, events in self._selector.select(0 if self._ready else timeout_s):
            if key.fileobj is self._listener:
                self._greet()
            else:
                self._serve(key.data, events)
        if not self._ready:
            return False
        size = count = 0
        for count, (_, handed) in enumerate(self._ready, 1):  # noqa: B007 - the last count is used below
            size += len(handed.frame.body)
            if size > MOST_BYTES:
                break
        group, self._ready = self._ready[:count], self._ready[count:]
        self._commit(group)
        return True

    def _greet(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError as fault:
            LOG.warning("a sender could not be greeted: %s", type(fault).__name__)
            return
        connection.setblocking(False)
        self._selector.register(connection, selectors.EVENT_READ, _Line(connection))

    def _serve(self, line: _Line, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self._send(line, b"")
            if events & selectors.EVENT_READ:
                data = line.connection.recv(_READ_BYTES)
                if not data:
                    raise ConnectionResetError
                line.unread += data
                self._ready += [(line, handed) for handed in line.frames()]
        except BlockingIOError:
            return
        except (OSError, ValueError, msgspec.DecodeError) as fault:
            if not isinstance(fault, ConnectionResetError):
                LOG.warning("a sender was cut off: %s", type(fault).__name__)
            self._forget(line)

    def _commit(self, group: list[tuple[_Line, Handed]]) -> None:
        try:
            if self._journal is None:
                self._reopen()
            assert self._journal is not None  # noqa: S101 - reopening gives one or raises
            with span("commit", frames=len(group)):
                numbers = _append(self._journal, [handed.frame for _, handed in group])
        except Exception as fault:
            # Whatever it was, nobody knows what of it is on disk: the file is opened anew before anything is added.
            code = fault.code if isinstance(fault, ParcoursError) else type(fault).__name__
            LOG.error("the journal could not be written: %s", code)
            self.fault = code
            self._shut()
            for line, handed in group:
                self._send(line, _encode_answer(Answered(handed.number, 0, code)))
            return
        if self.fault:
            LOG.info("the journal is written again")
        self.fault = ""
        self.commits += 1
        self.frames += len(group)
        for (line, handed), batch_no in zip(group, numbers, strict=True):
            self._send(line, _encode_answer(Answered(handed.number, batch_no)))

    def _send(self, line: _Line, answer: bytes) -> None:
        if answer:
            line.unsent += with_size(answer)
        try:
            while line.unsent:
                del line.unsent[: line.connection.send(line.unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._forget(line)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if line.unsent else 0)
        with suppress(KeyError):
            self._selector.modify(line.connection, wanted, line)

    def _forget(self, line: _Line) -> None:
        """Drop a sender; what it handed over is still written, and who waited for it will send it again."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(line.connection)
        line.connection.close()

    def _shut(self) -> None:
        self._journal = None
        close, self._close = self._close, lambda: None
        try:
            close()
        except Exception as fault:
            LOG.warning("the journal could not be closed: %s", type(fault).__name__)

    def _reopen(self) -> None:
        self._journal, self._close = self._open_journal()


def _append(journal: Journal, frames: list[Frame]) -> list[int]:
    """Return a number for each frame once all are on disk; 0 for those that only ask for a proof."""
    real = [frame for frame in frames if frame != PROOF]
    if not real:
        journal.prove()
        return [0] * len(frames)
    numbers = iter(journal.append(real))
    return [0 if frame == PROOF else next(numbers) for frame in frames]
