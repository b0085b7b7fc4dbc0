"""When most rows of a file are wrong for one and the same reason: then the description is wrong, not the rows."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from parcours.blueprint.yaml_lines import Node, Place
from parcours.collect.source import Source, Time
from parcours.errors import Fault
from parcours.words import Words

FEWEST_ROWS = 20
"""In a shorter file, a few bad rows say nothing of its description."""

_MOST_LETTERS, _MOST_SHOWN = 4, 40
_DATES = ("date_unreadable", "date_implausible")


class Blame(msgspec.Struct, frozen=True):
    """The first cell that gave a reason: the code, the column, and what stands there."""

    code: str
    column: str
    value: str | None


def find_majority(
    source: Source, node: Node, file: str, rows: int, reasons: Mapping[Words, int], blames: Mapping[Words, Blame]
) -> Fault | None:
    """Return the fault of a source when more than half of the ``rows`` of a file are wrong for one reason.

    Args:
        source: The source.
        node: Its YAML, which gives the fault its line.
        file: The file, as people call it.
        rows: The rows that were read of it.
        reasons: How many rows are in quarantine, by reason.
        blames: The first cell of each reason that is about a cell; other reasons make no majority.
    """
    counted = [(reasons.get(reason, 0), reason) for reason in blames]
    if rows < FEWEST_ROWS or not counted:
        return None
    count, reason = max(counted, key=lambda one: one[0])
    if 2 * count <= rows:
        return None
    blame = blames[reason]
    seen, rule, remedy = _example(source, blame), _rule(source, blame), _remedy(blame)
    sentence = Words(
        f"{file} : {count} lignes sur {rows} ne se lisent pas. {reason.fr}{seen.fr}{rule.fr}",
        f"{file}: {count} rows of {rows} cannot be read. {reason.en}{seen.en}{rule.en}",
    )
    return node.fault("most_rows_unreadable", _place(source, blame), sentence, remedy)


def _example(source: Source, blame: Blame) -> Words:
    """Return the cell in words, unless it looks like anything but a number or a date: it may name somebody."""
    value = blame.value or ""
    letters = sum(letter.isalpha() for letter in value)
    plain = any(letter.isdigit() for letter in value) or letters <= _MOST_LETTERS
    personal = "@" in value or blame.column in source.ids.values()
    if not value or not plain or personal or len(value) > _MOST_SHOWN:
        return Words()
    return Words(f" On y lit par exemple « {value} ».", f" It holds “{value}”, for instance.")


def _rule(source: Source, blame: Blame) -> Words:
    if blame.code in _DATES:
        time = _time(source, blame.column)
        format = time.format if time and time.format else "ISO 8601"
        return Words(f" Le format attendu est {format}.", f" The format expected is {format}.")
    if blame.code == "number_unreadable":
        decimal = source.csv.decimal
        return Words(
            f" Le séparateur décimal attendu est « {decimal} ».", f" The decimal mark expected is “{decimal}”."
        )
    return Words()


def _remedy(blame: Blame) -> Words:
    if blame.code in _DATES:
        return Words(
            f'Dites comment les dates sont écrites : time: {{column: {blame.column}, format: "%d/%m/%Y %H:%M"}} ; '
            "sinon epoch_ms ou epoch_s. Rien n'a été chargé de cette source.",
            f'Say how dates are written: time: {{column: {blame.column}, format: "%d/%m/%Y %H:%M"}}; '
            "else epoch_ms or epoch_s. Nothing of this source was loaded.",
        )
    if blame.code == "number_unreadable":
        return Words(
            'Dites comment les nombres sont écrits : csv: {decimal: ","} ou csv: {decimal: "."} ; ou donnez au champ '
            "une autre colonne. Rien n'a été chargé de cette source.",
            'Say how numbers are written: csv: {decimal: ","} or csv: {decimal: "."}; or give the field another '
            "column. Nothing of this source was loaded.",
        )
    return Words(
        f"Vérifiez que « {blame.column} » est la bonne colonne. Rien n'a été chargé de cette source.",
        f"Check that “{blame.column}” is the right column. Nothing of this source was loaded.",
    )


def _time(source: Source, column: str) -> Time | None:
    times = (source.time, *(source.event_time(event) for event in source.events))
    return next((time for time in times if time and time.column == column), None)


def _place(source: Source, blame: Blame) -> Place:
    if blame.code in _DATES:
        if source.time and source.time.column == blame.column:
            return ("time", "format") if source.time.format else ("time",)
        for index, event in enumerate(source.events):
            if event.time and event.time.column == blame.column:
                return ("events", index, "time")
    if blame.code == "number_unreadable":
        for name, mapped in source.fields.items():
            if mapped.column == blame.column:
                return ("fields", name)
    return source.columns().get(blame.column, ())
