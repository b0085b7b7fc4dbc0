"""A line of the consent ledger as numbers, and what becomes of statements before they are lines."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parcours.know.pseudonyms import Numbers

Choices = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]

NOTHING, REFUSED, GRANTED, WITHDRAWN = -1, 0, 1, 2
"""What the ledger holds of a purpose for an identifier; whatever it cannot read counts as refused.

A line says `WITHDRAWN` where a refusal followed a consent of the same identifier; look-ups say `REFUSED` of it.
"""

ERASED = -2
"""The choice of a line that says that another one was erased: its ``event_no`` is the number of that line."""

COLUMNS = (
    "principal",
    "purpose",
    "choice",
    "occurred_ms",
    "confirmed_ms",
    "recorded_ms",
    "event_no",
    "made_ms",
    "context",
    "evidence",
)
"""What a line says, and what its commitment covers.

``made_ms`` is when the choice was made, which may be long before it was stated; ``context`` and ``evidence`` are the
numbers of rows of other tables, 0 for none.
"""

PRINCIPAL, PURPOSE, CHOICE, OCCURRED, CONFIRMED, RECORDED, EVENT, MADE, CONTEXT, EVIDENCE, ENTRY = range(11)
WIDTH = len(COLUMNS)
"""In memory the number of the line itself stands behind its columns, 0 as long as it is not recorded."""


def state_lines(
    purpose: int,
    principals: Numbers,
    granted: Choices,
    occurred_ms: Numbers,
    event_nos: Numbers,
    made_ms: Numbers | None = None,
    contexts: Numbers | None = None,
    evidence: Numbers | None = None,
) -> Numbers:
    """Return choices as lines of the ledger, one each, that were not recorded yet.

    ``made_ms`` says when a choice was made where its signal tells, 0 where it does not.
    """
    lines = np.zeros((len(principals), WIDTH + 1), np.int64)
    lines[:, PRINCIPAL], lines[:, PURPOSE], lines[:, CHOICE] = principals, purpose, granted
    lines[:, OCCURRED] = lines[:, CONFIRMED] = occurred_ms
    lines[:, EVENT] = event_nos
    for column, values in ((MADE, made_ms), (CONTEXT, contexts), (EVIDENCE, evidence)):
        if values is not None:
            lines[:, column] = values
    # Nobody chooses tomorrow: a choice was made when it was stated, at the latest.
    lines[:, MADE] = np.minimum(lines[:, MADE], lines[:, OCCURRED])
    return lines


def join_runs(lines: Numbers) -> Numbers:
    """Join statements of the same choice that follow one another in time; what stays is in order of arrival."""
    order = np.lexsort((np.arange(len(lines)), lines[:, OCCURRED], lines[:, PRINCIPAL], lines[:, PURPOSE]))
    lines = lines[order]
    same = (lines[1:, : CHOICE + 1] == lines[:-1, : CHOICE + 1]).all(axis=1)
    starts = np.flatnonzero(np.append(True, ~same))
    joined = lines[starts]
    for column in (CONFIRMED, MADE):
        joined[:, column] = np.maximum.reduceat(lines[:, column], starts)
    # A run stands where its latest statement arrived.
    latest = lines[:, CONFIRMED] == np.repeat(joined[:, CONFIRMED], np.diff(np.append(starts, len(lines))))
    arrived = np.maximum.reduceat(np.where(latest, order, -1), starts)
    return joined[np.argsort(arrived, kind="stable")]


def of_changed(lines: Numbers, changed: Mask) -> Mask:
    """Return which lines speak of an identifier and purpose of which some line says something new.

    All of them are then kept: beside a contrary choice of the same millisecond a repeated one is news too.
    """
    news = np.zeros(len(lines), bool)
    if changed.any():
        order = np.lexsort((lines[:, PURPOSE], lines[:, PRINCIPAL]))
        begins = np.append(True, (np.diff(lines[order][:, [PRINCIPAL, PURPOSE]], axis=0) != 0).any(axis=1))
        moved = np.logical_or.reduceat(changed[order], np.flatnonzero(begins))
        news[order] = moved[np.cumsum(begins) - 1]
    return news


def follow(lines: Numbers, before: Numbers, known: Mask) -> None:
    """Let each of ``lines`` follow the one ``before`` it, where that is ``known``; both of the same identifier.

    A choice that is stated again was made when it was made first, unless its signal tells of a later moment; a refusal
    that follows a consent is a withdrawal. Where nothing else is told a choice was made when it was stated.
    """
    granted, was = lines[:, CHOICE] == GRANTED, before[:, CHOICE]
    again = known & (granted == (was == GRANTED))
    lines[:, MADE] = np.where(
        again,
        np.maximum(lines[:, MADE], before[:, MADE]),
        np.where(lines[:, MADE] > 0, lines[:, MADE], lines[:, OCCURRED]),
    )
    lines[known & ~granted & ((was == GRANTED) | (was == WITHDRAWN)), CHOICE] = WITHDRAWN
