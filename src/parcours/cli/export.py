"""`parcours export`: the blueprint as BPMN 2.0, or the log of touches as XES, OCEL 2.0, Parquet or CSV."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.blueprint import write_bpmn
from parcours.cli.output import write_number
from parcours.errors import ParcoursError
from parcours.measure.eventlog import write_log
from parcours.words import Words

ENDINGS = {"bpmn": "bpmn", "xes": "xes", "ocel": "jsonocel", "parquet": "parquet", "csv": "csv"}


@click.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("form", metavar="FORMAT", type=click.Choice(list(ENDINGS), case_sensitive=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="Where to write it; by default the company's id in this folder.",
)
@click.option("--purpose", default=None, help="The purpose whose rows are exported (not for bpmn).")
def command(folder: Path, form: str, out: Path | None, purpose: str | None) -> None:
    """Write FOLDER in FORMAT (bpmn, xes, ocel, parquet or csv) to a file; say which."""
    company = companies.open(folder)
    path = out or Path(f"{company.blueprint.company.id}.{ENDINGS[form]}")
    if not path.parent.is_dir():
        raise ParcoursError(
            "no_such_folder",
            Words(fr=f"Le dossier {path.parent} n'existe pas.", en=f"The folder {path.parent} does not exist."),
            Words(fr="Créez-le, ou donnez un autre chemin à --out.", en="Create it, or give --out another path."),
        )
    if form == "bpmn":
        path.write_text(write_bpmn(company.blueprint), "utf-8")
        click.echo(str(path))
        return
    rows = company.rows_for("export", purpose)
    # Before anything is written: an export that cannot be noted does not go on.
    company.know.audit.note("cli", "export_rows", "purpose", rows.purpose, "done", form)
    count = write_number(write_log(rows, company.blueprint, form, path))
    click.echo(
        str(
            Words(
                fr=f"{path} : {count} événements, pour la finalité {rows.purpose}",
                en=f"{path}: {count} events, for the purpose {rows.purpose}",
            )
        )
    )
