"""The records that are compared: one for each person whom the purpose may see, their latest values made comparable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Comparison
from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.people import People
from parcours.know.linking.forms import form
from parcours.know.personal import Values
from parcours.know.pseudonyms import Numbers, types_of
from parcours.know.reading import Permission

RECORD = "unique_id"
"""The column that says whose values a row holds: the strongest identifier of theirs that has any, as pseudonym."""

_BITS = 2**63 - 1


def column_of(field: str) -> str:
    """Return the column of a field's values: text, null where nothing is known. None of them is a word of SQL."""
    return f"value_{field}"


class _Column(msgspec.Struct):
    """Values of one field, as they come: whose, told when and on which event, and their comparable form."""

    subjects: list[int] = msgspec.field(default_factory=list)
    moments_ms: list[int] = msgspec.field(default_factory=list)
    event_nos: list[int] = msgspec.field(default_factory=list)
    texts: list[str] = msgspec.field(default_factory=list)

    def latest(self, people: People) -> tuple[Numbers, Numbers, pa.Array]:
        """Return people with the identifier that told their latest value, and that value, one row each."""
        subjects = np.array(self.subjects, np.int64)
        person = people.person[people.places(subjects)].astype(np.int64)
        order = np.lexsort((np.array(self.event_nos), np.array(self.moments_ms), person))
        last = order[np.append(np.diff(person[order]) != 0, True)] if len(order) else order
        return person[last], subjects[last], pa.array(self.texts, pa.string()).take(pa.array(last))


def gather_records(
    compare: Iterable[Comparison],
    told: Iterable[tuple[int, Values]],
    identifiers: Iterable[tuple[int, str]],
    people: People,
    permission: Permission,
) -> pa.Table:
    """Return one row for each person who may be seen and of whom anything is known.

    Args:
        compare: What is compared.
        told: What people told of themselves, by identifier.
        identifiers: Raw mails and phones, where they are compared, by pseudonym and in the order of their first sight.
        people: Who is who.
        permission: Whom the purpose may see, and since when.
    """
    fields = {one.field: one for one in compare}
    columns = {field: _Column() for field in fields}
    write = {field: form(one.compare) for field, one in fields.items()}
    seen = set(people.pseudonyms[permission.allowed[permission.person]].tolist())
    since_ms = {field: max(permission.since_ms, permission.fields_since_ms.get(field, 0)) for field in fields}
    for subject, values in told:
        if subject in seen:
            for field, column in columns.items():
                value = values.get(field)
                if value is not None and value.occurred_ms >= since_ms[field]:
                    _add(column, subject, value.occurred_ms, value.event_no, write[field](value.text))
    for place, (pseudonym, text) in enumerate(identifiers):
        kind = IDENTIFIERS[pseudonym >> 61]
        if kind in columns and pseudonym in seen:
            _add(columns[kind], pseudonym, 0, place, write[kind](text))
    return _lay_out({field: column.latest(people) for field, column in columns.items()}, people.count)


def digest_records(records: pa.Table, key: bytes) -> Numbers:
    """Return one keyed 63-bit digest of each record's values: another one when any of them changed."""
    columns = [records.column(name) for name in records.column_names if name != RECORD]
    joined = pc.binary_join_element_wise(*columns, "\x1f", null_handling="replace", null_replacement="\x00")
    digests = [blake2b(text.encode(), key=key, digest_size=8, person=b"linked").digest() for text in joined.to_pylist()]
    return np.frombuffer(b"".join(digests), "<i8").astype(np.int64) & _BITS


def wanted_identifiers(compare: Iterable[Comparison], people: People, permission: Permission) -> Numbers:
    """Return the mails and phones whose raw values are compared, in the order of their first sight."""
    kinds = [IDENTIFIERS.index(one.field) for one in compare if one.field in IDENTIFIERS]
    chosen = np.isin(types_of(people.pseudonyms), kinds) & permission.allowed[permission.person]
    places = np.flatnonzero(chosen)
    return people.pseudonyms[places[np.argsort(people.first_seen[places], kind="stable")]]


def _add(column: _Column, subject: int, at_ms: int, event_no: int, text: str | None) -> None:
    if text is not None:
        column.subjects.append(subject)
        column.moments_ms.append(at_ms)
        column.event_nos.append(event_no)
        column.texts.append(text)


def _lay_out(latest: Mapping[str, tuple[Numbers, Numbers, pa.Array]], people: int) -> pa.Table:
    strongest = np.full(people, _BITS, np.int64)
    for person, subjects, _ in latest.values():
        np.minimum.at(strongest, person, subjects)
    known = np.flatnonzero(strongest != _BITS)
    table = {RECORD: pa.array(strongest[known])}
    for field, (person, _, texts) in latest.items():
        places = np.full(people, len(texts))
        places[person] = np.arange(len(texts))
        rows = places[known]
        table[column_of(field)] = texts.take(pa.array(rows, mask=rows == len(texts)))
    return pa.table(table)


def read_in_order(pseudonyms: Numbers, read: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield what was ``read`` in the order of ``pseudonyms``; what is absent is passed over."""
    held = dict(read)
    for pseudonym in pseudonyms.tolist():
        if pseudonym in held:
            yield pseudonym, held[pseudonym]
