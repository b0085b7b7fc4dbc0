"""Copies of what somebody sent that wait somewhere: quarantine of deliveries and files, and queues of destinations."""

from __future__ import annotations

import msgspec
import zstandard

from parcours.collect.compaction.quarantine import open_aside
from parcours.collect.compaction.unreadable import JOURNAL_ITSELF
from parcours.collect.journal.delivery import Delivery
from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable
from parcours.know.keys import Keys
from parcours.know.rights.notices import is_notice
from parcours.know.rights.sought import Sought

_AT_ONCE = 500


def forget_aside(manifest: Manifest, keys: Keys, sought: Sought) -> int:
    """Take the deliveries that name somebody who is ``sought`` out of the quarantine; return how many there were.

    What cannot be read is looked through as it stands: a delivery that holds several people's events goes whole when
    nothing in it can be told apart.
    """
    aside = AsideEvents(manifest.database)
    count = after = 0
    while lots := aside.take(after=after, limit=_AT_ONCE):
        after = lots[-1][0]
        for number, lot in lots:
            left, gone = _sort_out(lot, keys, sought)
            if not gone:
                continue
            count += gone
            with manifest.transaction():
                aside.remove([number])
                aside.add([_close(lot, left, gone, keys)] if left else [])
    return count


def count_aside(manifest: Manifest, keys: Keys, sought: Sought) -> int:
    """Return how many deliveries in quarantine name somebody who is ``sought``."""
    aside, after, count = AsideEvents(manifest.database), 0, 0
    while lots := aside.take(after=after, limit=_AT_ONCE):
        after = lots[-1][0]
        count += sum(_sort_out(lot, keys, sought)[1] for _, lot in lots)
    return count


def forget_quarantined(manifest: Manifest, keys: Keys, sought: Sought) -> int:
    """Take the rows of files that name somebody who is ``sought`` out of the quarantine; return how many."""
    return manifest.drop_quarantined(lambda original: sought.in_bytes(keys.unseal(original)))


def forget_parcels(manifest: Manifest, keys: Keys, sought: Sought) -> int:
    """Take what names somebody who is ``sought`` out of the queues; return how many there were.

    What tells a destination of an erasure stays.
    """
    outbox = OutboxTable(manifest.database)
    gone = [
        number
        for number, one in outbox.all()
        if not is_notice(one.message_id) and sought.in_bytes(keys.unseal(one.body))
    ]
    return outbox.withdraw(gone)


def _sort_out(lot: Aside, keys: Keys, sought: Sought) -> tuple[list[Delivery], int]:
    # A batch of the journal that did not open can be read by nobody.
    if lot.source == JOURNAL_ITSELF:
        return [], 0
    deliveries = open_aside(lot, keys.unseal)
    left = [one for one in deliveries if not sought.in_bytes(one.body)]
    return left, len(deliveries) - len(left)


def _close(lot: Aside, left: list[Delivery], gone: int, keys: Keys) -> Aside:
    packed = zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(left))
    events = max(len(left), lot.events - gone)
    return msgspec.structs.replace(lot, received_ms=left[0].received_ms, original=keys.seal(packed), events=events)
