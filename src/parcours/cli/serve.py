"""`parcours serve`: the pages on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.words import Words
from parcours.workspaces.app import serve


@click.command("serve")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--host", default=None, help="127.0.0.1 unless parcours.toml or this option says otherwise.")
@click.option("--port", default=None, type=click.IntRange(0, 65_535))
def command(folder: Path, host: str | None, port: int | None) -> None:
    """Open the pages of FOLDER until Ctrl-C."""
    serve_folder(folder, host, port)


def serve_folder(folder: Path, host: str | None, port: int | None) -> None:
    """Serve the pages; say where on stderr."""
    company = companies.open(folder)
    chosen_host = host or company.settings.serve.host
    chosen_port = company.settings.serve.port if port is None else port
    place = f"http://{chosen_host}:{chosen_port}/"
    click.echo(str(Words(fr=f"Pages : {place} (Ctrl-C pour arrêter)", en=f"Pages: {place} (Ctrl-C to stop)")), err=True)
    serve(company, chosen_host, chosen_port, lambda: companies.open(folder))
