"""`parcours demo`: the simulated firm, made, run and served."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import company as companies
from parcours import flow
from parcours.cli.output import Bars, print_json, write_number
from parcours.cli.run import print_report, run_folder
from parcours.cli.serve import serve_folder
from parcours.simulate import DEFAULT_CUSTOMERS, make
from parcours.simulate.requests import FILE
from parcours.simulate.visitors import invite
from parcours.words import Words


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("maison-riviere"))
@click.option("--customers", default=DEFAULT_CUSTOMERS, show_default=True, type=click.IntRange(100))
@click.option("--seed", default=1, show_default=True, type=click.IntRange(0))
@click.option("--serve/--no-serve", "served", default=True, show_default=True)
@click.option("--host", default=None)
@click.option("--port", default=None, type=click.IntRange(0, 65_535))
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path, customers: int, seed: int, served: bool, host: str | None, port: int | None, as_json: bool
) -> None:
    """Make the synthetic firm Maison Rivière in FOLDER, measure it, and open its pages."""
    progress = Bars(quiet=as_json)
    start = time.monotonic()
    make(folder, customers, seed, progress)
    progress.end()
    made = write_number(time.monotonic() - start, 1)
    click.echo(
        str(
            Words(
                fr=f"Maison Rivière est une entreprise simulée (données synthétiques), fabriquée en {made} s.",
                en=f"Maison Rivière is a simulated firm (synthetic data), made in {made} s.",
            )
        ),
        err=True,
    )
    report = run_folder(folder, progress)
    enter_requests(folder)
    if as_json:
        print_json(report)
    else:
        print_report(folder, report)
    if served:
        serve_folder(folder, host, port, invite=lambda company, there: invite(company, there, customers))


def enter_requests(folder: Path) -> None:
    """Enter who asks to be erased in the register, as customer service would; nobody is erased by that."""
    company = companies.open(folder)
    for identifier in (folder / FILE).read_text("utf-8").split():
        flow.enter_erasure_request(company, identifier, "cli", "letter")
