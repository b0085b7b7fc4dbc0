"""How the door writes: JSON or a table on stdout, faults and progress on stderr, readable without colour."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from parcours.charts.numbers import write_number as write_figure
from parcours.errors import Fault
from parcours.measure.contract import Column, Result
from parcours.words import LANGUAGES, Words, language

_COLON = Words(fr="\u00a0:", en=":")

PATIENCE_S = 1.0
FILE_WIDTH = 160
WIDEST = 34
LEVELS = {"error": Words(fr="faute", en="error"), "warning": Words(fr="attention", en="warning")}


def print_json(value: Any) -> None:
    """Print one JSON value; texts in both languages become the one in force."""
    click.echo(msgspec.json.format(msgspec.json.encode(say(value)), indent=2).decode())


def say(value: Any) -> Any:
    """Return ``value`` as plain data, every `Words` said in the language in force."""
    if isinstance(value, Words):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return {name: say(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        if set(value) == {"fr", "en"}:
            return str(Words(**value))
        return {key: say(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [say(item) for item in value]
    return value


def say_count(count: float, french: tuple[str, str], english: tuple[str, str]) -> Words:
    """Return a count with what it counts, each named as one and as several: French has one of 0 too."""
    figure = {one: write_figure(count, one) for one in LANGUAGES}
    return Words(
        fr=f"{figure['fr']} {french[count >= 2]}",
        en=f"{figure['en']} {english[count != 1]}",
    )


def ask(question: Words) -> bool:
    """Ask on stderr, in the language in force; no is what is meant unless yes is said."""
    choices = Words(fr="[o/N]", en="[y/N]")
    said = click.prompt(f"{question} {choices}", default="", show_default=False, err=True, prompt_suffix=" ")
    return str(said).strip().lower() in ("y", "yes", "o", "oui")


def print_faults(faults: Iterable[Fault]) -> None:
    """Print each fault on stderr: place, level, sentence, remedy, code."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for fault in faults:
        style = "bold red" if fault.level == "error" else "yellow"
        place = f"{escape(fault.place)}: " if fault.place else ""
        level = LEVELS[fault.level]
        console.print(f"{place}[{style}]{level}[/] {escape(str(fault.sentence))} [dim]\\[{fault.code}][/]")
        console.print(f"    → {escape(str(fault.remedy))}")


def print_result(result: Result, labels: Mapping[str, Words]) -> None:
    """Print a measure as a table with what it means: question, count, definition, warnings."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]{escape(str(result.question))}[/]\n")
    columns = [column for column in result.columns if any(row.get(column.name) is not None for row in result.rows)]
    headings = [str(column.label) for column in columns]
    cells = [[write_cell(row.get(column.name), column, labels) for column in columns] for row in result.rows]
    shown = choose_columns(headings, cells, console.width if console.is_terminal else FILE_WIDTH) if cells else []
    widths = {place: width_of(headings[place], [row[place] for row in cells]) for place in shown}
    texts = {place for place in shown if columns[place].kind == "text"}
    for style, row in (("bold", headings), *(("", row) for row in cells)) if cells else ():
        line = "  ".join(align(row[place], widths[place], place in texts) for place in shown).rstrip()
        console.print(escape(line), style=style)
    if hidden := [column.name for place, column in enumerate(columns) if place not in shown]:
        console.print(f"[dim]+ {escape(', '.join(hidden))} (--json)[/]")
    console.print(f"\nn = {write_number(result.n)} · {escape(str(result.unit))}")
    console.print(f"[dim]{escape(str(result.definition))}[/]")
    for warning in result.warnings:
        console.print(f"! {escape(str(warning))}")


def align(cell: str, width: int, left: bool) -> str:
    """Return ``cell`` cut or padded to ``width``: text to the left, figures to the right."""
    cut = cell if len(cell) <= width else cell[: width - 1] + "…"
    return cut.ljust(width) if left else cut.rjust(width)


def width_of(heading: str, cells: Sequence[str]) -> int:
    """Return how wide a column is drawn: its widest cell or word of its heading, within reason."""
    return min(WIDEST, max([len(heading), *(len(cell) for cell in cells)]))


def choose_columns(headings: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return the places of the columns that fit ``width``, in order: those that say the same in every row go first."""
    places = list(range(len(headings)))
    said_once = [place for place in places if len(cells) > 1 and len({row[place] for row in cells}) == 1]
    for place in [*reversed(said_once), *(place for place in reversed(places) if place not in said_once)]:
        if sum(width_of(headings[i], [row[i] for row in cells]) + 2 for i in places) - 2 <= width:
            break
        places.remove(place)
    return places or [0]


def write_cell(value: Any, column: Column, labels: Mapping[str, Words]) -> str:
    """Return one value as a person of the language in force writes it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(Words(fr="oui", en="yes") if value else Words(fr="non", en="no"))
    if isinstance(value, str):
        return str(labels.get(f"{column.name}:{value}", labels.get(value, value)))
    if isinstance(value, list | tuple):
        return ", ".join(write_cell(item, column, labels) for item in value)
    if isinstance(value, Mapping):
        return " ".join(f"{key}:{write_cell(item, column, labels)}" for key, item in value.items())
    if column.kind == "milliseconds":
        return write_duration(float(value))
    if column.kind == "share":
        return write_number(100 * value, 1) + "\u202f%"
    whole = column.kind in ("count", "money") or isinstance(value, int) or abs(value) >= 1000
    return write_number(value, 0 if whole else 2 if abs(value) >= 10 else 3)


def write_number(value: float, decimals: int = 0) -> str:
    """Return a number with the separators of the language in force."""
    text = f"{value:,.{decimals}f}".replace("-", "−")
    if language() == "fr":
        text = text.replace(",", "\u202f").replace(".", ",")
    return text


def write_duration(milliseconds: float) -> str:
    """Return a duration in its largest sensible unit."""
    day = Words(fr="j", en="d")
    for unit, size in ((str(day), 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000)):
        if abs(milliseconds) >= size:
            return f"{write_number(milliseconds / size, 1)}\u202f{unit}"
    return f"{write_number(milliseconds)}\u202fms"


class Bars:
    """Progress on stderr: a bar on a terminal for anything over a second, else one line a step that took that long."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = Console(stderr=True)
        self._progress: Progress | None = None
        self._label, self._done, self._start = Words(), 0, 0.0
        self._total: int | None = None

    def begin(self, label: Words, total: int | None = None) -> None:
        """Remember the step; nothing is drawn before it has lasted a second."""
        self.end()
        self._label, self._total, self._done, self._start = label, total, 0, time.monotonic()

    def advance(self, units: int = 1) -> None:
        """Move the bar, and draw it once the step has lasted a second."""
        self._done += units
        if self._quiet or not self._console.is_terminal:
            return
        if self._progress is None and time.monotonic() - self._start > PATIENCE_S:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()
            self._progress.add_task(str(self._label), total=self._total)
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=self._done)

    def end(self) -> None:
        """Close the step; say how long it took when that was over a second."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
        if not str(self._label):
            return
        seconds = time.monotonic() - self._start
        if seconds > PATIENCE_S and not self._quiet:
            count = f" {write_number(self._done)}" if self._done else ""
            print(f"{self._label}{_COLON}{count} ({write_number(seconds, 1)} s)", file=sys.stderr)
        self._label = Words()


def print_lines(lines: Sequence[str]) -> None:
    """Print plain lines on stdout."""
    for line in lines:
        click.echo(line)
