"""What keeps no more than is needed: retention, what was masked, undeclared names, and audience measured apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from parcours.blueprint.records import Blueprint
from parcours.collect.door import Door
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.receipts import Receipt, Receipts
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.audience.counts import Views, count_views
from parcours.know.audience.door import destroy_periods
from parcours.know.audience.store import AudienceStore
from parcours.know.consent.proofs import Proofs
from parcours.know.gate.versions import Versions
from parcours.know.keys import Keys
from parcours.know.minimising.masked import Masked, MaskedDay
from parcours.know.minimising.retention import Retention, find_limits
from parcours.know.rights.retained import RetainedRows
from parcours.know.rights.tombstones import Tombstones
from parcours.words import Words

DAY_MS = 86_400_000


class Upkeep:
    """The upkeep of one company.

    Args:
        folder: The company folder.
        blueprint: What is declared.
        state: ``state.db``.
        keys: The company's keys.
        manifest: The manifest of parts.
        door: Gives the door, which forgets edges and texts.
        let_go: Lets go of that door, which remembers whom the vault held.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        state: Database,
        keys: Keys,
        manifest: Manifest,
        door: Callable[[], Door],
        let_go: Callable[[], None],
    ) -> None:
        self._folder, self._blueprint, self._state, self._keys = folder, blueprint, state, keys
        self._manifest, self._door, self._let_go = manifest, door, let_go

    def retain(self, now_ms: int | None = None, stopping: Callable[[], bool] = lambda: False) -> tuple[Receipt, ...]:
        """Take out of parts, vault and audience what may be kept no longer; return the receipts of what went.

        Sealed proofs of consent, tombstones, and rows that the law made us keep go too once their time is over.

        The caller holds the company lock.

        Raises:
            ParcoursError: ``part_damaged``, ``disk_full``; what was done so far holds.
        """
        purposes = Versions(self._state).purposes()
        limits = find_limits(self._blueprint, purposes)
        whole = (self._folder, limits, purposes, self._manifest, self._door(), self._state, self._keys)
        made = Retention(*whole).run(now_ms, stopping)
        if made:
            self._let_go()
        at_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        Proofs(self._state, self._keys).drop_past(at_ms)
        Tombstones(self._state, self._keys).expire(at_ms)
        RetainedRows(self._state, self._keys).expire(at_ms)
        return (*made, *self._retain_audience(now_ms))

    def receipts(self) -> list[Receipt]:
        """Return the receipts of everything that retention took out, oldest first; then those of the audience space."""
        apart = self._audience.receipts.all() if self._blueprint.audience else []
        return [*Receipts(self._manifest.database).all(), *apart]

    def masked(self, days: int = 7) -> tuple[MaskedDay, ...]:
        """Return what was masked in texts at the door over the last ``days``, latest first."""
        return Masked(self._state).since(_today() - days + 1)

    def undeclared(self, days: int = 7) -> dict[str, dict[str, int]]:
        """Return by source how often names came in the last ``days`` that nobody declared; all were dropped."""
        found: dict[str, dict[str, int]] = {}
        for one in Arrivals(self._manifest.database).since((_today() - days + 1) * 24):
            if one.outcome == "undeclared":
                counts = found.setdefault(one.source, {})
                counts[one.detail] = counts.get(one.detail, 0) + one.count
        return found

    def audience(self, by: Sequence[str] = ("day",), since_day: int = 0) -> list[Views]:
        """Return the views of the audience space by ``day``, ``page``, ``channel`` or ``touchpoint``.

        Raises:
            ParcoursError: ``no_audience`` where none is declared; ``unknown_split``, ``audience_damaged``.
        """
        if self._blueprint.audience is None:
            raise _no_audience(self._folder)
        return count_views(self._audience, by, since_day)

    def informed(self) -> list[tuple[int, Words]]:
        """Return what visitors of the audience space were told, since which moment."""
        return self._audience.informed() if self._blueprint.audience else []

    def _retain_audience(self, now_ms: int | None) -> tuple[Receipt, ...]:
        """Take out of the audience space what is past its days, and destroy the keys of trackers that are."""
        audience = self._blueprint.audience
        if audience is None:
            return ()
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        destroy_periods(self._keys, audience.tracker_days, now_ms)
        receipt = self._audience.expire(now_ms // DAY_MS - audience.data_days, now_ms)
        return (receipt,) if receipt else ()

    @cached_property
    def _audience(self) -> AudienceStore:
        return AudienceStore(self._folder / ".parcours")


def _today() -> int:
    return time.time_ns() // 1_000_000 // DAY_MS


def _no_audience(folder: Path) -> ParcoursError:
    return ParcoursError(
        "no_audience",
        Words(fr="Le blueprint ne déclare pas d'audience.", en="The blueprint declares no audience."),
        Words(
            fr="Ajoutez-y audience: et marquez une source http audience: true.",
            en="Add audience: to it and mark an http source audience: true.",
        ),
        folder / "blueprint.yaml",
    )
