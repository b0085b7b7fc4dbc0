"""The key of a household or the like where no event names one: the same personal values make the same one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Layer
from parcours.know.linking.forms import form
from parcours.know.pseudonyms import NOBODY, Numbers, digest_objects


def fill_keys(layers: Iterable[Layer], batch: pa.Table, objects: Mapping[str, Numbers], key: bytes) -> None:
    """Fill in, where an event names no object of a layer, the one that its personal values make.

    Every value must be there; accents, capitals and punctuation make no difference. What is told nowhere else is told
    by none of it: the key is a pseudonym of the values, as every object is one of its id.

    Args:
        layers: What people may belong to.
        batch: Raw events.
        objects: The pseudonyms of the objects on them by type, `NOBODY` where there is none; filled in place.
        key: Makes pseudonyms.
    """
    write = form("place")
    for layer in layers:
        if not layer.same:
            continue
        codes = objects[layer.object]
        told = [batch.column(f"field_{field}") for field in layer.same]
        known = np.logical_and.reduce([np.asarray(column.is_valid()) for column in told]) & (codes == NOBODY)
        rows = np.flatnonzero(known)
        values = [column.take(pa.array(rows)).to_pylist() for column in told]
        parts = [[write(value) for value in column] for column in values]
        joined = ["\x1f".join(map(str, one)) if all(one) else "" for one in zip(*parts, strict=True)]
        made = np.array([bool(one) for one in joined], bool)
        # Another kind than that of ids: a household that an id names is never one that an address makes.
        codes[rows[made]] = digest_objects(f"{layer.object} of {layer.id}", [one for one in joined if one], key)
