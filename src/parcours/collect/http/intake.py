"""How much is held at once: bodies are read against one budget, and what does not fit is refused before it is held."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from parcours.collect.http.answers import BODY_TOO_LARGE, CUT_SHORT, Answer, ask_to_wait
from parcours.collect.http.gathering import Gathering

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

BODY_S = 30.0
"""How long a body may take to come. The server's sweep wakes whoever waits, so that this is noticed without a timer."""


class StoppedError(Exception):
    """A request that ends early with an answer of its own."""

    def __init__(self, answer: Answer, code: str) -> None:
        super().__init__(code)
        self.answer, self.code = answer, code


class Held:
    """The bytes that one request holds."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class Intake:
    """The budget of one worker.

    Args:
        gathering: Holds what has been read and is not on disk yet.
        most_bytes: What both may hold together.
    """

    def __init__(self, gathering: Gathering, most_bytes: int) -> None:
        self._gathering = gathering
        self._most_bytes = most_bytes
        self.bytes = 0
        self.full = False
        """Whether too much waits to be taken over by parts: nothing is accepted until it is."""

    def make_room(self, more_bytes: int) -> None:
        """Do nothing if ``more_bytes`` may be held.

        Raises:
            StoppedError: 429, with what to do.
        """
        if self.full:
            raise StoppedError(ask_to_wait(429, "queue_full", "Too much waits; come again.", close=True), "queue_full")
        if self.bytes + self._gathering.bytes + more_bytes > self._most_bytes:
            raise StoppedError(ask_to_wait(429, "busy", "Too much is under way; come again.", close=True), "busy")

    async def read(self, receive: Receive, length: int, most_bytes: int, held: Held) -> bytes:
        """Return a body of at most ``most_bytes``; one that says ``length`` and will not fit is not waited for.

        Raises:
            StoppedError: with what to answer.
        """
        if length > most_bytes:
            raise StoppedError(BODY_TOO_LARGE, "body_too_large")
        self.make_room(max(length, 0))
        message = await receive()
        piece = self._take(message, most_bytes, held)
        if not message.get("more_body"):
            return piece
        started = time.monotonic()
        body = bytearray(piece)
        while message.get("more_body"):
            if time.monotonic() - started > BODY_S:
                raise StoppedError(CUT_SHORT, "body_cut_short")
            message = await receive()
            body += self._take(message, most_bytes, held)
        return bytes(body)

    def let_go(self, held: Held) -> None:
        """Take back what one request held."""
        self.bytes -= held.bytes

    def _take(self, message: Message, most_bytes: int, held: Held) -> bytes:
        if message["type"] == "http.disconnect":
            raise StoppedError(CUT_SHORT, "client_gone")
        piece: bytes = message.get("body", b"")
        if held.bytes + len(piece) > most_bytes:
            raise StoppedError(BODY_TOO_LARGE, "body_too_large")
        self.make_room(len(piece))
        held.bytes += len(piece)
        self.bytes += len(piece)
        return piece
