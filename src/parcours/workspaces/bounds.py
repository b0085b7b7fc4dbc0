"""What of one customer a decision lets through: promises alone, and fields that are personal kept under a mask."""

from __future__ import annotations

from collections.abc import Mapping

from parcours.blueprint.records import Blueprint
from parcours.know import Decision

HIDDEN = "•••"
"""What stands where a value is masked."""


def list_masked(blueprint: Blueprint) -> frozenset[str]:
    """Return the fields that are shown under a mask: those that were not declared as ordinary."""
    return frozenset(field.id for field in blueprint.fields if field.class_ != "ordinary")


def mask_fields(fields: Mapping[str, str | float], masked: frozenset[str]) -> dict[str, str | float]:
    """Return ``fields`` with the values of those that are ``masked`` hidden."""
    return {name: HIDDEN if name in masked else value for name, value in fields.items()}


def only_promises(decision: Decision | None) -> bool:
    """Return whether nothing but promises and open matters may be seen."""
    return decision is not None and decision.only == "promises"


def list_promised(blueprint: Blueprint) -> frozenset[str]:
    """Return the touchpoints at which something was promised."""
    return frozenset(one.id for one in blueprint.touchpoints if one.promise)


def list_open_work(blueprint: Blueprint) -> frozenset[str]:
    """Return the operations behind what was promised: their work on a customer is what may still be open."""
    promised = list_promised(blueprint)
    return frozenset(one.id for one in blueprint.operations if promised & {*one.supports})
