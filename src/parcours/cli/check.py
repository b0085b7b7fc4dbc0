"""`parcours check`: every fault of the blueprint and the sources at once, with file and line."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import flow
from parcours.cli.output import print_faults, print_json
from parcours.words import Words


@click.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="code, sentence, remedy, file, line, level.")
def command(folder: Path, as_json: bool) -> int:
    """List every fault in FOLDER; exit 1 when one of them is an error, 0 when there are only warnings."""
    faults = flow.check(folder)
    errors = sum(fault.level == "error" for fault in faults)
    if as_json:
        print_json(faults)
    else:
        print_faults(faults)
        warnings = len(faults) - errors
        click.echo(
            str(
                Words(
                    fr=f"{errors} faute(s), {warnings} avertissement(s).",
                    en=f"{errors} error(s), {warnings} warning(s).",
                )
            )
        )
    return 1 if errors else 0
