"""What is held of one person, for them: everything (GDPR art. 15), or what they provided themselves (art. 20)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint, Purpose
from parcours.collect.connectors.destinations import Destination
from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.parts import Part, verified
from parcours.engine.store.sqlite import Database
from parcours.know.consent.ledger import GRANTED
from parcours.know.consent.lines import WITHDRAWN
from parcours.know.gate.versions import Versions
from parcours.know.identity.shown import mask_identifier
from parcours.know.personal import Personal
from parcours.know.pseudonyms import Numbers, buckets_of, types_of
from parcours.know.rights.subject import Subject
from parcours.know.vault import Vault
from parcours.words import Words

Scope = Literal["access", "portability"]
PROVIDED = ("consent", "contract")
"""The bases on which what a person provided can be taken along (GDPR art. 20(1)(a))."""


class Value(msgspec.Struct, frozen=True):
    """One thing that is known: what it is called, its value, and when it was told."""

    name: str
    value: str
    told_at: str = ""


class Happening(msgspec.Struct, frozen=True):
    """One event: when, what (the touchpoint or operation where it is one), from where, what was told with it, and which
    purposes may use it.
    """

    at: str
    received_at: str
    name: str
    label: Words
    source: str
    about: dict[str, str | float]
    purposes: tuple[str, ...]


class Choice(msgspec.Struct, frozen=True):
    """One choice in the ledger of consents, and for which identifier it was made: its type, and enough to tell it."""

    at: str
    purpose: str
    state: str
    kind: str
    identifier: str


class Use(msgspec.Struct, frozen=True):
    """One purpose: why, on which legal basis, for how long, and whether it uses this person's data now."""

    purpose: str
    label: Words
    basis: str
    days: int | None
    in_use: bool


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that is told to one person.

    Attributes:
        scope: ``access`` for everything, ``portability`` for what they provided.
        company: Who tells it.
        made_at: When.
        profile: The id of the profile; nothing in what they take along, for they did not provide it.
        identifiers, values: Who they are.
        events: What happened.
        choices: What they allowed and refused.
        uses: What their data serve.
        recipients: Where events go out to, with the purpose.
        shared: How many devices are left out because several people used them.
        labels: What ``field:ID`` and ``purpose:ID`` are called.
    """

    scope: Scope
    company: Words
    made_at: str
    profile: str
    identifiers: tuple[Value, ...]
    values: tuple[Value, ...]
    events: tuple[Happening, ...]
    choices: tuple[Choice, ...]
    uses: tuple[Use, ...]
    recipients: tuple[Value, ...]
    shared: int
    labels: dict[str, Words]


def compile_dossier(
    scope: Scope,
    folder: Path,
    blueprint: Blueprint,
    parts: Sequence[Part],
    subject: Subject,
    state: Database,
    vault: Vault,
    personal: Personal,
    allowed: dict[str, bool],
    destinations: Sequence[Destination],
) -> Dossier:
    """Return what is held of ``subject``; ``allowed`` says by purpose whether it may see them now.

    Raises:
        ParcoursError: ``part_damaged``, ``state_damaged`` …
    """
    versions = Versions(state)
    bits = {purpose.id: versions.of(purpose).number for purpose in blueprint.purposes}
    rows = read_rows(folder, parts, subject.pseudonyms)
    provided = [bits[purpose.id] for purpose in blueprint.purposes if purpose.basis in PROVIDED]
    if scope == "portability":
        rows = [row for row in rows if any(row["permitted"] >> bit & 1 for bit in provided)]
    texts = vault.read_texts([value for row in rows for name, value in row.items() if _is_text(name) and value])
    # What people told of themselves is taken along while a basis is in force on which it can be.
    mine = scope == "access" or any(allowed[one.id] for one in blueprint.purposes if one.basis in PROVIDED)
    told = dict(personal.read(subject.pseudonyms.tolist())) if mine else {}
    return Dossier(
        scope=scope,
        company=blueprint.company.label,
        made_at=_time(time.time_ns() // 1_000_000),
        profile=f"{int(subject.profile_ids[0]):016x}" if scope == "access" else "",
        identifiers=_list_identifiers(subject.pseudonyms, vault),
        values=tuple(
            Value(field, one.text, _time(one.occurred_ms)) for values in told.values() for field, one in values.items()
        ),
        events=tuple(
            _write_row(row, blueprint, bits, texts) for row in sorted(rows, key=lambda row: row["occurred_ms"])
        ),
        choices=_list_choices(state, subject.pseudonyms, versions.purposes(), vault),
        uses=tuple(_use(purpose, allowed) for purpose in blueprint.purposes),
        recipients=tuple(Value(one.destination, one.purpose) for one in destinations) if scope == "access" else (),
        shared=len(subject.shared),
        labels={
            **{f"field:{field.id}": field.label for field in blueprint.fields if field.label},
            **{f"purpose:{purpose.id}": purpose.label for purpose in blueprint.purposes},
        },
    )


def write_json(dossier: Dossier, language: Literal["fr", "en"]) -> bytes:
    """Return a dossier as JSON, its texts in one language."""
    plain = msgspec.to_builtins(dossier)
    plain["company"] = dossier.company.in_language(language)
    labels = [held.label for held in dossier.uses] + [held.label for held in dossier.events]
    for told, label in zip((*plain["uses"], *plain["events"]), labels, strict=True):
        told["label"] = label.in_language(language)
    plain["labels"] = {name: label.in_language(language) for name, label in dossier.labels.items()}
    return msgspec.json.format(msgspec.json.encode(plain), indent=2)


def read_rows(folder: Path, parts: Sequence[Part], pseudonyms: Numbers) -> list[dict[str, Any]]:
    """Return the rows of ``parts`` whose subject is one of ``pseudonyms``. Raises `ParcoursError` ``part_damaged``."""
    buckets = set(buckets_of(pseudonyms).tolist())
    mine = [part for part in parts if part.bucket in buckets]
    chosen = pc.field("subject").isin(pseudonyms.tolist())
    return [row for path in verified(folder, mine) for row in pq.read_table(path, filters=chosen).to_pylist()]


def _list_identifiers(pseudonyms: Numbers, vault: Vault) -> tuple[Value, ...]:
    kinds = types_of(pseudonyms).tolist()
    told = zip(kinds, pseudonyms.tolist(), strict=True)
    return tuple(Value(IDENTIFIERS[kind], value) for kind, one in told if (value := vault.read_identifier(one)))


def _list_choices(state: Database, pseudonyms: Numbers, purposes: dict[int, str], vault: Vault) -> tuple[Choice, ...]:
    kinds = [IDENTIFIERS[kind] for kind in types_of(pseudonyms).tolist()]
    names = {
        one: (kind, mask_identifier(kind, vault.read_identifier(one) or ""))
        for kind, one in zip(kinds, pseudonyms.tolist(), strict=True)
    }
    marks = ", ".join("?" * len(pseudonyms))
    rows = state.execute(
        "SELECT made_ms, occurred_ms, purpose, choice, principal FROM consent "
        f"WHERE principal IN ({marks}) ORDER BY entry_no",
        pseudonyms.tolist(),
    )
    states = {GRANTED: "granted", WITHDRAWN: "withdrawn"}
    numbers = ([int(cell or 0) for cell in row] for row in rows)
    return tuple(
        Choice(_time(made or occurred), purposes.get(purpose, ""), states.get(said, "denied"), *names[principal])
        for made, occurred, purpose, said, principal in numbers
    )


def _write_row(
    row: dict[str, Any], blueprint: Blueprint, bits: dict[str, int], texts: dict[int, tuple[int, str]]
) -> Happening:
    about: dict[str, str | float] = {}
    for column, value in row.items():
        kind, _, name = column.partition("_")
        if kind == "field" and value is not None and not (isinstance(value, float) and np.isnan(value)):
            about[name] = value
        elif kind == "text" and value in texts:
            about[name] = texts[value][1]
    return Happening(
        at=_time(row["occurred_ms"]),
        received_at=_time(row["received_ms"]),
        name=row["name"],
        label=_label(row, blueprint),
        source=row["source"],
        about=about,
        purposes=tuple(purpose for purpose, bit in bits.items() if row["permitted"] >> bit & 1),
    )


def _label(row: dict[str, Any], blueprint: Blueprint) -> Words:
    """Return what the blueprint calls an event: its touchpoint, else its operation, else its name."""
    declared = [(one.label, one.events) for one in blueprint.touchpoints]
    declared += [(one.label, one.events) for one in blueprint.operations]
    for label, events in declared:
        for match in events:
            where = match.where.items()
            if match.name == row["name"] and all(row.get(f"field_{field}") in values for field, values in where):
                return label
    return Words(fr=row["name"], en=row["name"])


def _use(purpose: Purpose, allowed: dict[str, bool]) -> Use:
    return Use(purpose.id, purpose.label, purpose.basis, purpose.retention_days, allowed[purpose.id])


def _is_text(column: str) -> bool:
    return column.startswith("text_")


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
