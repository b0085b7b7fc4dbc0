"""`parcours verify`: read everything that is kept, and say what is damaged and how to mend it."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import results
from parcours.cli.output import Bars, print_faults, print_json, write_number
from parcours.errors import Fault, ParcoursError
from parcours.know import verify
from parcours.settings import read_settings
from parcours.words import Words


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="files, bytes, seconds, damaged, strays")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool) -> int:
    """Read all that FOLDER keeps, from the first byte to the last; exit with 1 when anything is damaged."""
    if not (folder / ".parcours").is_dir():
        raise _nothing_kept(folder)
    start, progress = time.monotonic(), Bars(quiet)
    try:
        read = verify(folder, read_settings(folder), progress)
    finally:
        progress.end()
    faults = [*read.faults, *map(_result_damaged, results.damaged(folder))]
    damaged = [fault for fault in faults if fault.level == "error"]
    strays = [fault for fault in faults if fault.level == "warning"]
    if as_json:
        seconds = round(time.monotonic() - start, 2)
        told = {"files": read.files, "bytes": read.bytes, "seconds": seconds, "damaged": damaged, "strays": strays}
        print_json(told)
    else:
        print_faults(faults)
        click.echo(str(_say(read.files, read.bytes, len(damaged), len(strays))))
    return 1 if damaged else 0


def _say(files: int, size: int, damaged: int, strays: int) -> Words:
    count, megabytes = write_number(files), write_number(size / 1e6, 1)
    french = f"{count} fichiers lus ({megabytes} Mo) : "
    english = f"{count} files read ({megabytes} MB): "
    french += f"{damaged} dommage(s)" if damaged else "rien n'est endommagé"
    english += f"{damaged} found damaged" if damaged else "nothing is damaged"
    if strays:
        french, english = f"{french}, {strays} avertissement(s)", f"{english}, {strays} warning(s)"
    return Words(fr=f"{french}.", en=f"{english}.")


def _result_damaged(path: Path) -> Fault:
    return Fault(
        "result_damaged",
        Words(
            fr=f"Le résultat gardé {path.name} est endommagé.",
            en=f"The kept result {path.name} is damaged.",
        ),
        Words(
            fr="Rien à rétablir : le prochain parcours run le refait.",
            en="Nothing to restore: the next parcours run makes it anew.",
        ),
        str(path),
    )


def _nothing_kept(folder: Path) -> ParcoursError:
    return ParcoursError(
        "nothing_loaded",
        Words(fr=f"{folder} ne garde encore rien.", en=f"{folder} keeps nothing yet."),
        Words(
            fr=f"Chargez les sources : parcours run {folder}",
            en=f"Load the sources: parcours run {folder}",
        ),
        folder,
    )
