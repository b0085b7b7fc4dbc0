"""Which choices an event states, and for which of its identifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parcours.collect.door import IDENTIFIERS
from parcours.know.consent.ledger import GRANTED, REFUSED, Choices
from parcours.know.pseudonyms import Numbers

Mask = npt.NDArray[np.bool_]


def read_choices(
    batch: pa.Table, purpose: str, people: Mapping[str, Numbers], sound: Mask
) -> Iterator[tuple[str, Numbers, Choices]]:
    """Yield an identifier type, rows that state a choice about ``purpose`` for theirs of that type, and which.

    A choice stands for the account identifiers on its event (user, mail, phone), or for the device where it stands
    alone.

    Args:
        batch: Raw events.
        purpose: The purpose's id.
        people: The pseudonyms on each event, by identifier type.
        sound: Which events count at all.
    """
    name = f"consent_{purpose}"
    if name not in batch.column_names or batch.column(name).null_count == batch.num_rows:
        return
    column = batch.column(name)
    said = np.asarray(column.is_valid()) & sound
    granted = np.where(np.asarray(column.fill_null(False)), GRANTED, REFUSED).astype(np.int8)
    account = np.zeros(batch.num_rows, bool)
    for kind in IDENTIFIERS:
        named = people[kind] >= 0
        rows = np.flatnonzero(said & named & ~account if kind == "device" else said & named)
        account |= named
        yield kind, rows, granted[rows]
