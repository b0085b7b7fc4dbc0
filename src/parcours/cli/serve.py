"""`parcours serve`: collection, what it means, and the pages, on this machine."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

import click

from parcours import company as companies
from parcours.errors import ParcoursError
from parcours.words import Words

EXPOSED = Words(
    fr="Attention : ces pages n'ont ni compte ni mot de passe, et cette adresse s'ouvre à d'autres machines.",
    en="Beware: these pages have no account and no password, and this address is open to other machines.",
)
READ_BACK_VARIABLE = "PARCOURS_READ_BACK_TOKEN"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.command("serve")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--host", default=None, help="127.0.0.1 unless parcours.toml or this option says otherwise.")
@click.option("--port", default=None, type=click.IntRange(0, 65_535), help="Of the pages; 0 for a free one.")
@click.option("--collect-host", default=None, help="Where collection listens; 127.0.0.1 unless said otherwise.")
@click.option("--collect-port", default=None, type=click.IntRange(0, 65_535), help="Of collection; 0 for a free one.")
@click.option("--read-back", is_flag=True, help="Let `conform --read-back` read what was accepted, with a token.")
@click.option("--collect/--no-collect", "collected", default=True, show_default=True, help="The pages alone.")
def command(
    folder: Path,
    host: str | None,
    port: int | None,
    collect_host: str | None,
    collect_port: int | None,
    read_back: bool,
    collected: bool,
) -> None:
    """Collect events for FOLDER, keep it up to date, and open its pages, until Ctrl-C."""
    serve_folder(folder, host, port, collect_host, collect_port, collected, read_back=read_back)


def serve_folder(
    folder: Path,
    host: str | None = None,
    port: int | None = None,
    collect_host: str | None = None,
    collect_port: int | None = None,
    collected: bool = True,
    visitors: int = 0,
    read_back: bool = False,
) -> None:
    """Serve the pages and collection; say where on stderr. With ``visitors`` so many simulated customers come by."""
    from parcours.serving.run import serve

    company = companies.open(folder, follow=collected)
    chosen_host = host or company.settings.serve.host
    chosen_port = find_port(chosen_host, company.settings.serve.port if port is None else port)
    if chosen_host not in LOOPBACK:
        click.echo(str(EXPOSED), err=True)
    place = f"http://{chosen_host}:{chosen_port}/"
    click.echo(str(Words(fr=f"Pages : {place} (Ctrl-C pour arrêter)", en=f"Pages: {place} (Ctrl-C to stop)")), err=True)
    if not collected:
        serve(company, chosen_host, chosen_port, None)
        return
    settings = company.settings.collect
    there = collect_host or settings.host
    number = find_port(there, settings.port if collect_port is None else collect_port)
    click.echo(
        str(
            Words(
                fr=f"Collecte : http://{there}:{number}/ (clés d'écriture : parcours key {folder} add SOURCE)",
                en=f"Collection: http://{there}:{number}/ (write keys: parcours key {folder} add SOURCE)",
            )
        ),
        err=True,
    )
    token = ""
    if read_back:
        token = os.environ.get(READ_BACK_VARIABLE) or secrets.token_urlsafe(24)
        told = f"parcours conform http://{there}:{number} --read-back {place}read-back --read-back-token {token}"
        click.echo(told, err=True)
    serve(company, chosen_host, chosen_port, (there, number), visitors, token)


def find_port(host: str, port: int) -> int:
    """Return the port to listen on: a free one for 0.

    Raises:
        ParcoursError: ``address_taken``, before anything claims that something is there.
    """
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
                    fr="Arrêtez ce qui l'occupe, ou choisissez un autre port avec --port ou --collect-port.",
                    en="Stop what holds it, or choose another port with --port or --collect-port.",
                ),
            ) from fault
        return int(probe.getsockname()[1])
