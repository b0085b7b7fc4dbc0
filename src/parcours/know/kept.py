"""What one company keeps of its people: opened when it is first asked for, counted, and named by its version."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import get_args

import msgspec

from parcours.blueprint.records import Basis, Blueprint, Field, Purpose
from parcours.engine.sql.engines import open_engine
from parcours.engine.sql.step import Engine
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import Database
from parcours.engine.store.tables import Tables
from parcours.errors import ParcoursError
from parcours.know.audit.log import Audit
from parcours.know.consent.expiry import read_expiries
from parcours.know.consent.ledger import Ledger
from parcours.know.door import CompanyDoor
from parcours.know.gate.permitted import Permitted
from parcours.know.gate.since import kept_since
from parcours.know.gate.versions import Numbered, Versions
from parcours.know.identities import Identities
from parcours.know.identity.identifiers import spell
from parcours.know.keys import Keys, open_keys
from parcours.know.rights.requests import Requests
from parcours.know.rights.rights import Rights
from parcours.know.rights.tombstones import Tombstones
from parcours.know.state import open_state
from parcours.settings import Settings
from parcours.words import Words


class Kept:
    """The stores, keys and registers of one company, each opened when it is first asked for.

    Args:
        folder: The company folder.
        blueprint: Its blueprint, checked.
        settings: Its settings.
        follow: Whether somebody else keeps the company up to date (the keeper of `serve`): what was last derived is
            then read as it stands, and only what was never derived is made here.
    """

    def __init__(self, folder: Path, blueprint: Blueprint, settings: Settings, follow: bool = False) -> None:
        self._folder = folder
        self._blueprint = blueprint
        self._settings = settings
        self._turn = RLock()
        self._tables = Tables(folder)
        self._written = sha256(msgspec.json.encode(blueprint)).hexdigest()
        self._spelling = spell(settings.time_zone, blueprint.blocked)
        self._opened: dict[str, Permitted] = {}
        self._follow = follow
        self._door: tuple[tuple[int, str], CompanyDoor] | None = None

    def _number(self, purpose: Purpose) -> Numbered:
        return Versions(self._state).of(purpose)

    @property
    def is_loaded(self) -> bool:
        """Whether any source was ever loaded, even if nothing of it could be kept."""
        return bool(self._manifest.sources()) or bool(self._manifest.parts())

    @property
    def version(self) -> str:
        """What changes whenever rows, identities, recorded choices or what retention covers do."""
        limited: tuple[Purpose | Field, ...] = (*self._blueprint.purposes, *self._blueprint.fields)
        covered = sorted(map(kept_since, limited))
        return f"{self._identities.version()}-{self._ledger.version()}-{covered}"

    @property
    def taken(self) -> int:
        """The last batch of the journal that parts have taken over."""
        return Journal(self._manifest.database).taken()

    @property
    def held(self) -> int:
        """How many events stand in the parts."""
        return sum(part.rows for part in self._manifest.parts())

    @property
    def quarantined(self) -> int:
        """How many rows of files, as each was last read, and delivered events wait in quarantine."""
        return self._count_states("quarantined") + AsideEvents(self._manifest.database).count()

    @property
    def discarded(self) -> int:
        """How many events had no basis for any purpose and were not kept: of files as last read, and delivered ones."""
        return self._count_states("discarded") + Arrivals(self._manifest.database).total("discarded")

    def _count_states(self, what: str) -> int:
        manifest = self._manifest
        states = [state for source in manifest.sources() for state in manifest.file_states(source).values()]
        return sum(state.counts.get(what, 0) for state in states)

    @cached_property
    def _opened_keys(self) -> tuple[Keys, tuple[Words, ...]]:
        return open_keys(self._folder, self._settings)

    @property
    def _keys(self) -> Keys:
        return self._opened_keys[0]

    @cached_property
    def _state(self) -> Database:
        return open_state(self._folder)

    @cached_property
    def _manifest(self) -> Manifest:
        return Manifest(self._folder)

    @cached_property
    def _identities(self) -> Identities:
        return Identities(
            self._folder, self._blueprint, self._spelling, self._state, self._manifest, self._keys, self._follow
        )

    @cached_property
    def _ledger(self) -> Ledger:
        numbered = {purpose.id: self._number(purpose) for purpose in self._blueprint.purposes}
        return Ledger(self._state, self._keys, read_expiries(self._blueprint, numbered))

    @cached_property
    def audit(self) -> Audit:
        """The log of what was done to customers' data; an act goes on only once it is noted there."""
        return Audit(self._folder, self._keys)

    @cached_property
    def requests(self) -> Requests:
        """The register of what people asked for under the GDPR: erasure, access and the others."""
        return Requests(self._state, self._keys, self._settings.time_zone)

    @cached_property
    def rights(self) -> Rights:
        """What people may ask for: erasure, access and the others."""
        return Rights(
            self._folder,
            self._blueprint,
            self._settings,
            self._spelling,
            self._manifest,
            self._state,
            self._keys,
            self._ledger,
            self._identities,
            self.requests,
        )

    @cached_property
    def _tombstones(self) -> Tombstones:
        return Tombstones(self._state, self._keys)

    @cached_property
    def _engine(self) -> Engine:
        engine = self._settings.engine
        return open_engine(engine.name, engine.memory_mb, engine.threads)

    def _find_purpose(self, id: str) -> Purpose:
        for purpose in self._blueprint.purposes:
            if purpose.id == id:
                if purpose.basis not in get_args(Basis):
                    raise _refuse("purpose_without_basis", id, "n'a pas de base légale", "has no legal basis")
                return purpose
        raise _refuse("unknown_purpose", id, "n'est pas dans le blueprint", "is not in the blueprint")


def _refuse(code: str, purpose: str, french: str, english: str) -> ParcoursError:
    return ParcoursError(
        code,
        Words(
            fr=f"La finalité « {purpose} » {french} : aucune ligne n'est lue.",
            en=f"The purpose “{purpose}” {english}: no row is read.",
        ),
        Words(
            fr="Déclarez-la sous purposes dans blueprint.yaml, avec sa base légale.",
            en="Declare it under purposes in blueprint.yaml, with its legal basis.",
        ),
    )
