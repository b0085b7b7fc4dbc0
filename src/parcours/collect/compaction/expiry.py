"""What time takes away: quarantined events and notes of lost batches after their days, counts after two months."""

from __future__ import annotations

import time
from pathlib import Path

from parcours.collect.journal.opening import JOURNAL
from parcours.collect.journal.sealing import HOUR_MS
from parcours.engine.store.arrivals import KEPT_HOURS, Arrivals
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.lost import LostBatches
from parcours.engine.store.sqlite import open_database
from parcours.settings import Settings

DAY_MS = 24 * HOUR_MS


def expire(folder: Path, settings: Settings) -> int:
    """Remove what is older than the settings allow; return how many quarantined events that was."""
    now_ms = time.time_ns() // 1_000_000
    database = open_database(folder / JOURNAL)
    try:
        before_ms = now_ms - settings.collect.quarantine_days * DAY_MS
        Arrivals(database).forget_before(now_ms // HOUR_MS - KEPT_HOURS)
        LostBatches(database).forget_before(before_ms)
        expired = AsideEvents(database).expire(before_ms)
        if expired:
            # What was overwritten in the file must not go on standing in its log. If somebody reads, a later one does.
            database.truncate_log()
        return expired
    finally:
        database.close()
