"""`parcours audit`: what was done to customers' data, and the roots by which others can hold the log to its word."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import click
import msgspec

from parcours import company as companies
from parcours.cli.output import print_json
from parcours.know import Audit, DayRoot
from parcours.words import Words

DAY_S = 86_400


@click.command("audit")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("what", type=click.Choice(["list", "root", "held"]), default="list")
@click.argument("which", required=False)
@click.option("--since", default=None, help="With root: an earlier day; also prove that the log only grew since.")
@click.option("--actor", default=None)
@click.option("--action", default=None)
@click.option("--thing", default=None)
@click.option("--limit", default=100, show_default=True)
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
    audit = companies.open(folder).know.audit
    if what == "list":
        _print_entries(audit, as_json, actor=actor, action=action, thing=thing, limit=limit)
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


def _print_entries(audit: Audit, as_json: bool, **asked: Any) -> None:
    entries = audit.read(**asked)
    if as_json:
        print_json(entries)
        return
    for entry in reversed(entries):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(entry.at_ms / 1000))
        told = (entry.actor, entry.action, entry.thing_kind, entry.thing, entry.outcome, entry.reason)
        click.echo(f"{entry.entry_no}  {at}  {'  '.join(part for part in told if part)}")


def _compare(audit: Audit, path: Path, as_json: bool) -> int:
    """Say of each root in a file of JSON values, one a line or one alone, whether the log still has it."""
    try:
        text = path.read_bytes()
        try:
            held = [msgspec.json.decode(text, type=_Held)]
        except msgspec.DecodeError:
            held = [msgspec.json.decode(line, type=_Held) for line in text.splitlines() if line.strip()]
        roots = [(one, audit.holds(one.entries, bytes.fromhex(one.root))) for one in held]
    except (OSError, ValueError) as fault:
        raise click.UsageError(f"{path}: {fault}") from fault
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
