"""`parcours people`: who may sign in to the pages, in which role, and the addresses and tokens that open them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from parcours import company as companies
from parcours.cli.output import print_json
from parcours.collect import find_pages
from parcours.company import Company
from parcours.know import LOCAL, Access, Person, check_scope, name_actor, tell_scope
from parcours.words import Words

DAY_MS = 86_400_000
ACTOR = "cli"
NOT_SERVED = Words(
    fr="Aucun parcours serve ne montre ces pages en ce moment : port des réglages ; --port en donne un autre.",
    en="No parcours serve shows these pages at this moment: the port is that of the settings; --port gives another.",
)
ACTIONS = ("add", "list", "role", "remove", "password", "link", "token")


@click.command("people")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("login", required=False)
@click.option("--role", default=None, help="cco, cmo, cem, csm, dpo, sales, finance or it; it manages people and keys.")
@click.option("--own", multiple=True, help="What is theirs alone: a team, or an account as GROUP:LABEL. Repeat it.")
@click.option("--password/--no-password", "asked", default=True, help="Ask for a password; a provider may do without.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, 366), help="How long a token holds.")
@click.option("--port", default=None, type=click.IntRange(1, 65_535), help="Of the pages that a link opens.")
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    action: str,
    login: str | None,
    role: str | None,
    own: tuple[str, ...],
    asked: bool,
    days: int,
    port: int | None,
    as_json: bool,
) -> None:
    """Say who may sign in to FOLDER's pages: add, list, role, remove, password, link (opens once), token (a program).

    A password is asked for, or read from stdin when it is no terminal; it never stands on the command line.
    """
    company = companies.open(folder)
    settings = company.settings
    access = Access(folder, settings)
    if action == "list":
        print_people(access.staff.all(), as_json)
        return
    if action == "link":
        print_link(access, company, login, port, as_json)
        return
    if login is None or (action in ("add", "role") and role is None):
        raise click.UsageError(f"people {folder} {action} LOGIN{' --role ROLE' if action in ('add', 'role') else ''}")
    if action in ("add", "role"):
        check_scope(str(role), own, company.blueprint)
        if (told_scope := tell_scope(str(role), own)) is not None:
            click.echo(str(told_scope), err=True)
    if action == "add":
        password = read_password() if asked else None
        told = access.add(ACTOR, login, str(role), own, password, _now_ms())
        say(Words(fr=f"Ajouté : {told.login} ({told.role}).", en=f"Added: {told.login} ({told.role})."), told, as_json)
        return
    person = access.staff.named(login)
    if action == "token":
        print_token(access, person, days, as_json)
    elif action == "role":
        told = access.change(ACTOR, person.person_id, str(role), own, person.version)
        done = Words(fr=f"{told.login} a le rôle {told.role}.", en=f"{told.login} now has the role {told.role}.")
        say(done, told, as_json)
    elif action == "remove":
        access.remove(ACTOR, person.person_id, person.version)
        say(Words(fr=f"Retiré : {person.login}.", en=f"Removed: {person.login}."), person, as_json)
    else:
        access.set_password(ACTOR, person.person_id, read_password())
        done = Words(fr=f"Nouveau mot de passe pour {person.login}.", en=f"{person.login} has a new password.")
        say(done, person, as_json)


def read_password() -> str:
    """Return a password: asked for twice at a terminal, else the first line of stdin."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    prompt = Words(fr="Mot de passe (12 caractères ou plus)", en="Password (12 characters or more)")
    return str(click.prompt(str(prompt), hide_input=True, confirmation_prompt=True, err=True))


def print_people(people: list[Person], as_json: bool) -> None:
    """Print everybody by login."""
    if as_json:
        print_json([describe(one) for one in people])
        return
    for one in people:
        last = time.strftime("%Y-%m-%d", time.gmtime(one.signed_in_ms / 1000)) if one.signed_in_ms else "–"
        way = Words(fr="mot de passe", en="password") if one.has_password else Words(fr="fournisseur", en="provider")
        own = f"  {', '.join(one.scope)}" if one.scope else ""
        click.echo(f"{one.login}  {one.role}  {way}  {last}{own}")


def print_link(access: Access, company: Company, login: str | None, port: int | None, as_json: bool) -> None:
    """Print an address that opens the pages once: as whoever is at this machine, or as somebody who has a login."""
    person = LOCAL if login is None else access.staff.named(login)
    serve = company.settings.serve
    asked = f"http://{serve.host}:{port}" if port is not None else ""
    place = serve.public_url.rstrip("/") or asked or find_pages(company.folder)
    if not place:
        place = f"http://{serve.host}:{serve.port}"
        click.echo(str(NOT_SERVED), err=True)
    address = f"{place}/open?token={access.sessions.make_link(person, _now_ms())}"
    access.audit.note(ACTOR, "manage_people", "person", name_actor(person.person_id), "done", "opening link")
    if as_json:
        print_json({"address": address})
        return
    click.echo(address)
    once = Words(
        fr="Elle ouvre les pages une fois, d'ici 15 minutes.", en="It opens the pages once, within 15 minutes."
    )
    click.echo(str(once), err=True)


def print_token(access: Access, person: Person, days: int, as_json: bool) -> None:
    """Print the token with which a program asks as ``person``."""
    token = access.sessions.begin(person, "token", _now_ms(), days * DAY_MS)
    access.audit.note(ACTOR, "manage_people", "person", name_actor(person.person_id), "done", f"token for {days} days")
    if as_json:
        print_json({"login": person.login, "token": token})
        return
    click.echo(token)
    kept = Words(
        fr="Notez ce jeton : il n'est gardé nulle part. À envoyer dans Authorization: Bearer.",
        en="Note this token: it is kept nowhere. Send it as Authorization: Bearer.",
    )
    click.echo(str(kept), err=True)


def say(done: Words, person: Person, as_json: bool) -> None:
    """Say what was done, or print whom it was done to."""
    if as_json:
        print_json(describe(person))
    else:
        click.echo(str(done))


def describe(person: Person) -> dict[str, object]:
    """Return a person as JSON: nothing of their password but whether there is one."""
    names = ("person_id", "login", "role", "scope", "has_password", "made_ms", "signed_in_ms")
    return {name: getattr(person, name) for name in names}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
