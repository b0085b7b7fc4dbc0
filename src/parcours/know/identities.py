"""Who is who in one company: kept as it was last folded, brought up to date, explained, and corrected by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint
from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import Database
from parcours.engine.store.tables import Tables
from parcours.know.callers import recognise
from parcours.know.identity.acts import Acts
from parcours.know.identity.edges import Edges
from parcours.know.identity.fold import RULES, Evidence, fold
from parcours.know.identity.identifiers import Spelling
from parcours.know.identity.people import People, read_people, without, write_people
from parcours.know.identity.proof import Explanation, explain
from parcours.know.identity.scored import ACCEPTED, Scored
from parcours.know.identity.shared import SharedDevices
from parcours.know.identity.shown import mask_identifier
from parcours.know.keys import Keys
from parcours.know.moments import compare_moments
from parcours.know.pseudonyms import NOBODY, Numbers, types_of
from parcours.know.rights.tombstones import Tombstones
from parcours.know.vault import Vault

IDENTITY = "know.identity"
PROFILE_KEY = "profiles"


class Identities:
    """The people of one company.

    Args:
        folder: The company folder.
        blueprint: Its blueprint: the limits of a person, and the values that it blocks.
        spelling: How identifiers are written.
        state, manifest, keys: Where they are kept.
        follow: Whether somebody else folds: what was last published is then read as it stands.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        spelling: Spelling,
        state: Database,
        manifest: Manifest,
        keys: Keys,
        follow: bool = False,
    ) -> None:
        self._tables = Tables(folder)
        self._limits = {str(kind): most for kind, most in blueprint.limits.items()}
        self._spelling = spelling
        self._state, self._manifest, self._keys, self._follow = state, manifest, keys, follow
        self._edges, self._acts = Edges(state, keys), Acts(state, keys)
        self._scored, self._shared = Scored(state, keys), SharedDevices(state, keys)
        self._vault, self._tombstones = Vault(state, keys), Tombstones(state, keys)
        self._people: tuple[str, People] | None = None

    @property
    def rules(self) -> str:
        """The version of the rules in force: of this fold, of the limits, and of how identifiers are written."""
        told = (RULES, sorted(self._limits.items()), self._spelling.version)
        return sha256(repr(told).encode()).hexdigest()[:16]

    def version(self) -> str:
        """Return what changes whenever anything does on which identities rest."""
        told = (
            self._manifest.version,
            self._edges.version(),
            self._acts.version(),
            self._scored.version(),
            self._shared.version(),
            self._tombstones.version(),
            self.rules,
        )
        return sha256(repr(told).encode()).hexdigest()[:32]

    def people(self) -> People:
        """Return who is who now; with ``follow``, as it was last published.

        Raises:
            ParcoursError: ``state_damaged``, ``row_damaged``, ``moments_apart`` …
        """
        version = (self._follow and self._tables.fingerprint(IDENTITY)) or self.version()
        # What was made before an erasure is read without the erased from that moment on.
        named = f"{version} {self._tombstones.version()}"
        if self._people is None or self._people[0] != named:
            compare_moments(self._manifest, self._state)
            held = self._tables.hold(IDENTITY, version)
            if held is not None:
                people = read_people(held.path)
                self._people = named, without(people, self._tombstones.covers(people.pseudonyms))
                return self._people[1]
            people = self._fold()
            with self._tables.replace(IDENTITY, version) as draft:
                write_people(people, draft)
            self._people = named, people
        return self._people[1]

    def pseudonyms_of(self, identifier: str) -> Numbers:
        """Return the pseudonyms that a written identifier may have (``KIND:VALUE``, or a value of any kind)."""
        kind, _, value = identifier.partition(":")
        tried = {kind: value} if kind in IDENTIFIERS and value else dict.fromkeys(IDENTIFIERS, identifier)
        return self.pseudonyms_by_kind(tried)

    def pseudonyms_by_kind(self, identifiers: Mapping[str, str]) -> Numbers:
        """Return the pseudonyms of somebody's identifiers, by their types; those that name nobody are left out."""
        codes = [
            recognise(kind, pa.chunked_array([[text]], pa.string()), self._keys.pseudonyms, self._spelling)[0]
            for kind, text in identifiers.items()
        ]
        return np.unique([code for code in codes if code > NOBODY]).astype(np.int64)

    def explain(self, identifier: str, unmasked: bool = False) -> tuple[Explanation, ...]:
        """Return why the identifiers of whoever has ``identifier`` are one person; one answer a profile it names.

        ``KIND:VALUE`` says which kind it is; identifiers are masked unless ``unmasked``.
        """
        people = self.people()
        found: dict[str, Explanation] = {}
        for pseudonym in self.pseudonyms_of(identifier).tolist():
            told = explain(people, pseudonym, lambda asked: self.show(asked, unmasked), self._edges.sources)
            if told is not None:
                found.setdefault(told.profile, told)
        return tuple(found.values())

    def show(self, pseudonyms: Sequence[int], unmasked: bool = False) -> list[str]:
        """Return each identifier as it is shown; an empty text where the vault or its key is gone."""
        shown = []
        for pseudonym in pseudonyms:
            value = self._vault.read_identifier(pseudonym) or ""
            kind = IDENTIFIERS[int(types_of(np.array([pseudonym]))[0])]
            shown.append(value if unmasked or not value else mask_identifier(kind, value))
        return shown

    def _fold(self) -> People:
        # Read before the edges: those of later events are looked at besides.
        as_of = self._manifest.settled_to
        people = fold(self._gather(), self._keys.derive(PROFILE_KEY), self.rules)
        return msgspec.structs.replace(people, as_of=as_of)

    def _gather(self) -> Evidence:
        pseudonyms, first_seen = self._vault.first_seen()
        there = ~self._tombstones.covers(pseudonyms)
        never, approved = self._acts.standing()
        return Evidence(
            pseudonyms=pseudonyms[there],
            first_seen=first_seen[there],
            seen=self._edges.read(),
            scored=self._read_scored(),
            never=never,
            approved=approved,
            shared=self._shared.read(),
            limits=self._limits,
        )

    def _read_scored(self) -> Numbers:
        scored = self._scored.read()
        taken = scored.standing == ACCEPTED
        columns = (scored.event_no, scored.one, scored.other, scored.weight_milli)
        return np.column_stack([column[taken] for column in columns]).astype(np.int64)
