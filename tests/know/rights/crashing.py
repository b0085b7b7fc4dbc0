"""A process that ends in the middle of its work, played in this one: from some write on nothing reaches a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from parcours.engine.store.sqlite import Database

_READING = ("SELECT", "PRAGMA TABLE_INFO", "PRAGMA DATA_VERSION", "BEGIN", "CREATE")


class CrashError(BaseException):
    """The process is no more. No handler of errors that the product has may catch it."""


@contextmanager
def crashing(after_writes: int) -> Iterator[None]:
    """Let ``after_writes`` statements that write go through inside; then every one fails, and nothing is committed.

    Whoever opens the files afterwards finds what a killed process leaves: what was committed, and files as they lie.
    """
    left = [after_writes]

    def before(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(database: Database, sql: str, *rest: Any) -> Any:
            told = sql.lstrip().upper()
            if left[0] < 0:
                # The end of a process takes back what was not committed, and lets go of what was read.
                if told in ("COMMIT", "ROLLBACK"):
                    return real(database, "ROLLBACK")
                raise CrashError
            if not told.startswith(_READING):
                left[0] -= 1
                if left[0] < 0:
                    if told == "COMMIT":
                        real(database, "ROLLBACK")
                    raise CrashError
            return real(database, sql, *rest)

        return run

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "execute", before(Database.execute))
        patch.setattr(Database, "executemany", before(Database.executemany))
        yield
