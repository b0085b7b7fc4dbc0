"""One company's people and what they allow: the door in, the identities between, the gate out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import get_args

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.blueprint.records import Basis, Blueprint, Field, Purpose
from parcours.collect.door import Door
from parcours.collect.source import Source
from parcours.engine.sql.engines import open_engine
from parcours.engine.sql.step import Engine
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import Database
from parcours.engine.store.tables import Tables, Version
from parcours.errors import ParcoursError
from parcours.know.audit.log import Audit
from parcours.know.consent.expiry import read_expiries
from parcours.know.consent.ledger import GRANTED, NOTHING, REFUSED, Ledger
from parcours.know.consents import Consents
from parcours.know.customer import Customer, read_kept, still_holds
from parcours.know.derive import LAYOUT, Summary, derive
from parcours.know.door import CompanyDoor
from parcours.know.gate.permitted import Permitted
from parcours.know.gate.since import fields_since, kept_since
from parcours.know.gate.verdict import Verdict, look_up, permits
from parcours.know.gate.versions import Numbered, Versions, recorded_over
from parcours.know.gate.why import TABLES, Why, explain
from parcours.know.identities import Identities
from parcours.know.identity.acts import Change, Ruling
from parcours.know.identity.edges import Edges
from parcours.know.identity.identifiers import spell
from parcours.know.identity.proof import Explanation
from parcours.know.identity.review import Doubt
from parcours.know.keys import Keys, open_keys
from parcours.know.linking.batch import Batch, Linkage, Linked, not_declared
from parcours.know.live import Live
from parcours.know.masks import mask
from parcours.know.moments import compare_moments
from parcours.know.omissions import find_omissions
from parcours.know.personal import Personal
from parcours.know.portrait import Portrait
from parcours.know.portraits import Portraits
from parcours.know.profiles import AsOf, Profile, Profiles, write_profiles
from parcours.know.pseudonyms import Numbers
from parcours.know.reading import Permission, count_present
from parcours.know.rights.opendsr import OpenDsr
from parcours.know.rights.rectifying import Rectifying
from parcours.know.rights.requests import Requests
from parcours.know.rights.restricting import Restricting
from parcours.know.rights.rights import Rights
from parcours.know.rights.tombstones import Tombstones
from parcours.know.rotation import Rotated, rotate
from parcours.know.state import open_state
from parcours.know.timeline import Timeline
from parcours.know.upkeep import Upkeep
from parcours.know.vault import Vault
from parcours.progress import Progress
from parcours.settings import Settings
from parcours.words import Words

PROFILES = ".profiles"
IDENTITY, CUSTOMERS = "know.identity", "know.customers"
SUMMARY = "summary.json"
DAY_MS = 86_400_000


class Know:
    """The wall round one company's rows: whoever wants some names a purpose.

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

    def door(self) -> Door:
        """Return the door through which `collect` hands events over: the same one until somebody else has written.

        What it remembers of the vault would then be stale, and a key that is thought to be missing is made anew.
        """
        version = self._state.data_version(), self._tombstones.version()
        if self._door is None or self._door[0] != version:
            compare_moments(self._manifest, self._state)
            door = CompanyDoor(self._blueprint, self._state, self._keys, self._spelling)
            self._door = version, door
        return self._door[1]

    def rotate(self, key: str) -> Rotated:
        """Put another key in the place of ``key`` (see `parcours.know.rotation.rotate`)."""
        return rotate(key, self._folder, self._settings, self._keys, self._state, self._manifest, self.audit)

    @cached_property
    def upkeep(self) -> Upkeep:
        """What keeps no more than is needed: retention, masks, undeclared names, and audience measured apart."""
        parts = self._folder, self._blueprint, self._state, self._keys, self._manifest
        return Upkeep(*parts, self.door, self._let_go_of_door)

    def _let_go_of_door(self) -> None:
        self._door = None

    def hour_key(self, hour: int) -> bytes | None:
        """Return the key that seals the journal's batches of ``hour`` (its number since 1970, UTC), made if need be."""
        return self._keys.hour_key(hour, make=True)

    def survey_key(self) -> bytes:
        """Return the 32-byte key that seals survey links."""
        return self._keys.derive("surveys")

    def refresh(self, progress: Progress) -> int:
        """Find out who is who after events came in; return how many customers have an event that is kept now.

        Raises:
            ParcoursError: ``state_damaged`` or ``part_damaged`` names what was altered.
        """
        progress.begin(Words(fr="Identités", en="Identities"))
        with self._turn:
            version = self._identities.version()
            kept = self._tables.read_result(CUSTOMERS, version)
            if kept is None:
                with self._manifest.lease():
                    kept = b"%d" % count_present(self._folder, self._manifest.parts(), self._identities.people())
                self._tables.write_result(CUSTOMERS, version, kept)
        progress.end()
        return int(kept)

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

    def live(self, sources: Sequence[Source]) -> Live:
        """Return what follows the journal of this company, to which ``sources`` deliver; a process needs one."""
        return Live(self._folder, self._blueprint, self._settings, sources, self._keys, self._spelling)

    def timeline(self, identifier: str, purpose: str, live: Live | None = None) -> Timeline:
        """Return what ``purpose`` may see of the customer who has ``identifier``: an id, mail, phone or device.

        ``KIND:VALUE`` says which kind it is (`user`, `mail`, `phone`, `device`); otherwise every kind is tried. With
        ``live`` what was accepted a moment ago is there too.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``state_damaged`` …
        """
        named = self._find_purpose(purpose)
        with self._turn:
            customer = self._find_customer(identifier, named, live)
            return customer.timeline(self._folder, self._blueprint, self._manifest, kept_since(named))

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
                    self._number(one).number,
                    kept_since(one),
                    self._look_up([subjects], one, live)[0],
                )
                for one in asked
            )

    def explain(self, identifier: str, unmasked: bool = False) -> tuple[Explanation, ...]:
        """Return why the identifiers of whoever has ``identifier`` are one person, and what was turned down and why.

        One answer a profile: a value without ``KIND:`` may be the user id of one person and the device of another;
        none where nobody has it. Identifiers are masked unless ``unmasked``.

        Raises:
            ParcoursError: ``state_damaged``, ``row_damaged`` …
        """
        with self._turn:
            return self._identities.explain(identifier, unmasked)

    def unmerge(self, one: str, other: str, actor: str, cause: str) -> tuple[Change, ...]:
        """Say that two identifiers are never one person; return which identifiers changed profile.

        Raises:
            ParcoursError: ``unknown_identifier``, ``ambiguous_identifier``, ``not_a_pair``.
        """
        with self._turn:
            return self.decide("never_link", self.find_identifier(one), self.find_identifier(other), actor, cause)

    def identity_alarms(self) -> tuple[Words, ...]:
        """Return what says that identifiers are fusing people, a sentence each."""
        with self._turn:
            return self._identities.alarms() if self.is_loaded else ()

    def find_identifier(self, identifier: str) -> int:
        """Return the pseudonym of one known identifier; 16 hexadecimal digits may be the pseudonym itself.

        Raises:
            ParcoursError: ``unknown_identifier``, ``ambiguous_identifier``.
        """
        with self._turn:
            return self._identities.find(identifier)

    def decide(self, decision: Ruling, one: int, other: int, actor: str, cause: str) -> tuple[Change, ...]:
        """Note that two identifiers (pseudonyms) are never one person (``never_link``), or are one (``approved``).

        What was approved overrides the limits for this pair. What the decision touches is folded again at once; the
        identifiers that changed profile are published (`Know.identity_changes`) and returned.

        Raises:
            ParcoursError: ``unknown_identifier``, ``not_a_pair`` or ``not_an_account``: nothing was decided.
        """
        with self._turn:
            self.audit.note(actor, "settle_merge", "identifier", one, "done", f"{decision} {other:016x} {cause}")
            return self._identities.decide(decision, one, other, actor, mask(cause))

    def identity_changes(self, after: int = 0) -> tuple[Change, ...]:
        """Return what decisions changed, after the change of number ``after``: (identifier, old and new profile)."""
        return self._identities.changes(after)

    def review(self) -> tuple[Doubt, ...]:
        """Return the pairs that wait for a person to say whether they are one: see `decide`."""
        with self._turn:
            return self._identities.review()

    def show_identifiers(self, pseudonyms: Sequence[int], unmasked: bool = False) -> list[str]:
        """Return identifiers as they are shown: masked unless ``unmasked``, empty where their keys are gone."""
        return self._identities.show(pseudonyms, unmasked)

    def link(self, train: bool, progress: Progress) -> Linked:
        """Compare people's own data, as the blueprint says, and keep who are probably one; ``train`` learns anew.

        Nobody takes part whom the purpose of linking may not see at this moment.

        Raises:
            ParcoursError: ``link_not_declared``, ``link_not_installed``, ``too_few_to_link``, ``unknown_purpose`` …
        """
        batch, purpose = self._linking()
        with self._turn:
            permission = self._permission(purpose, kept_since(purpose))
            done = batch.run(self._identities.people(), permission, train, progress)
            self.refresh(progress)
            return done

    def linkage(self) -> Linkage:
        """Return the last batch of linking and the weights of its model.

        Raises:
            ParcoursError: ``link_not_declared``, ``row_damaged`` …
        """
        with self._turn:
            return self._linking()[0].show()

    def _linking(self) -> tuple[Batch, Purpose]:
        link = self._blueprint.link
        if link is None:
            raise not_declared(self._folder)
        batch = Batch(link, self._folder, self._state, self._keys, self._settings)
        return batch, self._find_purpose(link.purpose)

    def refresh_profiles(self, purpose: str) -> None:
        """Bring the online profiles of ``purpose`` up to date; they hold all that its stamp allows.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``disk_full`` …
        """
        named = self._find_purpose(purpose)
        with self._turn:
            bit = self._number(named).number
            with self._manifest.lease():
                kept = read_kept(self._manifest, kept_since(named), self._written)
                before, version = self._held_profiles(purpose)
                if before is not None and before.as_of == kept.as_of:
                    return
                if before is not None and not still_holds(before.as_of, kept.as_of):
                    before = None
                with self._tables.replace(f"{purpose}{PROFILES}", _digest(kept.as_of)) as draft:
                    write_profiles(self._folder, self._blueprint, kept.parts, bit, kept.as_of, before, draft)
                del version

    def profile(self, identifier: str, purpose: str, live: Live | None = None) -> Profile:
        """Return what ``purpose`` may know at this moment of the customer who has ``identifier`` (see `timeline`).

        It rests on what was last published and on everything that came since, with ``live`` on what waits too.

        Raises:
            ParcoursError: ``unknown_purpose``, ``part_damaged``, ``state_damaged`` …
        """
        named = self._find_purpose(purpose)
        with self._turn:
            customer = self._find_customer(identifier, named, live)
            # Held as long as it is read.
            profiles, version = self._held_profiles(purpose)
            since_ms = kept_since(named)
            found = customer.profile(self._folder, self._blueprint, self._manifest, since_ms, self._written, profiles)
            del version
            return found

    def _held_profiles(self, purpose: str) -> tuple[Profiles | None, Version | None]:
        fingerprint = self._tables.fingerprint(f"{purpose}{PROFILES}")
        version = self._tables.hold(f"{purpose}{PROFILES}", fingerprint) if fingerprint else None
        return (None, None) if version is None else (Profiles(version.path), version)

    def _find_customer(self, identifier: str, purpose: Purpose, live: Live | None) -> Customer:
        return self._open_customer(self._identities.pseudonyms_of(identifier), purpose, live)

    def _open_customer(self, own: Numbers, purpose: Purpose, live: Live | None) -> Customer:
        number, edges = self._number(purpose), Edges(self._state, self._keys)
        erased = self._tombstones.covers
        return Customer(
            purpose, number, own[~erased(own)], self._identities.people(), edges, self._ledger, live, erased=erased
        )

    def _look_up(self, named: Sequence[Numbers], purpose: Purpose, live: Live | None) -> list[Verdict]:
        with self._turn:
            verdicts = look_up(purpose, self._number(purpose), named, self._identities.people(), self._ledger, live)
            erased = [bool(self._tombstones.covers(own).any()) for own in named]
        return [
            msgspec.structs.replace(verdict, allowed=False, code="erased") if gone else verdict
            for verdict, gone in zip(verdicts, erased, strict=True)
        ]

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

    @property
    def warnings(self) -> tuple[Words, ...]:
        """What the keeper of the keys should know, and whoever answers requests."""
        rights = (*self.requests.warnings(), *self.rights.warnings())
        return (*self._opened_keys[1], *rights, *self.identity_alarms())

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
    def consents(self) -> Consents:
        """What customers allow: coverage in counts, and choices that are recorded on their behalf."""

        def allowed(purpose: Purpose) -> npt.NDArray[np.bool_]:
            return self._permission(purpose, kept_since(purpose)).allowed

        told = self._folder, self._blueprint, self._state, self._keys, self._manifest, self._identities, self._ledger
        return Consents(*told, lambda: self.audit, allowed, self._turn, self._follow)

    @cached_property
    def portraits(self) -> Portraits:
        """Customers as a whole, by profile: their timeline, proof, consents and what they belong to."""

        def portray(own: Numbers, purpose: str, live: Live | None) -> Portrait:
            named = self._find_purpose(purpose)
            customer = self._open_customer(own, named, live)
            return customer.portrait(self._folder, self._blueprint, self._manifest, kept_since(named))

        def judge(own: Numbers, purpose: str, live: Live | None) -> Verdict:
            return self._look_up([own], self._find_purpose(purpose), live)[0]

        personal = Personal(self._state, self._keys)
        return Portraits(self._blueprint, self._identities, personal, portray, judge, self._turn)

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
    def restricting(self) -> Restricting:
        """What people asked to be used for nothing, or not for one purpose: restrictions and objections."""

        def refuse(identifier: str, purpose: str, actor: str, reason: str) -> object:
            return self.consents.record(identifier, purpose, False, actor, reason)

        told = self._blueprint, self._state, self._ledger, self.requests, self.rights.find
        return Restricting(*told, refuse, lambda: self.audit)

    @cached_property
    def opendsr(self) -> OpenDsr:
        """The interface by which programs send requests about people."""
        return OpenDsr(self._blueprint.company.id, self._state, self._keys, self.requests)

    @cached_property
    def rectifying(self) -> Rectifying:
        """What people say is wrong about them, put right."""
        told = self._blueprint, self._state, self._keys, self.requests, self.rights.find
        return Rectifying(*told, lambda: self.audit)

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
        return Permission(
            bit=numbered.number,
            pseudonyms=people.pseudonyms,
            person=people.person,
            allowed=allowed,
            since_ms=since_ms,
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


def _digest(as_of: AsOf) -> str:
    return sha256(repr(as_of).encode()).hexdigest()[:32]


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
