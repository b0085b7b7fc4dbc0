"""What the main process tells a worker down its standard input, a line of JSON each; the end of it means: stop."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import msgspec

from parcours.collect.http.keys import Sender


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a worker follows, whole each time; keys never travel by any other way.

    Attributes:
        senders: Who may send, by the digest of the write key.
        hour_keys: The keys that seal batches, by hour; this hour's and the next.
        hosts: The names that are served beside the loopback's.
        forwarded: Whether a proxy tells the client's address.
        full: Whether too much waits to be taken over: nothing more is accepted then.
        folder: The company folder, where survey pages find the blueprint.
        declared: Changes when a file in which the company declares something does.
        survey_key: What seals survey links.
    """

    senders: dict[str, Sender] = {}
    hour_keys: dict[int, bytes] = {}
    hosts: tuple[str, ...] = ()
    forwarded: bool = False
    full: bool = False
    folder: str = ""
    declared: str = ""
    survey_key: bytes = b""


def write_orders(orders: Orders) -> bytes:
    """Return the line that carries ``orders``."""
    return msgspec.json.encode(orders) + b"\n"


def hear_orders(follow: Callable[[Orders], object], stop: Callable[[], object]) -> threading.Thread:
    """Call ``follow`` with each line of standard input from a thread of its own, and ``stop`` at its end."""

    def listen() -> None:
        try:
            for line in read_lines():
                follow(msgspec.json.decode(line, type=Orders))
        finally:
            stop()

    thread = threading.Thread(target=listen, name="orders", daemon=True)
    thread.start()
    return thread


def read_lines(handle: int = 0) -> Iterator[bytes]:
    """Yield each whole line that comes through ``handle`` until its end.

    Read without `sys.stdin`: a thread that waits inside it at the end of the process makes Python abort.
    """
    held = b""
    while piece := os.read(handle, 1 << 16):
        *lines, held = (held + piece).split(b"\n")
        yield from lines
