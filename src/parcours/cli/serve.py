"""`parcours serve`: collection, what it means, and the pages, on this machine."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import click

from parcours import company as companies
from parcours.collect import pages_told
from parcours.know import LOCAL, Access
from parcours.words import Words

Invite = Callable[[companies.Company, int], "subprocess.Popen[bytes] | None"]
EXPOSED = Words(
    fr="Attention : cette adresse s'ouvre à d'autres machines, en clair. Mettez devant elle un proxy TLS, et l'adresse "
    "https de ce proxy sous [serve] public_url.",
    en="Beware: this address is open to other machines, in the clear. Put a proxy with TLS before it, and its https "
    "address under [serve] public_url.",
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
    invite: Invite | None = None,
    read_back: bool = False,
) -> None:
    """Serve the pages and collection; say where on stderr. ``invite`` starts whoever sends events."""
    from parcours.serving import run as serving

    company = companies.open(folder, follow=collected)
    chosen_host = host or company.settings.serve.host
    access = Access(folder, company.settings)
    is_local = chosen_host in LOOPBACK and not company.settings.serve.public_url
    if not is_local:
        access.check_administrator()
    chosen_port = find_port(chosen_host, company.settings.serve.port if port is None else port)
    settings = company.settings.collect
    there = collect_host or settings.host
    collect = (there, settings.port if collect_port is None else collect_port) if collected else None
    token = (os.environ.get(READ_BACK_VARIABLE) or secrets.token_urlsafe(24)) if read_back and collected else ""

    def announce(number: int | None) -> None:
        # Made now, for it holds for minutes alone.
        link = access.sessions.make_link(LOCAL, time.time_ns() // 1_000_000) if is_local else ""
        access.close()
        say_where(folder, (chosen_host, chosen_port), link, None if number is None else (there, number), token)

    with pages_told(folder, f"http://{chosen_host}:{chosen_port}"):
        serving.serve(company, chosen_host, chosen_port, collect, invite, token, announce)


def say_where(folder: Path, pages: tuple[str, int], link: str, collection: tuple[str, int] | None, token: str) -> None:
    """Say on stderr where things are, once they are there; ``link`` opens the pages once without a password."""
    if pages[0] not in LOOPBACK:
        click.echo(str(EXPOSED), err=True)
    place = f"http://{pages[0]}:{pages[1]}/"
    click.echo(str(Words(fr=f"Pages : {place} (Ctrl-C pour arrêter)", en=f"Pages: {place} (Ctrl-C to stop)")), err=True)
    if collection is not None:
        say_collection(folder, f"http://{collection[0]}:{collection[1]}", place, token)
    if link:
        once = Words(fr="Pour entrer, une fois, d'ici 15 minutes :", en="To come in, once, within 15 minutes:")
        click.echo(f"{once} {place}open?token={link}", err=True)


def say_collection(folder: Path, collect: str, pages: str, token: str) -> None:
    """Say on stderr where events are taken, and with ``token`` how to read back what was."""
    keys = f"parcours key {folder} add SOURCE"
    told = Words(
        fr=f"Collecte : {collect}/ (clés d'écriture : {keys})", en=f"Collection: {collect}/ (write keys: {keys})"
    )
    click.echo(str(told), err=True)
    if token:
        click.echo(f"parcours conform {collect} --read-back {pages}read-back --read-back-token {token}", err=True)


def find_port(host: str, port: int) -> int:
    """Return the port to listen on: a free one for 0.

    Raises:
        ParcoursError: ``address_taken``, before anything claims that something is there.
    """
    from parcours.serving.supervisor import address_taken

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            raise address_taken(host, port, fault) from fault
        return int(probe.getsockname()[1])
