"""`parcours retention`: the receipts of what time took out of the parts and the vault."""

from __future__ import annotations

from pathlib import Path

import click

from parcours import company as companies
from parcours.charts.numbers import write_date
from parcours.cli.output import print_json, write_number
from parcours.words import Words, language


@click.command("retention")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Every receipt, with the digests of the files before and after.")
def command(folder: Path, as_json: bool) -> None:
    """List what FOLDER did not keep any longer: what, how many, until when, in which files."""
    company = companies.open(folder)
    receipts = company.know.upkeep.receipts()
    if as_json:
        print_json(receipts)
        return
    if not receipts:
        click.echo(str(NOTHING))
    for one in receipts:
        day, until = (write_date(at_ms, language()) for at_ms in (one.at_ms, one.until_ms))
        counts = [write_number(count) for count in (one.rows, one.texts, one.field_values, one.identifiers)]
        purposes = "; ".join(f"{ids or '–'}: {write_number(count)}" for ids, count in sorted(one.purposes.items()))
        told = Words(
            fr=f"n° {one.receipt_no}, le {day} : {counts[0]} événements jusqu'au {until}, {counts[1]} textes, "
            f"{counts[2]} valeurs, {counts[3]} identifiants ; {len(one.before)} fichiers récrits ({purposes})",
            en=f"no. {one.receipt_no}, {day}: {counts[0]} events up to {until}, {counts[1]} texts, {counts[2]} values, "
            f"{counts[3]} identifiers; {len(one.before)} files rewritten ({purposes})",
        )
        click.echo(str(told))


NOTHING = Words(fr="Rien n'a encore dépassé sa durée de conservation.", en="Nothing has passed its retention yet.")
