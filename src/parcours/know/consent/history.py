"""The latest lines of the ledger as somebody may read them: under pseudonyms, with what they rest on."""

from __future__ import annotations

from typing import Literal

import msgspec

from parcours.engine.store.sqlite import Database
from parcours.know.consent.chain import read_last
from parcours.know.consent.contexts import Context, Contexts
from parcours.know.consent.lines import (
    CHOICE,
    CONTEXT,
    ENTRY,
    ERASED,
    EVENT,
    GRANTED,
    MADE,
    OCCURRED,
    PRINCIPAL,
    PURPOSE,
    RECORDED,
    WITHDRAWN,
)

Said = Literal["granted", "denied", "withdrawn", "erased"]


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line.

    Attributes:
        entry_no: Its number.
        state: ``granted``, ``denied``, ``withdrawn``, or ``erased`` for a line that says that ``erased_no`` was erased.
        purpose: The purpose, empty for an erasure and where its number is not known any more.
        principal: The pseudonym of the identifier whose choice it is, nothing for an erasure.
        made_ms, occurred_ms, recorded_ms: When the choice was made, stated and recorded.
        event_no: The event that stated it, -1 for a choice that a person recorded.
        context: Notice, source and actor; nothing for lines older than these columns.
    """

    entry_no: int
    state: Said
    purpose: str
    principal: int | None
    made_ms: int
    occurred_ms: int
    recorded_ms: int
    event_no: int
    erased_no: int | None = None
    context: Context | None = None


def read_changes(
    state: Database, key: bytes, contexts: Contexts, purposes: dict[int, str], count: int
) -> tuple[LedgerLine, ...]:
    """Return the last ``count`` lines that were not erased since, latest first, each checked.

    Raises:
        ParcoursError: ``state_damaged``.
    """
    found = []
    for line in read_last(state, key, count).lines[::-1].tolist():
        erasure = line[CHOICE] == ERASED
        said: Said = "granted" if line[CHOICE] == GRANTED else "withdrawn" if line[CHOICE] == WITHDRAWN else "denied"
        found.append(
            LedgerLine(
                entry_no=line[ENTRY],
                state="erased" if erasure else said,
                purpose="" if erasure else purposes.get(line[PURPOSE], ""),
                principal=None if erasure else line[PRINCIPAL],
                made_ms=line[OCCURRED] if erasure else line[MADE],
                occurred_ms=line[OCCURRED],
                recorded_ms=line[RECORDED],
                event_no=-1 if erasure else line[EVENT],
                erased_no=line[EVENT] if erasure else None,
                context=contexts.find(line[CONTEXT]),
            )
        )
    return tuple(found)
