"""A ledger of an older version into the chain: its lines are checked once more, then linked in their order."""

from __future__ import annotations

import numpy as np

from parcours.engine.store.checked import Tally
from parcours.engine.store.sqlite import Database
from parcours.know.consent.chain import Head, append
from parcours.know.consent.lines import WIDTH
from parcours.know.consent.standing import Standing
from parcours.know.keys import Keys
from parcours.know.pseudonyms import Numbers, checksums
from parcours.know.state import CONSENT, damaged, tally_of

_OLD = "principal, purpose, choice, occurred_ms, confirmed_ms, recorded_ms, event_no"
_OLD_WIDTH = 7


def migrate(state: Database, keys: Keys) -> None:
    """Bring the ledger of ``state`` into its present form; nothing happens when it has it.

    Raises:
        ParcoursError: ``state_damaged`` or ``row_damaged`` names what was altered before: it is then left as it is.
    """
    if "link" in state.columns_of("consent"):
        return
    with state.transaction():
        if "link" in state.columns_of("consent"):  # Another process was faster.
            return
        lines, sums = _read_old(state, keys.checks)
        old = Tally(state, "consent")
        old.compare(sums)
        old.note(removed=sums)
        state.execute("DROP TABLE consent")
        state.execute(CONSENT)
        tally_of(state, "consent").note(added=append(state, keys.checks, Head(), lines)[1])


def _read_old(state: Database, key: bytes) -> tuple[Numbers, list[int]]:
    rows = state.execute(f"SELECT {_OLD}, checksum, entry_no FROM consent ORDER BY entry_no")
    try:
        table = np.array(rows, np.int64).reshape(-1, _OLD_WIDTH + 2)
    except (TypeError, ValueError, OverflowError) as fault:
        raise damaged("consent", "?", state.path) from fault
    wrong = checksums(table[:, :_OLD_WIDTH], key) != table[:, _OLD_WIDTH]
    if wrong.any():
        raise damaged("consent", int(table[wrong, -1][0]), state.path)
    lines = np.zeros((len(table), WIDTH + 1), np.int64)
    lines[:, :_OLD_WIDTH] = table[:, :_OLD_WIDTH]
    # Nobody noted when a choice was made: when the first statement of it was.
    Standing().resolve(lines)
    return lines, table[:, _OLD_WIDTH].tolist()
