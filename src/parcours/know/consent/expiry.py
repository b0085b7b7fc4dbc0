"""How long a consent holds, as the blueprint says: one that is older counts as refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from parcours.blueprint.records import Blueprint

DAY_MS = 86_400_000


class HasNumber(Protocol):
    """A purpose as it is numbered (`parcours.know.gate.versions.Numbered`)."""

    @property
    def number(self) -> int:
        """Its number in the ledger."""


def read_expiries(blueprint: Blueprint, numbered: Mapping[str, HasNumber]) -> dict[int, int]:
    """Return for how many milliseconds a consent holds, by the number of its purpose, where it ends by itself."""
    return {
        numbered[purpose.id].number: purpose.expires_days * DAY_MS
        for purpose in blueprint.purposes
        if purpose.expires_days is not None
    }
