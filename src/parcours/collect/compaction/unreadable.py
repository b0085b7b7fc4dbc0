"""Batches that are missing, damaged or without their key: noted and set aside, so that what stands behind goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec

from parcours.collect.compaction.reading import Placed
from parcours.collect.journal.delivery import Delivery
from parcours.collect.journal.sealing import Sealer
from parcours.engine.store.aside import Aside
from parcours.engine.store.journal import Batch, Spoilt
from parcours.engine.store.lost import DAMAGED, KEYLESS, MISSING, Lost
from parcours.errors import ParcoursError
from parcours.words import Words

LOG = logging.getLogger(__name__)
JOURNAL_ITSELF = "journal.db"
"""What stands for the source of a batch that cannot be opened; no source can have this id."""

_CODES = {"hour_key_gone": KEYLESS}
_FAULTS = ("hour_key_gone", "batch_damaged", "key_damaged")
_REASONS = {
    DAMAGED: Words(
        fr="Un lot du journal n'est plus ce qui a été écrit : ses événements ne peuvent pas être lus. Redemandez-les "
        "à leurs sources ; parcours verify dit de quels lots il s'agit.",
        en="A batch of the journal is no longer what was written: its events cannot be read. Ask their sources for "
        "them again; parcours verify says which batches these are.",
    ),
    KEYLESS: Words(
        fr="La clé de l'heure d'un lot du journal n'existe plus. Rétablissez keys.db depuis sa sauvegarde, puis "
        "rejouez la quarantaine.",
        en="The key of the hour of a batch of the journal is gone. Restore keys.db from its backup, then replay the "
        "quarantine.",
    ),
}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Batch).decode


class Unreadable(msgspec.Struct, frozen=True):
    """What is noted of batches, and one as it stands where anything of it is left."""

    lost: Lost
    batch: Batch | None = None


def open_batches(found: Sequence[Batch | Spoilt], sealer: Sealer, now_ms: int) -> tuple[list[Placed], list[Unreadable]]:
    """Return what could be opened of ``found``, and the rest."""
    placed: list[Placed] = []
    unreadable: list[Unreadable] = []
    for one in found:
        if isinstance(one, Spoilt):
            code = MISSING if one.rest is None else DAMAGED
            lost = Lost(one.first, one.last, code, one.events, now_ms)
            left = None if one.rest is None else Batch(one.first, 0, one.events, now_ms, one.rest)
            unreadable.append(Unreadable(lost, left))
            continue
        try:
            placed.append(Placed(one.batch_no, tuple(sealer.open(one))))
        except ParcoursError as fault:
            if fault.code not in _FAULTS:
                raise
            code = _CODES.get(fault.code, DAMAGED)
            unreadable.append(Unreadable(Lost(one.batch_no, one.batch_no, code, one.events, now_ms), one))
    return placed, unreadable


def set_aside(unreadable: Sequence[Unreadable], seal: Callable[[bytes], bytes]) -> list[Aside]:
    """Return what is left of batches for the quarantine, sealed, and log each of them."""
    aside: list[Aside] = []
    for one in unreadable:
        lost = one.lost
        fields = {"code": lost.code, "first": lost.first, "last": lost.last, "events": lost.events}
        LOG.error("a batch of the journal cannot be taken over", extra={"fields": fields})
        if one.batch is not None:
            reason, original = _REASONS[lost.code], seal(_pack(one.batch))
            rule = f"journal.{lost.code}"
            aside.append(Aside(JOURNAL_ITSELF, lost.code, rule, reason, lost.at_ms, original, lost.events))
    return aside


def try_again(aside: Aside, unseal: Callable[[bytes], bytes], sealer: Sealer) -> tuple[int, list[Delivery]] | None:
    """Return number and deliveries of a batch that was set aside, nothing when it still does not open.

    Raises:
        ParcoursError: ``seal_damaged``.
    """
    batch = _unpack(unseal(aside.original))
    try:
        return batch.batch_no, sealer.open(batch)
    except ParcoursError:
        return None
