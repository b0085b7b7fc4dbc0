"""Simple counts of views by page, channel, touchpoint and day: all that the audience space answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
import pyarrow as pa

from parcours.errors import ParcoursError
from parcours.know.audience.store import AudienceStore
from parcours.words import Words

By = Literal["day", "page", "channel", "touchpoint"]
BY: tuple[By, ...] = get_args(By)


class Views(msgspec.Struct, frozen=True):
    """Views of one group: by what it was asked for, how many, and of how many visitors that sent an id."""

    group: dict[str, str | int | None]
    views: int
    visitors: int


def count_views(store: AudienceStore, by: Sequence[str], since_day: int = 0) -> list[Views]:
    """Return the views by each of ``by``, from ``since_day`` (days since 1970) on, most viewed first but by day.

    Raises:
        ParcoursError: ``unknown_split``, ``audience_damaged``.
    """
    for name in by:
        if name not in BY:
            raise _unknown(name)
    rows = store.read()
    rows = rows.filter(pa.compute.greater_equal(rows.column("day"), since_day))
    sums = rows.group_by(list(by)).aggregate([("event_no", "count"), ("visitor", "count_distinct")])
    found = [
        Views({name: row[name] for name in by}, row["event_no_count"], row["visitor_count_distinct"])
        for row in sums.to_pylist()
    ]
    return sorted(found, key=lambda one: (one.group.get("day") or 0, -one.views, str(one.group)))


def _unknown(name: str) -> ParcoursError:
    return ParcoursError(
        "unknown_split",
        Words(fr=f"L'audience ne se compte pas par « {name} ».", en=f"The audience is not counted by “{name}”."),
        Words(fr=f"Choisissez parmi : {', '.join(BY)}.", en=f"Choose among: {', '.join(BY)}."),
    )
