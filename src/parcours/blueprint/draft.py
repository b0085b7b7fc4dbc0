"""What the rules look at: the readable part of a blueprint, and where each word of it stands."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.blueprint.yaml_lines import Node, Place
from parcours.errors import Fault
from parcours.words import Words


class Draft(msgspec.Struct, frozen=True):
    """A blueprint that may still hold stand-ins, beside the file it was read from.

    Items stand in the record in the order of the file, so ``("touchpoints", 3, "owner")`` is a place in both.
    """

    blueprint: Blueprint
    node: Node

    def items(self, section: str) -> list[tuple[Place, Any]]:
        """Return the records of a list section, each with its place; those that are no keys and values left out."""
        numbered = enumerate(getattr(self.blueprint, section))
        return [((section, index), item) for index, item in numbered if isinstance(self.raw((section, index)), dict)]

    def ids(self, section: str) -> tuple[str, ...]:
        """Return the ids that a list section declares."""
        return tuple(item.id for item in getattr(self.blueprint, section) if item.id)

    def raw(self, place: Place) -> Any:
        """Return what the file holds at ``place``, None when it holds nothing there."""
        value = self.node.data
        for key in place:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def error(self, code: str, place: Place, sentence: Words, remedy: Words) -> Fault:
        """Return an error at ``place``."""
        return self.node.fault(code, place, sentence, remedy)

    def warning(self, code: str, place: Place, sentence: Words, remedy: Words) -> Fault:
        """Return a warning at ``place``."""
        return self.node.warning(code, place, sentence, remedy)


def is_known(number: float | None) -> bool:
    """Say whether a number was given and could be read."""
    return number is not None and not math.isnan(number)
