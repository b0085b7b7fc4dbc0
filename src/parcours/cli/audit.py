"""`parcours audit`: what was done to customers' data, and the roots by which others can hold the log to its word."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from parcours import company as companies
from parcours.cli.output import print_json
from parcours.know import Audit, DayRoot, Entry
from parcours.words import Words

DAY_S = 86_400
NO_ROOTS = Words(
    fr="ce fichier n'a pas de racines comme en écrit parcours audit DIR root DAY --json, une par ligne ou une seule",
    en="this file holds no roots as parcours audit DIR root DAY --json writes them, one a line or one alone",
)
NOT_WHOLE = Words(
    fr="ATTENTION : ce journal a été modifié en dehors de Parcours. parcours verify le lit en entier et dit où.",
    en="BEWARE: this log was changed by other means than Parcours. parcours verify reads all of it and says where.",
)


@click.command("audit")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("what", type=click.Choice(["list", "root", "held"]), default="list")
@click.argument("which", required=False)
@click.option("--since", default=None, help="With root: an earlier day; also prove that the log only grew since.")
@click.option("--actor", default=None)
@click.option("--action", default=None)
@click.option("--thing", default=None)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    what: str,
    which: str | None,
    since: str | None,
    actor: str | None,
    action: str | None,
    thing: str | None,
    limit: int,
    as_json: bool,
) -> int:
    """List the audit log of FOLDER; print its root of a DAY (root DAY); compare with roots in a file (held FILE)."""
    company = companies.open(folder)
    audit = company.know.audit
    if what == "list":
        entries = audit.read(actor=actor, action=action, thing=thing, limit=limit)
        _print_entries(entries, as_json, company.settings.time_zone)
        if not audit.is_whole():
            click.echo(str(NOT_WHOLE), err=True)
        return 0
    if which is None:
        raise click.UsageError(f"audit {folder} root DAY | audit {folder} held FILE")
    if what == "held":
        return _compare(audit, Path(which), as_json)
    told = describe_root(audit, audit.root(_read_day(which)), audit.root(_read_day(since)) if since else None)
    if as_json:
        print_json(told)
    else:
        click.echo("  ".join(str(told[name]) for name in ("day", "entries", "root")))
    return 0


def describe_root(audit: Audit, root: DayRoot, since: DayRoot | None) -> dict[str, Any]:
    """Return a root as it is handed to somebody outside, with the proof that the log only grew since an earlier one."""
    told: dict[str, Any] = {
        "day": _write_day(root.day),
        "entries": root.entries,
        "root": root.root.hex(),
        "closed": root.closed,
    }
    if since is not None:
        path = audit.prove_consistency(since.entries, root.entries)
        told["since"] = {"day": _write_day(since.day), "entries": since.entries, "root": since.root.hex()}
        told["proof"] = [step.hex() for step in path]
    return told


def _print_entries(entries: Sequence[Entry], as_json: bool, zone: str) -> None:
    if as_json:
        print_json(entries)
        return
    if not entries:
        click.echo(str(Words(fr="Rien de tel n'est noté.", en="Nothing of the kind is noted.")))
    for entry in reversed(entries):
        at = datetime.fromtimestamp(entry.at_ms / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S %z")
        told = (entry.actor, entry.action, entry.thing_kind, entry.thing, entry.outcome, entry.reason)
        click.echo(f"{entry.entry_no}  {at}  {'  '.join(part for part in told if part)}")


def _compare(audit: Audit, path: Path, as_json: bool) -> int:
    """Say of each root in a file of JSON values, one a line or one alone, whether the log still has it."""
    roots = [(one, audit.holds(one.entries, root)) for one, root in _read_held(path)]
    if as_json:
        print_json([{"day": one.day, "entries": one.entries, "holds": holds} for one, holds in roots])
    else:
        kept = Words(fr="le journal d'audit a toujours cette racine", en="the audit log still has this root")
        lost = Words(
            fr="LE JOURNAL D'AUDIT N'A PLUS CETTE RACINE : il a été changé depuis",
            en="THE AUDIT LOG DOES NOT HAVE THIS ROOT: it has been changed since",
        )
        for one, holds in roots:
            click.echo(f"{one.day}  {one.entries}  {kept if holds else lost}")
    return 0 if all(holds for _, holds in roots) else 1


def _read_held(path: Path) -> list[tuple[_Held, bytes]]:
    """Return the roots of a file, each with its bytes; a fault of use where it cannot be read or holds none."""
    try:
        text = path.read_bytes()
    except OSError as fault:
        told = Words(fr="ce fichier ne peut pas être lu", en="this file cannot be read")
        raise click.UsageError(f"{path}: {told} ({fault.strerror})") from fault
    try:
        try:
            held = [msgspec.json.decode(text, type=_Held)]
        except msgspec.DecodeError:
            held = [msgspec.json.decode(line, type=_Held) for line in text.splitlines() if line.strip()]
        found = [(one, bytes.fromhex(one.root)) for one in held]
    except ValueError as fault:
        raise click.UsageError(f"{path}: {NO_ROOTS}") from fault
    if not found:
        raise click.UsageError(f"{path}: {NO_ROOTS}")
    return found


class _Held(msgspec.Struct):
    day: str
    entries: int
    root: str


def _read_day(text: str) -> int:
    try:
        return (date.fromisoformat(text) - date(1970, 1, 1)).days
    except ValueError as fault:
        raise click.UsageError(f"{text}: {Words(fr='un jour s’écrit AAAA-MM-JJ', en='a day is YYYY-MM-DD')}") from fault


def _write_day(day: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(day * DAY_S))
