"""Verdicts: what became of an edge, and where it came from."""

from __future__ import annotations

from parcours.collect.door import IDENTIFIERS

MERGED, REDUNDANT, SHARED, BLOCKED, NEVER_LINK = range(5)
"""It joined two profiles; it joined nothing new; its device is shared, so that it only observes; one of its
identifiers names nobody; or a person said that both must never be one."""

REFUSED = 8
"""A limit refused it; the place in `IDENTIFIERS` of the type that would have been too many is added to it."""

ACCEPTED = (MERGED, REDUNDANT)

SEEN, SCORED, APPROVED = range(3)
"""An edge was seen on an event, scored by a comparison and accepted, or approved by a person."""

_NAMES = ("merged", "redundant", "shared", "blocked", "never_link")


def name_verdict(verdict: int) -> tuple[str, str]:
    """Return the verdict's name and, of a refused one, the type of which there would be too many."""
    if verdict >= REFUSED:
        return "refused", IDENTIFIERS[verdict - REFUSED]
    return _NAMES[verdict], ""
