"""Whom a purpose may see at this moment: the rows it gets, the verdict on one person, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

import msgspec
import numpy as np

from parcours.blueprint.records import Purpose
from parcours.engine.store.tables import Version
from parcours.errors import ParcoursError
from parcours.know.consent.ledger import GRANTED, NOTHING, REFUSED
from parcours.know.derive import LAYOUT, Summary, derive
from parcours.know.gate.permitted import Permitted
from parcours.know.gate.since import fields_since, kept_since
from parcours.know.gate.verdict import Verdict, look_up, permits
from parcours.know.gate.versions import Versions, recorded_over
from parcours.know.gate.why import TABLES, Why, explain
from parcours.know.kept import Kept
from parcours.know.live import Live
from parcours.know.omissions import find_omissions
from parcours.know.pseudonyms import Numbers
from parcours.know.reading import Permission
from parcours.know.vault import Vault
from parcours.words import Words

SUMMARY = "summary.json"
PROFILES = ".profiles"
"""What the tables of online profiles are called, behind the purpose."""


class Permitting(Kept):
    """What is opened for purposes, and for nothing else."""

    def events_for(self, purpose: str) -> Permitted:
        """Open the rows that ``purpose`` may see at this moment.

        A row is there when its stamp allows it and no identifier of its customer says otherwise now: a withdrawal
        counts at the next call.

        Raises:
            ParcoursError: ``unknown_purpose``, ``purpose_without_basis``, ``part_damaged``, ``state_damaged`` or
                ``disk_full``.
        """
        named = self._find_purpose(purpose)
        with self._turn:
            since_ms = kept_since(named)
            follow = self._follow and not self.rights.is_erasing()
            fingerprint = (follow and self._tables.fingerprint(purpose)) or self._fingerprint(named, since_ms)
            opened = self._opened.get(purpose)
            if opened is None or opened.fingerprint != fingerprint:
                summary, version = self._derive(named, fingerprint, since_ms)
                opened = Permitted(
                    purpose,
                    fingerprint,
                    summary,
                    version,
                    lambda: self._engine,
                    lambda refs, live: self._open_texts(named, refs, live),
                    find_omissions(self._blueprint, named, summary.customers, summary.left_out),
                )
                self._opened[purpose] = opened
            return opened

    def refresh_derived(self) -> None:
        """Derive anew the tables that some purpose has and that are stale. Errors as in `events_for`.

        Those of a purpose that is declared no more are removed: nobody's withdrawal would reach them.
        """
        declared = {purpose.id for purpose in self._blueprint.purposes}
        for id in declared:
            if self._tables.fingerprint(id) is not None:
                self.events_for(id)
        for id in {*Versions(self._state).purposes().values()} - declared:
            self._tables.drop(id)
            self._tables.drop(f"{id}{PROFILES}")

    def may(self, identifier: str, purpose: str, live: Live | None = None) -> Verdict:
        """Return whether ``purpose`` may see whoever has ``identifier`` at this moment, and why (see `timeline`).

        To be asked when something is decided or sent: neither stamps nor anything kept is believed.

        Raises:
            ParcoursError: ``unknown_purpose``, ``purpose_without_basis``, ``state_damaged`` …: then nobody may.
        """
        return self._look_up([self._identities.pseudonyms_of(identifier)], self._find_purpose(purpose), live)[0]

    def may_each(self, people: Sequence[Mapping[str, str]], purpose: str, live: Live | None = None) -> list[Verdict]:
        """Return what `may` does for each of ``people``, told by their identifiers (`user`, `mail`, `phone`, `device`).

        Whoever has none at all is nobody, of whom every purpose may speak. Errors as in `may`.
        """
        named = self._find_purpose(purpose)
        own = [self._identities.pseudonyms_by_kind(one) for one in people]
        verdicts = self._look_up(own, named, live)
        return [
            verdict if ids else Verdict(purpose, named.basis, True, "about_nobody", 0, verdict.at_ms)
            for ids, verdict in zip(people, verdicts, strict=True)
        ]

    def explain_row(self, table: str, identifier: str, live: Live | None = None) -> tuple[Why, ...]:
        """Return why rows of whoever has ``identifier`` are in a derived table, or are not: once for each purpose.

        ``table`` is one of ``touches``, ``answers``, ``operations`` and ``customers``, or ``PURPOSE/TABLE`` for that
        of one purpose.

        Raises:
            ParcoursError: ``unknown_table``, ``unknown_purpose``, ``part_damaged``, ``state_damaged`` …
        """
        purpose, _, name = table.rpartition("/")
        if name not in TABLES:
            raise _unknown_table(name)
        asked = [self._find_purpose(purpose)] if purpose else list(self._blueprint.purposes)
        with self._turn, self._manifest.lease():
            own, people, parts = (
                self._identities.pseudonyms_of(identifier),
                self._identities.people(),
                self._manifest.parts(),
            )
            mine = np.unique(people.person[np.isin(people.pseudonyms, own)])
            subjects = np.union1d(own, people.pseudonyms[np.isin(people.person, mine)])
            return tuple(
                explain(
                    self._folder,
                    self._blueprint,
                    one,
                    name,
                    parts,
                    subjects,
                    bool(len(mine)),
                    self._number(one).number,
                    kept_since(one),
                    self._look_up([subjects], one, live)[0],
                )
                for one in asked
            )

    def _look_up(self, named: Sequence[Numbers], purpose: Purpose, live: Live | None) -> list[Verdict]:
        with self._turn:
            verdicts = look_up(purpose, self._number(purpose), named, self._identities.people(), self._ledger, live)
            erased = [bool(self._tombstones.covers(own).any()) for own in named]
        return [
            msgspec.structs.replace(verdict, allowed=False, code="erased") if gone else verdict
            for verdict, gone in zip(verdicts, erased, strict=True)
        ]

    def _fingerprint(self, purpose: Purpose, since_ms: int) -> str:
        told = (
            self._identities.version(),
            self._ledger.version(),
            self._written,
            purpose.id,
            since_ms,
            sorted(fields_since(self._blueprint).items()),
            LAYOUT,
        )
        return sha256(repr(told).encode()).hexdigest()[:32]

    def _derive(self, purpose: Purpose, fingerprint: str, since_ms: int) -> tuple[Summary, Version]:
        while (version := self._tables.hold(purpose.id, fingerprint)) is None:
            permission = self._permission(purpose, since_ms)
            with self._manifest.lease(), self._tables.replace(purpose.id, fingerprint) as draft:
                summary = derive(self._folder, self._blueprint, permission, self._manifest.parts(), draft)
                (draft / SUMMARY).write_bytes(msgspec.json.encode(summary))
        return msgspec.json.decode((version.path / SUMMARY).read_bytes(), type=Summary), version

    def _permission(self, purpose: Purpose, since_ms: int) -> Permission:
        people = self._identities.people()
        numbered = self._number(purpose)
        self._ledger.catch_up()
        recorded = recorded_over(self._ledger, people.pseudonyms, numbered)
        choice = np.full((2, people.count), NOTHING, np.int8)
        choice[0, people.person[recorded == REFUSED]] = REFUSED
        choice[1, people.person[recorded == GRANTED]] = GRANTED
        allowed = permits(purpose.basis, list(choice))
        restricted = np.zeros(people.count, bool)
        covered = self._ledger.restrictions.covers(people.pseudonyms, (numbered.number, *numbered.before))
        restricted[people.person[covered]] = True
        return Permission(
            bit=numbered.number,
            pseudonyms=people.pseudonyms,
            person=people.person,
            allowed=allowed,
            since_ms=since_ms,
            restricted=restricted,
            hidden=self._blueprint.hidden_from(purpose.id),
            fields_since_ms=fields_since(self._blueprint),
        )

    def _open_texts(self, purpose: Purpose, refs: Sequence[int], live: Live | None) -> dict[int, str]:
        """Return the texts of those who allow ``purpose`` at this moment."""
        with self._turn:
            held = Vault(self._state, self._keys).read_texts(refs)
            subjects = sorted({subject for subject, _ in held.values()})
            asked = [np.array([subject], np.int64) for subject in subjects]
            verdicts = self._look_up(asked, purpose, live)
        allowed = {subject for subject, verdict in zip(subjects, verdicts, strict=True) if verdict}
        return {ref: text for ref, (subject, text) in held.items() if subject in allowed}


def _unknown_table(name: str) -> ParcoursError:
    return ParcoursError(
        "unknown_table",
        Words(fr=f"Il n'y a pas de table « {name} ».", en=f"There is no table “{name}”."),
        Words(fr=f"Tables : {', '.join(TABLES)}.", en=f"Tables: {', '.join(TABLES)}."),
    )
