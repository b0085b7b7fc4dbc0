"""A ledger to try things on: opened in a folder, with choices stated in a line."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from parcours.know.consent.ledger import GRANTED, Ledger
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.settings import Settings

DAY_MS = 86_400_000
EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "40"))


def open_ledger(
    folder: Path, expires_ms: Mapping[int, int] | None = None, clock: Callable[[], int] = lambda: 10 * DAY_MS
) -> Ledger:
    """Return the ledger of the company in ``folder``."""
    return Ledger(open_state(folder), open_keys(folder, Settings())[0], expires_ms, clock)


def state(
    ledger: Ledger, principal: int, at_ms: int, choice: int = GRANTED, purpose: int = 0, made_ms: int = 0
) -> None:
    """Note one choice."""
    one = np.array([principal], np.int64)
    told = np.array([choice], np.int8), np.array([at_ms], np.int64), np.array([0], np.int64)
    ledger.note(purpose, one, *told, np.array([made_ms], np.int64))


def keep(ledger: Ledger, *choices: tuple[int, int, int]) -> None:
    """Record choices as (principal, moment, choice), each settled by itself."""
    for principal, at_ms, choice in choices:
        state(ledger, principal, at_ms, choice)
        ledger.settle(at_ms)


def recorded(ledger: Ledger, *principals: int, purpose: int = 0) -> list[int]:
    """Return what the ledger says of ``principals`` now."""
    ledger.catch_up()
    return [int(one) for one in ledger.recorded(np.array(principals, np.int64), purpose)]
