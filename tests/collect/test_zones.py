"""Time zones: names that exist."""

from __future__ import annotations

import numpy as np

from parcours.collect.zones import is_zone, local_to_utc


def test_zones_of_the_iana_database_are_known() -> None:
    assert is_zone("Europe/Paris")
    assert not any(map(is_zone, ["Europe/Lyon", "", "../etc/passwd", "/etc/passwd"]))


def test_a_column_across_a_change_of_clocks_moves_value_by_value() -> None:
    hours = np.array([1_743_292_800_000 + hour * 3_600_000 for hour in range(6)])
    moved = (hours - local_to_utc(hours, "Europe/Paris")) // 3_600_000
    assert moved.tolist() == [1, 1, 1, 2, 2, 2]
    assert local_to_utc(hours[:0], "Europe/Paris").tolist() == []
