"""Callbacks: whoever sent a request hears of each of its states once, signed, tried again for a day or so."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from parcours.collect.connectors.posting import Endpoint
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.keys import Keys

TIMEOUT_S = 3.0
FIRST_WAIT_MS, MOST_TRIES = 60_000, 11
"""The wait doubles from one minute: the eleventh and last try is some seventeen hours after the first."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS callbacks (
    number INTEGER NOT NULL, url TEXT NOT NULL, status TEXT NOT NULL, tries INTEGER NOT NULL, next_ms INTEGER NOT NULL,
    checksum BLOB, PRIMARY KEY (number, url));
"""


class Called(NamedTuple):
    """What an address was last told of a request, or is to be told: ``tries`` is 0 once it has heard ``status``."""

    number: int
    url: str
    status: str
    tries: int
    next_ms: int

    def waits(self, now_ms: int) -> bool:
        """Return whether it has not heard it, and is to be tried again by now."""
        return 0 < self.tries < MOST_TRIES and self.next_ms <= now_ms


class Callbacks:
    """What was told to whom, in ``state.db``."""

    def __init__(self, state: Database, keys: Keys) -> None:
        state.execute(_SCHEMA)
        self.table = CheckedTable(state, "callbacks", Called._fields, Called._fields[:2], keys.checks)

    def find_due(
        self, wanted: Mapping[int, tuple[str, tuple[str, ...]]], may_call: Callable[[str], bool]
    ) -> tuple[int, str] | None:
        """Return one request and address that has not heard its state yet and is to be tried now.

        ``wanted`` holds the state and addresses of each request; no address is called that ``may_call`` turns down.
        """
        held = {(one.number, one.url): one for one in (Called(*row) for row in self.table.all())}  # type: ignore[arg-type]
        now_ms = time.time_ns() // 1_000_000
        for number, (status, urls) in sorted(wanted.items()):
            for url in urls:
                one = held.get((number, url))
                if (one is None or one.status != status or one.waits(now_ms)) and may_call(url):
                    return number, url
        return None

    def send(self, number: int, url: str, status: str, body: bytes, headers: Mapping[str, str]) -> bool:
        """Send one callback and note what became of it; return whether it was taken (any 2xx)."""
        taken = _post(url, body, headers)
        rows = self.table.some("WHERE number = ? AND url = ? AND status = ?", (number, url, status))
        tries = 0 if taken else 1 + (Called(*rows[0]).tries if rows else 0)  # type: ignore[arg-type]
        wait_ms = FIRST_WAIT_MS * 2 ** max(0, tries - 1) if tries else 0
        self.table.put([Called(number, url, status, tries, time.time_ns() // 1_000_000 + wait_ms)])
        return taken

    def verify(self) -> Iterator[ParcoursError]:
        """Yield one error for each line that was altered, and one when some are missing."""
        yield from self.table.verify()


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> bool:
    endpoint = Endpoint(url, TIMEOUT_S)
    try:
        return 200 <= endpoint.post(body, headers).status < 300
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        endpoint.close()
