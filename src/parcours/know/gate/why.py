"""Why somebody's rows are, or are not, in a derived table: gate after gate, in counts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from parcours.blueprint.records import Blueprint, Purpose
from parcours.engine.store.parts import Part, verified
from parcours.know.gate.verdict import Verdict
from parcours.know.mapping import ABSENT, meet
from parcours.know.pseudonyms import Numbers, buckets_of
from parcours.words import Words

TABLES = ("touches", "answers", "operations", "customers")
"""The derived tables of each purpose."""

Gate = Literal["known", "kept", "stamp", "retention", "now", "table"]


class Passage(msgspec.Struct, frozen=True):
    """One gate: how many of the events that came to it it let through, and why in a sentence.

    Behind the gate that stopped everything nothing came to be judged: there nothing is ``reached``.
    """

    gate: Gate
    events: int
    passed: bool
    reason: Words
    reached: bool = True


class Why(msgspec.Struct, frozen=True):
    """Why there are rows of somebody in a table of one purpose, or why there are none.

    Attributes:
        purpose, table: Which table: ``touches``, ``answers``, ``operations`` or ``customers`` of which purpose.
        there: Whether any row is there at this moment.
        identifiers: How many identifiers were asked about: all those of one person.
        verdict: What the ledger of this moment says.
        gates: Every gate in the order in which events come to them; the first that did not pass says why.
    """

    purpose: str
    table: str
    there: bool
    identifiers: int
    verdict: Verdict
    gates: tuple[Passage, ...]

    @property
    def reason(self) -> Words:
        """The sentence of the gate that stopped them, or of the last one."""
        return next((one.reason for one in self.gates if not one.passed), self.gates[-1].reason)


def explain(
    folder: Path,
    blueprint: Blueprint,
    purpose: Purpose,
    table: str,
    parts: Sequence[Part],
    subjects: Numbers,
    known: bool,
    bit: int,
    since_ms: int,
    verdict: Verdict,
) -> Why:
    """Return why rows of ``subjects`` (pseudonyms of one person) are in ``table`` of ``purpose``, or are not.

    ``known`` says whether anybody has one of them.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    rows = _read(folder, blueprint, parts, subjects)
    permitted, occurred_ms = np.asarray(rows.column("permitted")), np.asarray(rows.column("occurred_ms"))
    stamped = (permitted >> bit) & 1 == 1
    fresh = stamped & (occurred_ms >= since_ms)
    fitting = _count_fitting(blueprint, table, rows.filter(pa.array(fresh)))
    counts = rows.num_rows, int(stamped.sum()), int(fresh.sum())
    gates = (
        Passage("known", counts[0], known, _KNOWN[known]),
        Passage("kept", counts[0], counts[0] > 0, _KEPT[counts[0] > 0]),
        Passage("stamp", counts[1], counts[1] > 0, _STAMPED[counts[1] > 0]),
        Passage("retention", counts[2], counts[2] > 0, _FRESH[counts[2] > 0]),
        Passage("now", counts[2] if verdict else 0, verdict.allowed, verdict.reason),
        Passage("table", fitting if verdict else 0, fitting > 0, _FITTING[fitting > 0]),
    )
    stop = next((place for place, one in enumerate(gates) if not one.passed), len(gates))
    told = (*gates[: stop + 1], *(Passage(one.gate, 0, False, _NOT_REACHED, False) for one in gates[stop + 1 :]))
    return Why(purpose.id, table, stop == len(gates), verdict.identifiers, verdict, told)


def _read(folder: Path, blueprint: Blueprint, parts: Sequence[Part], subjects: Numbers) -> pa.Table:
    """Return all rows of parts about ``subjects``, whatever their stamp."""
    own = set(buckets_of(subjects).tolist())
    fields = [f"field_{name}" for name, kind in blueprint.field_kinds().items() if kind == "category"]
    found = []
    for path in verified(folder, [part for part in parts if part.bucket in own]):
        held = pq.read_schema(path).names
        columns = ["name", "occurred_ms", "subject", "permitted", *(name for name in fields if name in held)]
        found.append(pq.read_table(path, columns=columns, filters=pc.field("subject").isin(subjects.tolist())))
    if not found:
        kinds = {"name": pa.string(), "occurred_ms": pa.int64(), "subject": pa.int64(), "permitted": pa.int64()}
        return pa.table({name: pa.array([], kind) for name, kind in kinds.items()})
    return pa.concat_tables(found, promote_options="default")


def _count_fitting(blueprint: Blueprint, table: str, rows: pa.Table) -> int:
    if table == "customers":
        return int(rows.num_rows)
    if table == "operations":
        return 0  # Work behind the line is told by object, and never of a customer.
    if table == "touches":
        return int((meet(blueprint, rows, np.ones(rows.num_rows, bool)) != ABSENT).sum()) if rows.num_rows else 0
    asked = {one.experience.event.name for one in blueprint.touchpoints if one.experience}
    named: npt.NDArray[np.bool_] = np.asarray(pc.is_in(rows.column("name"), pa.array(sorted(asked), pa.string())))
    return int(named.sum())


_KNOWN = {
    True: Words(fr="Cet identifiant est connu.", en="This identifier is known."),
    False: Words(fr="Personne n'a cet identifiant ici.", en="Nobody has this identifier here."),
}
_NOT_REACHED = Words(fr="Non atteint.", en="Not reached.")
_KEPT = {
    True: Words(fr="Des événements ont été gardés.", en="Events were kept."),
    False: Words(
        fr="Aucun événement de cette personne n'est gardé : aucun n'est venu, aucune finalité n'avait de base légale à "
        "son arrivée, ou ils ont été effacés.",
        en="No event of this person is kept: none came, no purpose had a legal basis when they came, or they were "
        "erased.",
    ),
}
_STAMPED = {
    True: Words(fr="À leur arrivée, cette finalité était permise.", en="When they came, this purpose was allowed."),
    False: Words(
        fr="Aucun de ces événements n'est arrivé alors que cette finalité, telle qu'elle est déclarée, était permise.",
        en="None of these events came while this purpose, as it is declared, was allowed.",
    ),
}
_FRESH = {
    True: Words(fr="La durée de conservation n'est pas dépassée.", en="Their retention has not passed."),
    False: Words(
        fr="La durée de conservation de cette finalité est dépassée.", en="The retention of this purpose has passed."
    ),
}
_FITTING = {
    True: Words(fr="Cette table contient de tels événements.", en="This table holds events of this kind."),
    False: Words(
        fr="Aucun de ces événements n'est de ceux que cette table contient.",
        en="None of these events is of the kind that this table holds.",
    ),
}
