"""`parcours show`: one measure as a table, or JSON on stdout."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from parcours import company as companies
from parcours.charts.labels import GRADES, STATES
from parcours.cli.output import print_json, print_result
from parcours.errors import ParcoursError
from parcours.know import ROLES, Caller, Role, tell_scope
from parcours.measure import measure_named
from parcours.measure.contract import Result
from parcours.words import Words


@click.command("show")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("measure")
@click.option("--by", default=None, help="Split: channel, stage, week, group:ID … (each measure lists its own).")
@click.option(
    "--purpose", default=None, help="Read rows for this purpose instead of the first that covers the measure."
)
@click.option("--as", "role", type=click.Choice(ROLES), default=None, help="What a role sees: groups, its own …")
@click.option("--own", multiple=True, help="With --as: a team (cem) or an account GROUP:LABEL (csm, sales) of theirs.")
@click.option("--json", "as_json", is_flag=True)
def command(
    folder: Path,
    measure: str,
    by: str | None,
    purpose: str | None,
    role: Role | None,
    own: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show MEASURE of FOLDER: experience, journey, transitions, funnel, causes, stakes, promises."""
    measure_named(measure)
    if own and not role:
        raise click.UsageError("--own: --as ROLE")
    company = companies.open(folder)
    result = see_as(company, Caller(0, role, own), measure, by) if role else company.result(measure, by, purpose)
    if as_json:
        body = {name: getattr(result, name) for name in result.__struct_fields__}
        body["columns"] = [msgspec.structs.asdict(column) for column in result.columns]
        print_json(body)
    else:
        print_result(result, {**GRADES, **STATES, **company.labels})


def see_as(company: companies.Company, caller: Caller, measure: str, by: str | None) -> Result:
    """Return what a role sees; to whoever asked for no ``--own`` where it takes one, that is the remedy."""
    try:
        return company.seen_by(caller, measure, by)
    except ParcoursError as fault:
        if fault.code != "not_permitted" or caller.scope or tell_scope(caller.role, ()) is None:
            raise
        remedy = Words(
            fr="Dites ce qui est à ce rôle : --own TEAM (cem), --own GROUP:LABEL (csm, sales).",
            en="Say what is that role's own: --own TEAM (cem), --own GROUP:LABEL (csm, sales).",
        )
        raise ParcoursError(fault.code, fault.faults[0].sentence, remedy) from None
