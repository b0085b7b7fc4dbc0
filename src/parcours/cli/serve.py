"""`parcours serve`: the pages on this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import click

from parcours import company as companies
from parcours.errors import ParcoursError
from parcours.words import Words
from parcours.workspaces.app import serve

EXPOSED = Words(
    fr="Attention : ces pages n'ont ni compte ni mot de passe, et cette adresse s'ouvre à d'autres machines.",
    en="Beware: these pages have no account and no password, and this address is open to other machines.",
)


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
    check_free(chosen_host, chosen_port)
    if chosen_host not in ("127.0.0.1", "localhost", "::1"):
        click.echo(str(EXPOSED), err=True)
    place = f"http://{chosen_host}:{chosen_port}/"
    click.echo(str(Words(fr=f"Pages : {place} (Ctrl-C pour arrêter)", en=f"Pages: {place} (Ctrl-C to stop)")), err=True)
    serve(company, chosen_host, chosen_port, lambda: companies.open(folder))


def check_free(host: str, port: int) -> None:
    """Raise `ParcoursError` when the address cannot be listened on, before anything claims that pages are there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise ParcoursError(
                "address_taken",
                Words(
                    fr=f"L'adresse {host}:{port} ne peut pas être écoutée ({fault.strerror}).",
                    en=f"The address {host}:{port} cannot be listened on ({fault.strerror}).",
                ),
                Words(
                    fr="Arrêtez ce qui l'occupe, ou choisissez un autre port avec --port.",
                    en="Stop what holds it, or choose another port with --port.",
                ),
            ) from fault
