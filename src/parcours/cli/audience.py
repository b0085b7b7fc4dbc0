"""`parcours audience`: views by day, page, channel or touchpoint, of the space that needs no consent."""

from __future__ import annotations

import time
from pathlib import Path

import click

from parcours import company as companies
from parcours.charts.numbers import write_date
from parcours.cli.output import print_json, write_number
from parcours.words import Words, language

DAY_MS = 86_400_000


@click.command("audience")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--by", default="day", help="day, page, channel, touchpoint; several with commas.")
@click.option("--days", type=click.IntRange(min=1), default=30, help="How many days back.")
@click.option("--json", "as_json", is_flag=True, help="group, views, visitors.")
def command(folder: Path, by: str, days: int, as_json: bool) -> None:
    """Count the views of FOLDER that were measured apart, without anybody's name."""
    names = [name.strip() for name in by.split(",") if name.strip()]
    today = time.time_ns() // 1_000_000 // DAY_MS
    found = companies.open(folder).know.upkeep.audience(names, today - days + 1)
    if as_json:
        print_json(found)
        return
    for one in found:
        cells = [_write(name, one.group[name]) for name in names]
        told = Words(
            fr=f"{write_number(one.views)} vues, {write_number(one.visitors)} visiteurs",
            en=f"{write_number(one.views)} views, {write_number(one.visitors)} visitors",
        )
        click.echo(f"{'  '.join(cells)}  {told}")
    if not found:
        click.echo(str(Words(fr="Aucune vue n'a été mesurée.", en="No view has been measured.")))


def _write(name: str, value: str | int | None) -> str:
    if name == "day" and isinstance(value, int):
        return write_date(value * DAY_MS, language())
    return "–" if value is None else str(value)
