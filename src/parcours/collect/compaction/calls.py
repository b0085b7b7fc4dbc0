"""Segment's calls into raw events: identify, track, page, screen, group and alias, read a column at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.blueprint.records import Blueprint
from parcours.collect.compaction import reasons
from parcours.collect.compaction.cells import as_text, read_texts
from parcours.collect.compaction.clock import Times, correct, read_moments
from parcours.collect.compaction.columns import Columns
from parcours.collect.compaction.found import Found, Marks
from parcours.collect.compaction.members import Members, Taken
from parcours.collect.compaction.plan import Nearest, Plan
from parcours.collect.compaction.sameness import hash_contents, hash_messages, is_too_long, is_usable
from parcours.collect.compaction.shapes import Shapes
from parcours.collect.compaction.splitting import Piece
from parcours.collect.compaction.undeclared import Undeclared
from parcours.collect.compaction.wants import OWN_TRAITS, list_wants
from parcours.collect.connectors.http import HTTP, NAMED_CALLS, HttpOptions, http_options
from parcours.collect.dates import DAY_MS
from parcours.collect.door import raw_schema
from parcours.collect.journal.delivery import BATCH, CALLS
from parcours.collect.rows import Flags, Ints
from parcours.collect.signals.choices import SignalReader
from parcours.collect.source import Source

MOST_EVENT_BYTES: Final = 32 * 1024
MOST_EVENTS: Final = 2_500
"""What one event and one envelope may hold, save from RudderStack's SDKs and from connectors other than HTTP."""

_CODES: Final = {call: code for code, call in enumerate(CALLS)}
_UNKNOWN: Final = len(CALLS)
_IDS: Final = ("userId", "anonymousId", "previousId", "groupId")


class Calls:
    """How the calls that one source delivers become raw events.

    Args:
        source: The source.
        blueprint: What is declared; anything else is passed over.
        seed: The company's secret seed of hashes.
    """

    def __init__(self, source: Source, blueprint: Blueprint, seed: int) -> None:
        options = http_options(source) if source.connector == HTTP else HttpOptions()
        bounded = source.connector == HTTP and options.sdk != "rudderstack"
        self.most_event_bytes = MOST_EVENT_BYTES if bounded else None
        self.most_events = MOST_EVENTS if bounded else None
        self.by_content = options.same_id == "content"
        # RudderStack's SDKs put the moment of the call beside the time that their caller gives.
        self.given_first = options.sdk == "rudderstack"
        self.keeps_unplanned = options.unplanned == "keep"
        self.source = source
        self.seed = seed
        self.wants = list_wants(source, blueprint)
        self.shapes = Shapes(path for want in self.wants for path in want.paths)
        names = [options.event_name(call) if call in NAMED_CALLS else None for call in CALLS]
        own = [event.name.text for event in source.events]
        self.plan = Plan(blueprint, [name for name in (*names, *own) if name])
        self.names = pa.array([*names, None], pa.string())
        self.signals = SignalReader(blueprint)
        purposes = tuple(purpose.id for purpose in blueprint.purposes)
        self.schema = raw_schema(dict(blueprint.field_kinds()), blueprint.objects, purposes)

    def read(self, taken: Sequence[Taken]) -> Found:
        """Return the events of deliveries of this source."""
        return _Reading(self, taken).finish()


