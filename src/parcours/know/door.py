"""The door: raw events in, part rows out; whoever they name goes to the vault, and what nobody allows is not kept."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.door import IDENTIFIERS, Admission, Counted, Refusal, part_schema
from parcours.engine.store.sqlite import Database
from parcours.know.audience.door import AudienceDoor
from parcours.know.callers import COLLISION, UNUSABLE, Callers
from parcours.know.consent.choices import read_choices
from parcours.know.consent.contexts import Contexting
from parcours.know.consent.expiry import read_expiries
from parcours.know.consent.ledger import GRANTED, Ledger
from parcours.know.gate.verdict import permits
from parcours.know.gate.versions import Versions, recorded_over
from parcours.know.identity.edges import Edges
from parcours.know.identity.identifiers import Spelling, is_blocked
from parcours.know.identity.shared import SharedDevices
from parcours.know.identity.withdrawing import withdraw_edges
from parcours.know.keys import Keys
from parcours.know.layers.keys import fill_keys
from parcours.know.masks import mask_each
from parcours.know.minimising.masked import Masked
from parcours.know.moments import note_settled
from parcours.know.personal import Personal
from parcours.know.pseudonyms import NOBODY, Numbers, buckets_of, digest_objects
from parcours.know.rights.tombstones import Tombstones
from parcours.know.state import MOST_NUMBERS, number_names
from parcours.know.vault import Vault
from parcours.know.waiting import strongest_of
from parcours.words import Words

Mask = npt.NDArray[np.bool_]
CHOICE_EVENT = "Segment Consent Preference Updated"
"""What is sent when somebody chooses, and never merely restates an earlier choice: it may bring an erased one back."""

DAY_MS = 86_400_000
_EVERY_BIT = (1 << MOST_NUMBERS) - 1
_REASONS = {
    UNUSABLE: (
        "identifier_unusable",
        Words(
            fr="Un identifiant a plus de 255 caractères ou contient des caractères de contrôle.",
            en="An identifier has more than 255 characters or holds control characters.",
        ),
    ),
    COLLISION: (
        "pseudonym_collision",
        Words(
            fr="Deux identifiants différents ont le même pseudonyme.",
            en="Two different identifiers have the same pseudonym.",
        ),
    ),
}


class CompanyDoor:
    """The `parcours.collect.door.Door` of one company; one batch at a time.

    A choice is recorded as `parcours.know.consent.choices` reads it; an event is permitted what the strictest recorded
    choice of its own identifiers permits.
    """

    def __init__(self, blueprint: Blueprint, state: Database, keys: Keys, spelling: Spelling) -> None:
        self._blueprint = blueprint
        self._kinds: Mapping[str, str] = blueprint.field_kinds()
        self._state = state
        self._keys = keys
        self._spelling = spelling
        self._vault = Vault(state, keys)
        self._personal = Personal(state, keys)
        self._edges, self._shared = Edges(state, keys), SharedDevices(state, keys)
        self._tombstones = Tombstones(state, keys)
        self._masked = Masked(state)
        self._callers = Callers(keys.pseudonyms, self._vault, spelling)
        versions = Versions(state)
        self._purposes = {purpose.id: versions.of(purpose) for purpose in blueprint.purposes}
        self._ledger = Ledger(state, keys, read_expiries(blueprint, self._purposes))
        self._contexts = Contexting(blueprint, self._ledger.contexts)
        texts = sorted(field for field, kind in self._kinds.items() if kind == "text")
        self._texts = number_names(state, "text", texts)
        self._narrowed = {
            field.id: sum(1 << self._purposes[id].number for id in field.purposes)
            for field in blueprint.fields
            if field.purposes
        }
        self._fields = blueprint.personal_fields()
        self._apart = (
            AudienceDoor(state.path.parent, blueprint, blueprint.audience, keys, spelling)
            if blueprint.audience
            else None
        )
        self._admitted_to = -1

    def admit(self, batch: pa.Table, first_event_no: int, received_ms: int) -> Admission:
        """Turn raw events into part rows; the event at row i of ``batch`` gets the number ``first_event_no`` + i."""
        batch = batch.combine_chunks()
        event_nos = np.arange(first_event_no, first_event_no + batch.num_rows, dtype=np.int64)
        self._admitted_to = max(self._admitted_to, first_event_no + batch.num_rows - 1)
        people = {kind: self._callers.recognise(kind, batch.column(f"id_{kind}")) for kind in IDENTIFIERS}
        people, erased = self._leave_out_erased(batch, people)
        wrong = np.minimum.reduce([np.minimum(codes, 0) for codes in people.values()])
        sound = wrong >= NOBODY
        subject = strongest_of(people, batch.num_rows)
        self._note_choices(batch, people, sound, event_nos)
        permitted = self._stamp(people)
        kept = sound & ~erased & has_basis(subject, permitted)
        rows = np.flatnonzero(kept)
        batch = self._narrow(batch, np.where(subject == NOBODY, _EVERY_BIT, permitted))
        people = {kind: codes[rows] for kind, codes in people.items()}
        self._callers.keep(people, event_nos[rows])
        batch = batch.take(pa.array(rows))
        self._note_edges(people, subject[rows], event_nos[rows], batch.column("source"))
        self._note_personal(batch, subject[rows], event_nos[rows])
        table = self._lay_out(batch, subject[rows], permitted[rows], event_nos[rows], received_ms)
        refusals = tuple(Refusal(int(row), *_REASONS[int(wrong[row])]) for row in np.flatnonzero(~sound))
        return Admission(table, refusals, int(sound.sum() - kept.sum()))

    def count_apart(self, batch: pa.Table, first_event_no: int) -> Counted:
        """Take raw events into the space of audience measurement; without one nothing of them is kept."""
        self._admitted_to = max(self._admitted_to, first_event_no + batch.num_rows - 1)
        return self._apart.admit(batch.combine_chunks(), first_event_no) if self._apart else Counted(())

    def settle(self) -> None:
        """Make all that was admitted so far durable: keys first, then what they seal."""
        if self._apart:
            self._apart.settle()
        self._vault.settle()
        self._personal.settle()
        with self._state.transaction():
            self._edges.settle()
            self._masked.settle()
            self._ledger.settle(int(time.time() * 1000))
            self._tombstones.settle(self._ledger.catch_up())
            note_settled(self._state, self._admitted_to)

    def withdraw(self, event_nos: list[int]) -> None:
        """Forget the edges, texts and personal values of these events; recorded choices stay, for they were made."""
        if event_nos:
            limits = {str(kind): most for kind, most in self._blueprint.limits.items()}
            withdraw_edges(self._edges, self._shared, np.array(event_nos, np.int64), limits)
            self._vault.forget_texts(event_nos)
            self._personal.withdraw(event_nos)

    def forget_from(self, event_no: int) -> None:
        """Forget the edges, texts and identifiers that only a load cut short has shown; recorded choices stay.

        What this door noted of it and did not settle goes too, in case it was itself that was cut short.
        """
        if self._apart:
            self._apart.forget_from(event_no)
        for one in (self._vault, self._personal, self._ledger, self._edges, self._tombstones, self._masked):
            one.abandon()
        self._callers = Callers(self._keys.pseudonyms, self._vault, self._spelling)
        with self._state.transaction():
            self._edges.forget_from(event_no)
            self._personal.forget_from(event_no)
            self._vault.forget_from(event_no)

    def bit_of(self, purpose: str) -> int:
        """Return which bit of ``permitted`` is that of ``purpose``."""
        return self._purposes[purpose].number

    def seal(self, data: bytes) -> bytes:
        """Encrypt the bytes of a row that goes to quarantine."""
        return self._keys.seal(data)

    def unseal(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` gave."""
        return self._keys.unseal(sealed)

    def hour_key(self, hour: int) -> bytes | None:
        """Return the key of an hour of the journal, or nothing once it was destroyed."""
        return self._keys.hour_key(hour)

    def destroy_hour_keys(self, before: int, needed: Collection[int]) -> int:
        """Destroy the keys of hours before ``before`` that no batch needs any more."""
        return self._keys.destroy_hour_keys(before, needed)

    def row_seed(self) -> int:
        """Return the company's secret 63-bit seed of row keys."""
        return self._keys.row_seed()

    def _leave_out_erased(self, batch: pa.Table, people: dict[str, Numbers]) -> tuple[dict[str, Numbers], Mask]:
        """Return who is named, the erased left out, and which events are theirs and are not kept.

        An event whose strongest identifier is erased is discarded whole, or a shared device beside it would get it. An
        erased identifier beside a stronger one is left out. Whoever chose anew since is let in from that moment on.
        """
        occurred_ms = np.asarray(batch.column("occurred_ms"))
        covered = {kind: self._tombstones.covers(codes, occurred_ms) for kind, codes in people.items()}
        if not any(mask.any() for mask in covered.values()):
            return people, np.zeros(batch.num_rows, bool)
        back = _of_returning(self._blueprint, batch)
        for kind, mask in covered.items():
            rows = np.flatnonzero(mask & back)
            self._tombstones.note_return(people[kind][rows], occurred_ms[rows])
        covered = {kind: self._tombstones.covers(codes, occurred_ms) for kind, codes in people.items()}
        erased = self._tombstones.covers(strongest_of(people, batch.num_rows), occurred_ms)
        left = {kind: np.where(erased | covered[kind], NOBODY, codes) for kind, codes in people.items()}
        return left, erased

    def _note_choices(self, batch: pa.Table, people: dict[str, Numbers], sound: Mask, event_nos: Numbers) -> None:
        occurred_ms = np.asarray(batch.column("occurred_ms"))
        for purpose, numbered in self._purposes.items():
            proof = None
            for kind, stating, choices in read_choices(batch, purpose, people, sound):
                proof = proof or self._read_proof(batch, purpose)
                # Who consented before the purpose was declared like this consented to something else.
                chosen_ms = np.where(proof[0] > 0, np.minimum(proof[0], occurred_ms), occurred_ms)
                counts = (choices != GRANTED) | (chosen_ms[stating] >= numbered.since_ms)
                rows, granted = stating[counts], choices[counts]
                told = (one[rows] for one in (occurred_ms, event_nos, *proof))
                self._ledger.note(numbered.number, people[kind][rows], granted, *told)

    def _read_proof(self, batch: pa.Table, purpose: str) -> tuple[Numbers, Numbers, Numbers]:
        """Return how each choice about ``purpose`` was made: the moment, the context and the raw string."""
        made_ms = np.asarray(batch.column("choice_made_ms").fill_null(0))
        evidence = self._ledger.evidence.number(batch.column("choice_evidence"))
        return made_ms, self._contexts.of(batch, purpose), evidence

    def _stamp(self, people: dict[str, Numbers]) -> Numbers:
        """Return one bit a purpose: what the ledger allows now, the strictest of an event's identifiers deciding."""
        permitted = np.zeros(len(people["user"]), np.int64)
        self._ledger.catch_up()
        for purpose in self._blueprint.purposes:
            if self._blueprint.audience and purpose.id == self._blueprint.audience.purpose:
                continue  # It serves the space apart, and gives no basis to anything here.
            numbered = self._purposes[purpose.id]
            allowed = permits(purpose.basis, [recorded_over(self._ledger, one, numbered) for one in people.values()])
            permitted |= np.where(allowed, np.int64(1 << numbered.number), 0)
        return permitted

    def _narrow(self, batch: pa.Table, permitted: Numbers) -> pa.Table:
        """Return ``batch`` without the values of fields that no purpose permitted on their event may read."""
        for field, bits in self._narrowed.items():
            place = batch.column_names.index(f"field_{field}")
            column, readable = batch.column(place), pa.array((permitted & bits) != 0)
            batch = batch.set_column(place, batch.schema.field(place), pc.if_else(readable, column, None))
        return batch

    def _note_edges(
        self, people: dict[str, Numbers], subject: Numbers, event_nos: Numbers, source: pa.ChunkedArray
    ) -> None:
        for name in pc.unique(source).to_pylist():
            mine = np.asarray(pc.fill_null(pc.equal(source, name), False))
            for codes in people.values():
                rows = np.flatnonzero(mine & (codes >= 0) & (codes != subject))
                self._edges.note(event_nos[rows], subject[rows], codes[rows], name)

    def _note_personal(self, batch: pa.Table, subject: Numbers, event_nos: Numbers) -> None:
        """Note what people tell of themselves; what cannot be anybody's is not kept."""
        named = np.flatnonzero(subject != NOBODY)
        taken = batch.take(pa.array(named)) if self._fields else batch
        columns = {field: taken.column(f"field_{field}").to_pylist() for field in self._fields}
        if columns:
            self._personal.note(subject[named], event_nos[named], np.asarray(taken.column("occurred_ms")), columns)
        if self._personal.waits_for_many:
            # The keys of whom it names first.
            self._vault.settle()
            self._personal.settle()

    def _lay_out(
        self, batch: pa.Table, subject: Numbers, permitted: Numbers, event_nos: Numbers, received_ms: int
    ) -> pa.Table:
        schema = part_schema(dict(self._kinds), self._blueprint.objects)
        objects = {kind: self._hide_objects(kind, batch.column(f"object_{kind}")) for kind in self._blueprint.objects}
        fill_keys(self._blueprint.layers, batch, objects, self._keys.pseudonyms)
        columns: dict[str, pa.Array | pa.ChunkedArray] = {
            "event_no": pa.array(event_nos),
            "received_ms": _received(batch, received_ms),
            "subject": _nullable(subject),
            # What is about nobody concerns no purpose in particular: every bit stands.
            "permitted": pa.array(np.where(subject == NOBODY, _EVERY_BIT, permitted)),
            "bucket": pa.array(_bucket(subject, list(objects.values()))),
        }
        columns |= {f"object_{kind}": _nullable(codes) for kind, codes in objects.items()}
        for field, number in self._texts.items():
            columns[f"text_{field}"] = self._seal_texts(
                batch.column(f"field_{field}"), number, subject, event_nos, received_ms
            )
        return pa.table([columns.get(field.name, _named(batch, field)) for field in schema], schema=schema)

    def _hide_objects(self, kind: str, column: pa.ChunkedArray) -> Numbers:
        coded = pc.dictionary_encode(pc.utf8_trim_whitespace(pc.utf8_normalize(column, "NFKC"))).combine_chunks()
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.chunk(0) if coded.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
        values = coded.dictionary.to_pylist()
        numbers = digest_objects(kind, values, self._keys.pseudonyms)
        numbers[np.array([is_blocked(value) for value in values], bool)] = NOBODY
        return _spread(numbers, coded)

    def _seal_texts(
        self, column: pa.ChunkedArray, number: int, subject: Numbers, event_nos: Numbers, received_ms: int
    ) -> pa.Array:
        """Mask what people wrote and seal it under their own keys; what cannot be anybody's is not kept."""
        said = np.asarray(pc.fill_null(pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0), False))
        rows = np.flatnonzero(said & (subject != NOBODY))
        refs = event_nos * (MOST_NUMBERS + 2) + number
        if rows.size:
            texts, masked = mask_each(column.take(pa.array(rows)).to_pylist())
            self._masked.note(received_ms // DAY_MS, masked)
            self._vault.keep_texts(refs[rows].tolist(), subject[rows].tolist(), event_nos[rows].tolist(), texts)
        shown = np.full(len(event_nos), NOBODY)
        shown[rows] = refs[rows]
        return _nullable(shown)


def has_basis(subject: Numbers, permitted: Numbers) -> Mask:
    """Return which events may be kept: those about nobody, and those that some purpose may use."""
    basis: Mask = (subject == NOBODY) | (permitted != 0)
    return basis


def _of_returning(blueprint: Blueprint, batch: pa.Table) -> Mask:
    """Return which events are an agreement that somebody gives of their own accord at that moment."""
    agreed = np.zeros(batch.num_rows, bool)
    for purpose in blueprint.purposes:
        name = f"consent_{purpose.id}"
        if purpose.basis == "consent" and name in batch.column_names:
            agreed |= np.asarray(pc.fill_null(batch.column(name), False))
    agreed &= np.asarray(pc.equal(batch.column("name"), CHOICE_EVENT))
    return agreed


def _bucket(subject: Numbers, objects: list[Numbers]) -> npt.NDArray[np.int8]:
    owner = subject
    for codes in objects:
        owner = np.where(owner == NOBODY, codes, owner)
    return buckets_of(np.where(owner == NOBODY, 0, owner))


def _spread(numbers: Numbers, coded: pa.DictionaryArray) -> Numbers:
    """Return the number of each row of ``coded``, given those of its dictionary; `NOBODY` for a null."""
    places = np.asarray(coded.indices.fill_null(len(numbers)))
    spread: Numbers = np.append(numbers, NOBODY)[places]
    return spread


def _nullable(numbers: Numbers) -> pa.Array:
    return pa.array(numbers, mask=numbers == NOBODY)


def _received(batch: pa.Table, received_ms: int) -> pa.Array | pa.ChunkedArray:
    """Return when each event came in: what it says itself, for those that waited in the journal."""
    if "received_ms" in batch.column_names:
        return pc.fill_null(batch.column("received_ms"), received_ms)
    return pa.array(np.full(batch.num_rows, received_ms, np.int64))


def _named(batch: pa.Table, field: pa.Field) -> pa.ChunkedArray | pa.Array:
    if field.name in batch.column_names:
        return batch.column(field.name)
    return pa.nulls(batch.num_rows, field.type)
