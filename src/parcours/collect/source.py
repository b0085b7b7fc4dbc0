"""A source as a frozen record: its file or connector, which column is what, which events one row gives."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from parcours.blueprint.records import FieldKind, IdentifierType
from parcours.blueprint.yaml_lines import Node

Format = Literal["csv", "jsonl", "parquet", "xes"]
Signal = Literal["tcf", "consent_mode", "notice"]
"""What stands beside choices in columns of their own: a TCF string, Consent Mode v2, and which notice was shown."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every record of a source shares."""


class Csv(Record, frozen=True, kw_only=True):
    """How a CSV file is written; ``header`` names the columns of a file that has no header line."""

    delimiter: str | None = None
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    header: tuple[str, ...] = ()


class Time(Record, frozen=True, kw_only=True):
    """A moment: its column, its format (ISO 8601 when unset, ``epoch_ms``, ``epoch_s`` or strptime) and zone."""

    column: str
    format: str | None = None
    zone: str | None = None


class FieldColumn(Record, frozen=True, kw_only=True):
    """A declared property: its column and, for numbers, the unit it is in and the unit it is kept in."""

    column: str
    type: FieldKind | None = None
    unit: str | None = None
    to: str | None = None


class Condition(Record, frozen=True, kw_only=True):
    """When a row gives an event: the column holds one of ``values`` (YAML: ``is``); without any, it is filled."""

    column: str
    values: tuple[str, ...] = ()


class Choice(Record, frozen=True, kw_only=True):
    """A choice that a person made: ``yes`` lists the cells that mean it; an empty cell records nothing."""

    column: str
    yes: tuple[str, ...]


class EventName(Record, frozen=True, kw_only=True):
    """What an event is called: a fixed text, a column, or columns and punctuation joined."""

    text: str | None = None
    column: str | None = None
    join: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        """Return the columns that the name is made of; what holds no letter nor digit is punctuation."""
        if self.column:
            return (self.column,)
        return tuple(part for part in self.join if not is_punctuation(part))


class SourceEvent(Record, frozen=True, kw_only=True):
    """One event that a row may give."""

    name: EventName
    time: Time | None = None
    when: Condition | None = None
    fields: dict[str, FieldColumn] = {}


class Lookup(Record, frozen=True, kw_only=True):
    """A small second file whose ``columns`` join the rows where its ``key`` equals this source's column ``on``."""

    file: str
    key: str
    columns: tuple[str, ...]
    on: str | None = None
    format: Format | None = None
    csv: Csv = Csv()


class Source(Record, frozen=True, kw_only=True):
    """One source of events, from a ``file`` or from a ``connector`` with its ``options``: exactly one of the two.

    ``events`` may be empty where the connector brings Segment's calls, which name themselves. With ``audience`` all of
    them go to the space of audience measurement that needs no consent, and nowhere else.
    """

    source: str
    file: str | None = None
    connector: str | None = None
    options: dict[str, Any] = {}
    format: Format | None = None
    csv: Csv = Csv()
    key: tuple[str, ...] = ()
    time: Time | None = None
    ids: dict[IdentifierType, str] = {}
    objects: dict[str, str] = {}
    consent: dict[str, Choice] = {}
    signals: dict[Signal, str] = {}
    fields: dict[str, FieldColumn] = {}
    events: tuple[SourceEvent, ...] = ()
    lookup: Lookup | None = None
    audience: bool = False

    @property
    def tells_choices(self) -> bool:
        """Whether its rows may state what people allow."""
        return bool(self.consent) or any(name != "notice" for name in self.signals)

    def columns(self) -> dict[str, tuple[str | int, ...]]:
        """Return every column that the source names, and the place in its YAML where it does so first."""
        named: dict[str, tuple[str | int, ...]] = {}

        def name(column: str, *place: str | int) -> None:
            named.setdefault(column, place)

        for index, column in enumerate(self.key):
            name(column, "key", index)
        if self.time:
            name(self.time.column, "time", "column")
        for section in ("ids", "objects"):
            for kind, column in getattr(self, section).items():
                name(column, section, kind)
        for purpose, choice in self.consent.items():
            name(choice.column, "consent", purpose, "column")
        for signal, column in self.signals.items():
            name(column, "signals", signal)
        for field, mapped in self.fields.items():
            name(mapped.column, "fields", field)
        for index, event in enumerate(self.events):
            for column in event.name.columns():
                name(column, "events", index, "name")
            if event.time:
                name(event.time.column, "events", index, "time", "column")
            if event.when:
                name(event.when.column, "events", index, "when", "column")
            for field, mapped in event.fields.items():
                name(mapped.column, "events", index, "fields", field)
        if self.lookup:
            for column in self.lookup.columns:
                named.pop(column, None)
            name(self.lookup.on or self.lookup.key, "lookup", "key")
        return named

    def event_time(self, event: SourceEvent) -> Time | None:
        """Return where the moment of ``event`` stands: its own column, in the source's format unless it says so."""
        if event.time is None or self.time is None:
            return event.time or self.time
        return Time(
            column=event.time.column,
            format=event.time.format or self.time.format,
            zone=event.time.zone or self.time.zone,
        )


class ReadSource(msgspec.Struct, frozen=True):
    """A source with the YAML that it was read from, so that later faults can name its lines."""

    source: Source
    node: Node


def is_punctuation(part: str) -> bool:
    """Return whether a part of a joined name is text between columns rather than a column."""
    return not any(letter.isalnum() for letter in part)
