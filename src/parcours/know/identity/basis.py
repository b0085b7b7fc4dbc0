"""What kept people rest on: by it is seen whether what came since can be added, or everything must be folded again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from parcours.know.identity.news import Rulings

_BASIS = "basis.json"


class Basis(msgspec.Struct, frozen=True):
    """What kept people rest on.

    Attributes:
        rules: The version of the rules.
        left_out: What changes whenever an identifier is left out, or written otherwise.
        as_of: The events before this number have been looked at.
        last_block, blocks: The latest block of edges that was read, and how many there were up to it.
        identifiers: How many identifiers the vault held.
        biggest: How many identifiers the biggest profile has.
    """

    rules: str
    left_out: str
    as_of: int
    last_block: int
    blocks: int
    identifiers: int
    biggest: int = 0


def write_basis(basis: Basis, rulings: Rulings, draft: Path) -> None:
    """Keep what people rest on beside them."""
    (draft / _BASIS).write_bytes(msgspec.json.encode(basis))
    for name in Rulings.__struct_fields__:
        np.save(draft / f"{name}.npy", getattr(rulings, name))


def read_basis(place: Path) -> tuple[Basis, Rulings] | None:
    """Return what `write_basis` kept; nothing where an older version did not."""
    if not (place / _BASIS).exists():
        return None
    rulings = Rulings(*(np.load(place / f"{name}.npy") for name in Rulings.__struct_fields__))
    return msgspec.json.decode((place / _BASIS).read_bytes(), type=Basis), rulings
