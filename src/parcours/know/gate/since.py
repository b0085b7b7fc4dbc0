"""Since when what is kept may be read: the retention of a purpose or a field, by whole days."""

from __future__ import annotations

import time

import numpy as np

from parcours.blueprint.records import Blueprint, Field, Purpose

DAY_MS = 86_400_000


def kept_since(limited: Purpose | Field) -> int:
    """Return the first millisecond that the retention of a purpose or field still covers, by whole days."""
    if limited.retention_days is None:
        return int(np.iinfo(np.int64).min)
    return (int(time.time() * 1000) // DAY_MS - limited.retention_days) * DAY_MS


def fields_since(blueprint: Blueprint) -> dict[str, int]:
    """Return since when the values of each field with a retention of its own may be read."""
    return {field.id: kept_since(field) for field in blueprint.fields if field.retention_days is not None}