class _Reading:
    """Deliveries on their way to events."""

    def __init__(self, how: Calls, taken: Sequence[Taken]) -> None:
        self.how = how
        self.taken = taken
        self.members = Members(how.shapes, taken)
        self.columns = Columns(self.members)
        self.count = len(self.members)
        self.assigned: Flags = np.zeros(self.count, bool)
        self.received_ms: Ints = self._spread([one.delivery.received_ms for one in taken])

    def finish(self) -> Found:
        """Read, check and lay out; what is found wrong first is the reason that is given."""
        how, columns = self.how, self.columns
        self._check_sizes()
        calls = self._read_calls()
        names = self._read_names(calls)
        for want in how.wants:
            columns.read(want)
        self._check_ids(calls)
        times, time_texts = self._read_times()
        id_hash, content_hash = self._hash(calls, time_texts)
        columns.by_name["name"] = names
        columns.by_name |= self._read_signals()
        columns.check_nul()
        self._check_plan(names, calls)
        columns.count_choices()
        place = self._spread([one.place for one in self.taken]) + self.members.within
        columns.by_name |= {"row_key": pa.array(id_hash), "line": pa.array(place)} | _lay_out(times)
        return self._found(times, place, id_hash, content_hash)

    def _spread(self, numbers: list[int]) -> Ints:
        """Return a number of each delivery for each of its events."""
        spread: Ints = np.array(numbers, np.int64)[self.members.of]
        return spread

    def _check_sizes(self) -> None:
        most = self.how.most_event_bytes
        if most is not None:
            sizes = np.fromiter(map(len, self.members.items), np.int64, self.count)
            self.columns.fault(sizes > most, reasons.EVENT_TOO_LARGE)

    def _read_calls(self) -> Ints:
        """Return the place of each event's call in `CALLS`: by the address that it came to, else what it says."""
        kinds = [one.delivery.kind for one in self.taken]
        types = self.members.member("type")
        if any(kind != BATCH for kind in kinds):
            pairs = zip(self.members.of.tolist(), types, strict=True)
            types = [type if kinds[of] == BATCH else kinds[of] for of, type in pairs]
        coded = pc.dictionary_encode(read_texts(types)[0])
        table = np.array([*(_CODES.get(type.lower(), _UNKNOWN) for type in coded.dictionary.to_pylist()), _UNKNOWN])
        codes: Ints = table[np.asarray(pc.fill_null(coded.indices, len(table) - 1))]
        self.columns.fault(codes == _UNKNOWN, reasons.UNKNOWN_TYPE)
        return codes

    def _read_names(self, calls: Ints) -> pa.Array:
        events = self.columns.read_member("event")
        tracked = calls == _CODES["track"]
        self.columns.fault(tracked & np.asarray(events.is_null()), reasons.EVENT_NAME_MISSING)
        if tracked.all():
            return events
        return pc.if_else(pa.array(tracked), events, self.how.names.take(pa.array(calls)))

    def _check_ids(self, calls: Ints) -> None:
        """See that an event names somebody, a group call its group, and an alias whom it was before."""
        user, anonymous, previous, group = (self.columns.read_member(name, reasons.ID_UNUSABLE) for name in _IDS)
        aliased, grouped = calls == _CODES["alias"], calls == _CODES["group"]
        if aliased.any():
            self._put_ids(aliased, "device", previous)
        if grouped.any():
            for kind, paths in OWN_TRAITS.items():
                self._put_ids(grouped, kind, self.columns.read_texts(paths, None))
        self.columns.fault(aliased & np.asarray(previous.is_null()), reasons.PREVIOUS_ID_MISSING)
        self.columns.fault(grouped & np.asarray(group.is_null()), reasons.GROUP_ID_MISSING)
        ids = [column for name, column in self.columns.by_name.items() if name.startswith("id_")]
        nobody = np.logical_and.reduce([np.asarray(column.is_null()) for column in (user, anonymous, *ids)])
        self.columns.fault(nobody, reasons.NO_ID)

    def _put_ids(self, rows: Flags, kind: str, ids: pa.Array) -> None:
        """Let some events have other ids of a kind, unless the source says itself where they stand."""
        if kind not in self.how.source.ids:
            before = self.columns.by_name[f"id_{kind}"]
            self.columns.by_name[f"id_{kind}"] = pc.if_else(pa.array(rows), ids, before)

    def _read_times(self) -> tuple[Times, pa.Array]:
        """Return when events happened, and the client's own timestamps as it wrote them."""
        original = self.columns.read_member("originalTimestamp", reasons.DATE_UNREADABLE)
        stamped = self.columns.read_member("timestamp", reasons.DATE_UNREADABLE)
        first, second = (stamped, original) if self.how.given_first else (original, stamped)
        texts = second if first.null_count == self.count else pc.coalesce(first, second)
        envelopes = pa.array([_sent_text(one.parts.sent) for one in self.taken], pa.string())
        sent_ms, sent = read_moments(envelopes)
        sent_ms, sent = sent_ms[self.members.of], sent[self.members.of]
        own = self.columns.read_member("sentAt")
        if own.null_count < self.count:
            own_ms, own_read = read_moments(own)
            said = np.asarray(own.is_valid())
            sent_ms, sent = np.where(said, own_ms, sent_ms), np.where(said, own_read, sent)
        times = correct(texts, sent_ms, sent, self.received_ms)
        self.columns.fault(times.unreadable, reasons.DATE_UNREADABLE)
        self.columns.fault(times.implausible, reasons.DATE_IMPLAUSIBLE)
        return times, texts

    def _hash(self, calls: Ints, times: pa.Array) -> tuple[Ints, Ints]:
        """Return what stands for each message and for its content."""
        columns, members, seed = self.columns, self.members, self.how.seed
        messages = columns.read_member("messageId", reasons.MESSAGE_ID_UNUSABLE)
        columns.fault(is_too_long(messages), reasons.MESSAGE_ID_UNUSABLE)
        ids = [columns.read_member(name) for name in _IDS]
        texts = [
            pa.array([*CALLS, None]).take(pa.array(calls)),
            columns.read_member("event"),
            columns.read_member("name"),
        ]
        pieces = (members.properties, members.traits, members.context_traits)
        contents = hash_contents([*texts, *ids, times], pieces, seed)
        usable = is_usable(messages)
        self.assigned = ~usable
        usable = usable & (not self.how.by_content)
        return hash_messages(messages, pc.coalesce(ids[0], ids[1]), usable, contents, seed), contents

    def _read_signals(self) -> dict[str, pa.Array]:
        """Take what signals say into the choices; return the columns that stand beside these."""
        columns, count = self.columns, self.count
        raw = [columns.signals.get(f"signal_{name}") for name in ("tcf", "consent_mode", "notice")]
        beside = {"choice_notice": pa.nulls(count, pa.string()) if raw[2] is None else read_texts(raw[2])[0]}
        if raw[0] is None and raw[1] is None:
            none = {"choice_evidence": pa.nulls(count, pa.string()), "choice_made_ms": pa.nulls(count, pa.int64())}
            return beside | none
        said = self.how.signals.read(raw[0], raw[1], count)
        columns.state(said)
        made_ms = pa.array(said.made_ms, mask=said.made_ms == 0)
        return beside | {"choice_evidence": said.evidence, "choice_made_ms": made_ms}

    def _check_plan(self, names: pa.Array, calls: Ints) -> None:
        plan, columns = self.how.plan, self.columns
        near = Nearest(plan.named)
        unknown = plan.find_unknown(names)
        if self.how.keeps_unplanned:
            columns.counts["unplanned_event"] += int(unknown.sum())
            unknown[:] = False
        for row in np.flatnonzero(unknown).tolist():
            if row not in columns.faults:
                columns.faults[row] = plan.unknown(names[row].as_py(), near)
        for column, rows in columns.wrong:
            for row in rows:
                if row not in columns.faults:
                    columns.faults[row] = plan.wrong_type(names[row].as_py(), column)
        tracked = calls == _CODES["track"]
        for missing, name, field in plan.find_missing(names, columns.by_name, tracked):
            columns.fault(missing.tolist(), plan.missing(name, field))

    def _found(self, times: Times, place: Ints, id_hash: Ints, content_hash: Ints) -> Found:
        source = pa.repeat(pa.scalar(self.how.source.source, pa.string()), self.count)
        columns = self.columns.by_name | {"source": source}
        schema, members, faults = self.how.schema, self.members, self.columns.faults
        events = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
        marks = Marks(members.of, members.within, place, times.day, id_hash, content_hash)
        counts = self.columns.counts
        counts["id_assigned"] += self._count_sound(self.assigned)
        counts["no_timestamp"] += self._count_sound(~times.timed)
        counts["clock_not_corrected"] += self._count_sound(times.timed & ~times.corrected)
        if faults:
            good = np.ones(self.count, bool)
            good[list(faults)] = False
            events, marks = events.filter(pa.array(good)), marks.pick(good)
        placed = {(int(members.of[row]), int(members.within[row])): reason for row, reason in faults.items()}
        return Found(events, marks, placed, +counts, self._look_for_undeclared())

    def _count_sound(self, rows: Flags) -> int:
        """Return how many of ``rows`` are not refused for anything found so far."""
        refused = [row for row in self.columns.faults if rows[row]]
        return int(np.count_nonzero(rows)) - len(refused)

    def _look_for_undeclared(self) -> dict[int, Undeclared]:
        shapes, members = self.how.shapes, self.members
        declared, traits = set(shapes.properties.keys), set(shapes.traits.keys)
        found: dict[int, Undeclared] = {}
        days = self.received_ms // DAY_MS
        for day in np.unique(days).tolist():
            rows = np.flatnonzero(days == day).tolist()
            found[day] = Undeclared()
            found[day].look(_pick(members.properties, rows), _pick(members.traits, rows), declared, traits)
        return found


def _lay_out(times: Times) -> dict[str, pa.Array]:
    return {
        "occurred_ms": pa.array(times.occurred_ms),
        "original_ms": pa.array(times.original_ms, mask=~times.timed),
        "sent_ms": pa.array(times.sent_ms, mask=~times.sent),
    }


def _sent_text(piece: Piece) -> str | None:
    """Return when an envelope says that it was sent, as text; what cannot be one is nothing."""
    if not len(piece):
        return None
    try:
        return as_text(msgspec.json.decode(piece))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _pick(pieces: Sequence[Any], rows: list[int]) -> Sequence[Any]:
    return pieces if len(rows) == len(pieces) else [pieces[row] for row in rows]
