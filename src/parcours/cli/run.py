"""`parcours run`: bring a company folder up to date and say what was found."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import Bars, print_json, write_number
from parcours.errors import ParcoursError
from parcours.results import RunReport
from parcours.words import Words


@click.command("run")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="events, quarantined, discarded, customers, touchpoints, seconds, findings …",
)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
def command(folder: Path, as_json: bool, quiet: bool) -> None:
    """Load what changed in FOLDER, link, measure, and write report.html."""
    report = run_folder(folder, Bars(quiet))
    if as_json:
        print_json(report)
    else:
        print_report(folder, report)


def run_folder(folder: Path, progress: Bars) -> RunReport:
    """Check, then run; with any error in the blueprint or the sources nothing is loaded."""
    company = companies.open(folder)
    faults = flow.check(folder, sample=False)
    errors = [fault for fault in faults if fault.level == "error"]
    if errors:
        raise ParcoursError.of(errors)
    try:
        report = flow.run(company, progress)
    finally:
        progress.end()
    if warnings := [fault for fault in faults if fault.level == "warning"]:
        click.echo(
            str(
                Words(
                    fr=f"{len(warnings)} avertissement(s) : parcours check {folder}",
                    en=f"{len(warnings)} warning(s): parcours check {folder}",
                )
            ),
            err=True,
        )
    return report


def print_report(folder: Path, report: RunReport) -> None:
    """Print the counts and the findings, one sentence a line."""
    for warning in report.warnings:
        click.echo(f"! {warning}", err=True)
    counts = [
        write_number(count) for count in (report.events, report.customers, report.touchpoints, report.quarantined)
    ]
    seconds = write_number(report.seconds, 1)
    click.echo(
        str(
            Words(
                fr=f"{counts[0]} événements, {counts[1]} clients, {counts[2]} points de contact, "
                f"{counts[3]} lignes en quarantaine, en {seconds} s.",
                en=f"{counts[0]} events, {counts[1]} customers, {counts[2]} touchpoints, "
                f"{counts[3]} rows in quarantine, in {seconds} s.",
            )
        )
    )
    if report.masked:
        told = ", ".join(f"{kind} {write_number(count)}" for kind, count in report.masked.items())
        click.echo(
            str(
                Words(
                    fr=f"Masqué dans les textes reçus ces sept derniers jours : {told}.",
                    en=f"Masked in texts received in the last seven days: {told}.",
                )
            )
        )
    for finding in report.findings:
        click.echo(f"• {finding.sentence}")
    click.echo(str(Words(fr=f"La carte : {folder / report.report}", en=f"The map: {folder / report.report}")))
