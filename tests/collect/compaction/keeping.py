"""What must hold of a reading, whatever was delivered: each item once, and the same again when it is replayed."""

from __future__ import annotations

from collections.abc import Sequence

from shop import BLUEPRINT, RECEIVED_MS, SEED, SOURCES, rows

from parcours.collect.compaction.reading import Placed, Read, Reader
from parcours.collect.journal.delivery import Delivery
from parcours.settings import Settings

_READER = Reader(SOURCES, BLUEPRINT, Settings(), SEED)


def read_and_check(deliveries: Sequence[Delivery]) -> Read:
    """Return what ``deliveries`` give, after seeing that it keeps what a reading promises."""
    found = _READER.read([Placed(7, tuple(deliveries))], RECEIVED_MS)
    found.events.validate(full=True)
    assert found.events.schema == _READER.schema
    for name in ("source", "name", "occurred_ms", "row_key", "line"):
        assert found.events.column(name).null_count == 0
    offsets = found.place.tolist()
    assert offsets == sorted(offsets)
    for bad in found.bad:
        assert bad.reason.fr
        assert bad.reason.en
        assert bad.rule.startswith(("wire.", "plan.", "clock.", "rows."))
        offsets += range(bad.place, bad.place + bad.events)
    assert sorted(offsets) == list(range(len(offsets)))
    _check_originals(found)
    return found


def _check_originals(found: Read) -> None:
    told = rows(found)
    for row in range(found.events.num_rows):
        again = _READER.read([Placed(8, (found.original(row),))], RECEIVED_MS)
        assert again.bad == []
        assert rows(again) == [told[row]]
        for name in ("day", "id_hash", "content_hash", "received_ms"):
            assert getattr(again, name).tolist() == getattr(found, name)[row : row + 1].tolist()
    for bad in found.bad:
        again = _READER.read([Placed(8, (bad.delivery,))], RECEIVED_MS)
        if bad.code != "too_many_events":
            assert [one.code for one in again.bad] == [bad.code]
        assert again.events.num_rows + sum(one.events for one in again.bad) == bad.events
