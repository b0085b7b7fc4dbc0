"""One customer under one purpose at this moment: who it is, what is allowed, and which events may be seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint, Purpose
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import Part
from parcours.know.consent.ledger import Ledger
from parcours.know.gate.since import fields_since
from parcours.know.gate.verdict import permits, read_choices_of
from parcours.know.gate.versions import Numbered
from parcours.know.identity.edges import Edges
from parcours.know.identity.people import People
from parcours.know.live import Live
from parcours.know.mapping import Mask
from parcours.know.portrait import Portrait, bound, paint
from parcours.know.profiles import AsOf, Profile, Profiles, note_moments, sum_up
from parcours.know.pseudonyms import NOBODY, Numbers
from parcours.know.timeline import (
    MOST_EVENTS,
    Lived,
    Timeline,
    Wanted,
    find_touchpoints,
    read_rows,
    write_kept,
    write_waiting,
)
from parcours.know.waiting import Rows, Stated, strongest_of


class Kept(msgspec.Struct, frozen=True):
    """What parts hold at one moment: the parts, the last batch in them, and what kept profiles must rest on."""

    parts: tuple[Part, ...]
    taken: int
    as_of: AsOf


class Customer:
    """A customer who was asked for.

    Args:
        purpose: For which it is asked.
        numbered: The purpose's numbers.
        own: The pseudonyms of the identifier that was named.
        people: Who is who, as it was last found out.
        edges: Which identifiers stood beside which.
        ledger: What was chosen.
        live: What waits to be taken over.
        erased: Tells which pseudonyms are erased; those of the customer are not.
    """

    def __init__(
        self,
        purpose: Purpose,
        numbered: Numbered,
        own: Numbers,
        people: People,
        edges: Edges,
        ledger: Ledger,
        live: Live | None,
        erased: Callable[[Numbers], Mask] = lambda pseudonyms: np.zeros(len(pseudonyms), bool),
    ) -> None:
        self._erased = erased
        mine = np.unique(people.person[np.isin(people.pseudonyms, own)])
        self.subjects = np.union1d(own, people.pseudonyms[np.isin(people.person, mine)])
        self._purpose, self._numbered, self._ledger, self._live = purpose, numbered, ledger, live
        self._rows: Rows | None = None
        self._stated: Stated | None = None
        # What waits first: what is taken over after that is then in the ledger and in parts, which are read later.
        if live:
            rows, self._stated = live.look(self.subjects, purpose.id)
            # On what waits and is somebody else's a shared device may stand: those who are erased are passed over.
            self._rows = rows.pick(~erased(strongest_of(rows.people, len(rows.batch_no))))
        ledger.catch_up()
        self._edges, self._known_to = edges, people.as_of
        # What names nobody (a blocked value, say) has chosen nothing.
        choices = self._choices(self.subjects if len(self.subjects) else np.array([NOBODY]), self._stated)
        self.permitted = bool(permits(purpose.basis, [choices[place : place + 1] for place in range(len(choices))])[0])

    def timeline(self, folder: Path, blueprint: Blueprint, manifest: Manifest, since_ms: int) -> Timeline:
        """Return what may be seen of this customer.

        Raises:
            ParcoursError: ``part_damaged``, ``database_damaged`` …
        """
        if not self.permitted:
            return Timeline(self._purpose.id, len(self.subjects), False)
        lived, kept, _ = self._read(folder, blueprint, manifest, since_ms)
        lived += [one for table in kept for one in write_kept(blueprint, table)]
        lived.sort(key=lambda one: (one.occurred_ms, one.received_ms), reverse=True)
        return Timeline(
            purpose=self._purpose.id,
            identifiers=len(self.subjects),
            permitted=True,
            events=tuple(lived[:MOST_EVENTS]),
            count=len(lived),
            first_ms=lived[-1].occurred_ms if lived else None,
            last_ms=lived[0].occurred_ms if lived else None,
            lag_ms=self._live.pulse().lag_ms if self._live else 0,
        )

    def portrait(self, folder: Path, blueprint: Blueprint, manifest: Manifest, since_ms: int) -> Portrait:
        """Return this customer as a whole: with the work behind the line, and what they belong to.

        Raises:
            ParcoursError: ``part_damaged``, ``database_damaged`` …
        """
        if not self.permitted:
            return Portrait(self._purpose.id, False, len(self.subjects))
        with manifest.lease():
            waiting, own, parts = self._read(folder, blueprint, manifest, since_ms)
            hidden = blueprint.hidden_from(self._purpose.id)
            deeds, memberships = paint(folder, blueprint, parts, own, waiting, since_ms, hidden)
        return Portrait(
            purpose=self._purpose.id,
            permitted=True,
            identifiers=len(self.subjects),
            deeds=bound(deeds),
            count=len(deeds),
            first_ms=deeds[-1].occurred_ms if deeds else None,
            last_ms=deeds[0].occurred_ms if deeds else None,
            memberships=memberships,
        )

    def _read(
        self, folder: Path, blueprint: Blueprint, manifest: Manifest, since_ms: int
    ) -> tuple[list[Lived], list[pa.Table], tuple[Part, ...]]:
        """Return what waits, what parts hold of this customer, and these parts."""
        hidden = blueprint.hidden_from(self._purpose.id)
        rows = self._seen_waiting(since_ms)
        # First what waits, then what is kept: an event that changes hands in between is seen twice, never missed.
        waiting = self._live.open(rows) if self._live and rows else []
        with manifest.lease():
            kept = read_kept(manifest, since_ms, "")
            wanted = self._wanted(since_ms)
            wanted = msgspec.structs.replace(wanted, hidden=hidden, fields_since_ms=fields_since(blueprint))
            own = list(read_rows(folder, blueprint, kept.parts, wanted))
        arrived = write_waiting(blueprint, [one for one in waiting if one.batch_no > kept.taken], hidden)
        return list(arrived), own, kept.parts

    def profile(
        self, folder: Path, blueprint: Blueprint, manifest: Manifest, since_ms: int, written: str, held: Profiles | None
    ) -> Profile:
        """Return this customer's profile: from ``held``, what was last published, as far as that still holds.

        Raises:
            ParcoursError: ``part_damaged``, ``database_damaged`` …
        """
        if not self.permitted:
            return Profile(self._purpose.id, False)
        rows = self._seen_waiting(since_ms)
        with manifest.lease():
            kept = read_kept(manifest, since_ms, written)
            if held is not None and not still_holds(held.as_of, kept.as_of):
                held = None
            moments = [held.of(self.subjects)] if held else []
            wanted = self._wanted(since_ms, held.as_of.event_no if held else 0)
            for table in read_rows(folder, blueprint, kept.parts, wanted):
                occurred_ms = np.asarray(table.column("occurred_ms"))
                moments.append(note_moments(occurred_ms, find_touchpoints(blueprint, table)))
        waiting = 0
        if rows is not None:
            rows = rows.pick(rows.batch_no > kept.taken)
            waiting = len(rows.batch_no)
            moments.append(note_moments(rows.occurred_ms, rows.touchpoint.astype(np.int64)))
        return sum_up(self._purpose.id, blueprint, moments, waiting, self._live.pulse().lag_ms if self._live else 0)

    def _wanted(self, since_ms: int, from_event_no: int = 0) -> Wanted:
        """Return which rows are wanted of parts that were listed before this is called.

        Beside a customer's own those are events on which it stands beside a stronger identifier: of what came after it
        was found out who is who, nobody can say yet whether that is the same person.
        """
        edges = self._edges.since(self._known_to)
        edges = edges[np.isin(edges[:, 2], self.subjects) & ~np.isin(edges[:, 1], self.subjects)]
        edges = edges[~self._erased(edges[:, 1])]
        beside, others = np.unique(edges[:, 0]), np.unique(edges[:, 1])
        return Wanted(self.subjects, beside, others, self._numbered.number, since_ms, from_event_no)

    def _seen_waiting(self, since_ms: int) -> Rows | None:
        """Return the waiting events that the door will stamp for the purpose, as far as can be said before it does."""
        if self._rows is None or self._stated is None:
            return None
        rows = self._rows.pick(self._rows.occurred_ms >= since_ms)
        allowed = np.zeros(len(rows.batch_no), bool)
        changes = np.unique(self._stated.batch_no)
        # Choices count from their own batch on: what is seen while it waits is then seen afterwards too.
        stage = np.searchsorted(changes, rows.batch_no, "right")
        for step in np.unique(stage).tolist():
            known = self._stated.pick(self._stated.batch_no <= changes[step - 1]) if step else None
            some = stage == step
            allowed[some] = self._stamp({kind: codes[some] for kind, codes in rows.people.items()}, known)
        return rows.pick(allowed)

    def _stamp(
        self, people: Mapping[str, Numbers], stated: Stated | None
    ) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        principals = np.unique(np.concatenate([*people.values(), [NOBODY]]))
        choices = self._choices(principals, stated)
        each = [choices[np.searchsorted(principals, codes)] for codes in people.values()]
        return permits(self._purpose.basis, each)

    def _choices(self, principals: Numbers, stated: Stated | None) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
        return read_choices_of(self._ledger, principals, self._numbered, stated)


def read_kept(manifest: Manifest, since_ms: int, written: str) -> Kept:
    """Return what parts hold now, all of one moment."""
    journal = Journal(manifest.database)
    with manifest.database.snapshot():
        as_of = AsOf(manifest.settled_to, manifest.withdrawals, since_ms, written)
        return Kept(manifest.parts(), journal.taken(), as_of)


def still_holds(held: AsOf, now: AsOf) -> bool:
    """Return whether kept profiles are right but for events that came since."""
    return msgspec.structs.replace(held, event_no=now.event_no) == now
