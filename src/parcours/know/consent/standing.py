"""The latest choice by purpose and identifier, in sorted arrays that are looked up all at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parcours.know.consent.lines import (
    CHOICE,
    CONFIRMED,
    ENTRY,
    GRANTED,
    MADE,
    NOTHING,
    OCCURRED,
    PRINCIPAL,
    PURPOSE,
    RECORDED,
    REFUSED,
    WITHDRAWN,
    Choices,
    Mask,
    follow,
)
from parcours.know.pseudonyms import Numbers

RESTATED_MS = {GRANTED: 24 * 3_600_000, REFUSED: 3_600_000}
"""How long after a choice was recorded the same one need not be recorded again.

What is told of the last statement after a restart is so much too early at most. Should a contrary one arrive that was
made in between, then a refusal counts though it was taken back meanwhile; a consent counts only if it is not older than
the last refusal by an hour.
"""

_RUN_BITS, _BIAS = 44, 1 << 42
"""Moments fit below the number of their run, whatever their sign."""


class Standing:
    """The line that counts for each purpose and identifier: the latest statement."""

    def __init__(self) -> None:
        self._lines: dict[int, Numbers] = {}

    def take(self, lines: Numbers) -> None:
        """Take further lines, in the order of the ledger."""
        for purpose in np.unique(lines[:, PURPOSE]).tolist():
            mine = lines[lines[:, PURPOSE] == purpose]
            # A stable sort keeps the ledger's order among equal times, so the last line of a principal is the latest.
            mine = mine[np.lexsort((mine[:, CONFIRMED], mine[:, PRINCIPAL]))]
            last = np.append(np.diff(mine[:, PRINCIPAL]) != 0, True)
            # One before it that is not held yet says the contrary, or the two would have been joined.
            alone = (last & np.append(True, last[:-1]))[last]
            before, mine = np.roll(mine, 1, axis=0)[last], mine[last]
            self._lines[purpose] = _update(self.lines_of(purpose), mine, before, alone)

    def of(self, principals: Numbers, purpose: int, since_ms: int = 0) -> Choices:
        """Return the choice of each of ``principals``; a consent that was made before ``since_ms`` is none."""
        lines = self._lines.get(purpose)
        answer = np.full(principals.shape, NOTHING, np.int8)
        if lines is None or not len(lines):
            return answer
        places, found = _places(lines, principals)
        held = lines[places[found]]
        answer[found] = np.where((held[:, CHOICE] == GRANTED) & (held[:, MADE] >= since_ms), GRANTED, REFUSED)
        return answer

    def lines_of(self, purpose: int) -> Numbers:
        """Return the line that counts for each identifier, by rising identifier."""
        held = self._lines.get(purpose)
        return np.empty((0, ENTRY + 1), np.int64) if held is None else held

    def count_expired(self, purpose: int, since_ms: int) -> int:
        """Return how many consents were made before ``since_ms``."""
        lines = self.lines_of(purpose)
        return int(np.count_nonzero((lines[:, CHOICE] == GRANTED) & (lines[:, MADE] < since_ms)))

    def find_unrecorded(self, kept: Standing, lines: Numbers, recorded_ms: int) -> Numbers:
        """Return what was stated last, later than what is ``kept``, by those of whom ``lines`` say the contrary."""
        (latest, found), (recorded, _) = self.latest(lines), kept.latest(lines)
        contrary = (latest[:, CHOICE] == GRANTED) != (lines[:, CHOICE] == GRANTED)
        found &= contrary & (latest[:, CONFIRMED] > recorded[:, CONFIRMED])
        later = np.unique(latest[found], axis=0)
        later[:, RECORDED] = recorded_ms
        return later

    def of_some(self, principals: Numbers, purpose: int) -> Standing:
        """Return what is held of ``purpose`` for these ``principals`` alone."""
        some = Standing()
        lines = self._lines.get(purpose)
        if lines is not None and len(lines):
            places, found = _places(lines, principals)
            some._lines[purpose] = lines[places[found]]
        return some

    def covers(self, lines: Numbers) -> Mask:
        """Return which of ``lines`` say nothing that the latest choice does not hold already, or was stated lately."""
        latest, found = self.latest(lines)
        granted = latest[:, CHOICE] == GRANTED
        until_ms = latest[:, CONFIRMED] + np.where(granted, RESTATED_MS[GRANTED], RESTATED_MS[REFUSED])
        covered: Mask = (
            found
            & (granted == (lines[:, CHOICE] == GRANTED))
            & (latest[:, OCCURRED] <= lines[:, OCCURRED])
            & (latest[:, MADE] >= lines[:, MADE])
            & (until_ms >= lines[:, CONFIRMED])
        )
        return covered

    def resolve(self, lines: Numbers) -> None:
        """Say of each of ``lines`` when its choice was made and whether it is a withdrawal, after what is held here.

        The statements of one choice in a row, what is held included, are one run: it was made when it began, or at the
        latest moment of which its signals tell; a run of refusals behind one of consents is a withdrawal.
        """
        if not len(lines):
            return
        order = np.lexsort((lines[:, CONFIRMED], lines[:, PRINCIPAL], lines[:, PURPOSE]))
        mine = lines[order]
        granted, told = mine[:, CHOICE] == GRANTED, mine[:, MADE]
        latest, known = self.latest(mine)
        known &= latest[:, CONFIRMED] <= mine[:, CONFIRMED]
        first = np.append(True, (np.diff(mine[:, [PRINCIPAL, PURPOSE]], axis=0) != 0).any(axis=1))
        goes_on = first & known & ((latest[:, CHOICE] == GRANTED) == granted)
        begins = first | np.append(True, np.diff(granted))
        made = np.where(told > 0, told, np.where(begins, mine[:, OCCURRED], -_BIAS))
        made = np.where(goes_on, np.maximum(told, latest[:, MADE]), made)
        run = np.cumsum(begins)
        mine[:, MADE] = np.maximum.accumulate((run << _RUN_BITS) + made + _BIAS) - (run << _RUN_BITS) - _BIAS
        # Runs of one identifier take turns, so that one which is not its first follows the contrary.
        withdrawn = begins & np.where(first, known & np.isin(latest[:, CHOICE], (GRANTED, WITHDRAWN)), True)
        mine[~granted & withdrawn[np.flatnonzero(begins)[run - 1]], CHOICE] = WITHDRAWN
        lines[order] = mine

    def drop(self, principals: Numbers) -> None:
        """Forget whatever these identifiers chose."""
        for purpose, lines in self._lines.items():
            self._lines[purpose] = lines[~np.isin(lines[:, PRINCIPAL], principals)]

    def principals_at(self, entries: Numbers) -> Numbers:
        """Return the identifiers for which one of these lines of the ledger counts."""
        found = [lines[np.isin(lines[:, ENTRY], entries), PRINCIPAL] for lines in self._lines.values()]
        return np.unique(np.concatenate([np.empty(0, np.int64), *found]))

    def copy(self) -> Standing:
        """Return the same, to be taken further on its own."""
        twin = Standing()
        twin._lines = dict(self._lines)
        return twin

    def latest(self, lines: Numbers) -> tuple[Numbers, Mask]:
        """Return the line that counts for the identifier and purpose of each of ``lines``, and where there is one."""
        latest, known = np.zeros_like(lines), np.zeros(len(lines), bool)
        for purpose, held in self._lines.items():
            if not len(held):
                continue
            mine = np.flatnonzero(lines[:, PURPOSE] == purpose)
            places, found = _places(held, lines[mine, PRINCIPAL])
            latest[mine], known[mine] = held[places], found
        return latest, known


def _update(held: Numbers, mine: Numbers, before: Numbers, alone: Mask) -> Numbers:
    """Return ``held`` with what is later of ``mine``; both by rising principal, each once.

    ``before`` is what stands before each of ``mine`` among the new lines, except where it comes ``alone``.
    """
    if not len(held):
        follow(mine, before, ~alone)
        return mine
    places, found = _places(held, mine[:, PRINCIPAL])
    newer = found & (mine[:, CONFIRMED] >= held[places, CONFIRMED])
    follow(mine, np.where(alone[:, None], held[places], before), newer | ~alone)
    updated = held.copy()
    updated[places[newer]] = mine[newer]
    fresh = mine[~found]
    return np.insert(updated, np.searchsorted(held[:, PRINCIPAL], fresh[:, PRINCIPAL]), fresh, axis=0)


def _places(lines: Numbers, principals: Numbers) -> tuple[npt.NDArray[np.intp], Mask]:
    held = lines[:, PRINCIPAL]
    places = np.minimum(np.searchsorted(held, principals), len(held) - 1)
    return places, held[places] == principals
