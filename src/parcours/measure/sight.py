"""What a person sees of a measure: all of it, their own part, groups alone, or counts alone, as the table says."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.errors import ParcoursError
from parcours.know import FEWEST, Action, Caller, Decision, Thing, decide
from parcours.measure.contract import Measure, Result
from parcours.measure.lattice import SAYS_WHAT, SEEN, Row, blank_row, hide_rows_at, suppress
from parcours.words import Words

NOT_YOURS = "not_yours"
"""What a row says that is about a touchpoint of another team."""
COUNTS = "counts"
"""What a row says of which counts alone are shown."""
VALUE = frozenset({"stakes"})
"""The measures of value and cost; all others are of experience."""

WITH_ANSWERS = frozenset({"promises", "stakes", "causes"})
"""The measures that count the same answers as `experience` by touchpoint: what that one hides, they hide too."""


def action_for(measure: str) -> Action:
    """Return what somebody does who looks at a measure."""
    return "see_value" if measure in VALUE else "see_results"


def decide_measure(caller: Caller, measure: str) -> Decision:
    """Return whether ``caller`` may look at a measure, and within which bounds."""
    return decide(caller, action_for(measure), Thing("measure", measure))


def list_offered(measure: Measure, blueprint: Blueprint, caller: Caller) -> tuple[str | None, ...]:
    """Return the splits of ``measure`` that ``caller`` is offered, ``None`` for the whole."""
    decision = decide_measure(caller, measure.name)
    if not decision.allowed or (decision.aggregate_only and not measure.counted):
        return ()
    splits = measure.lattice_for(blueprint) if decision.aggregate_only else measure.splits_for(blueprint)
    if decision.own and caller.role != "cem":
        return tuple(split for split in splits if split in _groups_of(caller))
    if decision.own:
        # A row that is nobody's touchpoint is nobody's own.
        kept = [split for split in splits if split in ("week", "month") or split.startswith("touchpoint,")]
        return (None, *kept)
    return (None, *splits)


def check_sight(measure: Measure, blueprint: Blueprint, caller: Caller, by: str | None) -> Decision:
    """Return the decision about a measure and one of its splits.

    Raises:
        ParcoursError: ``not_permitted`` says by which rule, and what would allow it.
    """
    decision = decide_measure(caller, measure.name)
    if not decision.allowed:
        raise ParcoursError("not_permitted", decision.rule, decision.remedy)
    if by not in list_offered(measure, blueprint, caller):
        raise _not_offered(measure, blueprint, caller)
    return decision


def see(result: Result, blueprint: Blueprint, caller: Caller, decision: Decision) -> Result:
    """Return the part of ``result`` that the caller's role lets them see; small groups are hidden already."""
    if decision.own:
        result = _keep_own(result, blueprint, caller)
    return _keep_counts(result) if decision.only == "counts" else result


def publish(
    measure: Measure, blueprint: Blueprint, ask: Callable[[str | None], Result], hidden: Collection[str]
) -> dict[str | None, Result]:
    """Return the results of the whole lattice of ``measure``, small groups hidden.

    Args:
        measure: The measure; it says which of its columns count customers.
        blueprint: The company's.
        ask: Answers it for a split.
        hidden: The touchpoints that `experience` hides: what rests on the same answers hides them too.
    """
    shown = suppress(measure, blueprint, {by: ask(by) for by in (None, *measure.lattice_for(blueprint))})
    if measure.name not in WITH_ANSWERS:
        return shown
    return {by: hide_rows_at(result, measure, hidden) for by, result in shown.items()}


def tell_day(result: Result, day: int) -> Result:
    """Return ``result`` with the day (since 1970, UTC) whose figures it shows until that day is over."""
    date = time.gmtime(day * 86_400)
    words = Words(
        fr=f"Chiffres arrêtés une fois, le {time.strftime('%d/%m/%Y', date)} (UTC), les mêmes toute la journée.",
        en=f"Figures settled once, on {time.strftime('%Y-%m-%d', date)} (UTC), the same all day.",
    )
    return msgspec.structs.replace(result, warnings=(*result.warnings, words))


def _keep_own(result: Result, blueprint: Blueprint, caller: Caller) -> Result:
    if caller.role == "cem":
        kept = _keep_touchpoints(result, blueprint, caller.scope)
    else:
        own = {account.partition(":")[2] for account in caller.scope if f"group:{account}".startswith(f"{result.by}:")}
        kept = [row for row in result.rows if row.get("group") in own]
    mine = [row for row in kept if row.get("seen") != NOT_YOURS]
    told = Words(
        fr=f"Vous voyez ce qui est à vous : {len(mine)} ligne(s) sur {len(result.rows)}.",
        en=f"You see what is yours: {len(mine)} of {len(result.rows)} rows.",
    )
    columns = result.columns if len(mine) == len(kept) or SEEN in result.columns else (*result.columns, SEEN)
    changes = {"rows": tuple(kept), "n": _count(mine), "columns": columns, "warnings": (told, *result.warnings)}
    return msgspec.structs.replace(result, **changes)


def _keep_touchpoints(result: Result, blueprint: Blueprint, teams: Collection[str]) -> list[Row]:
    """Return the rows of the touchpoints of ``teams``, and of their stages; the touchpoints of others are blank."""
    own = {touchpoint.id for touchpoint in blueprint.touchpoints if touchpoint.owner in teams}
    stages = {touchpoint.stage for touchpoint in blueprint.touchpoints if touchpoint.id in own}
    kept = []
    for row in result.rows:
        if "touchpoint" in row:
            mine = row["touchpoint"] in own
            kept.append(row | {"seen": None} if mine else blank_row(row, NOT_YOURS) | {"seen": NOT_YOURS})
        elif row.get("stage") in stages or {row.get("source"), row.get("target")} & own:
            kept.append(row)
    return kept


def _count(rows: list[Row]) -> int:
    """Return what is counted in these rows, in the unit of their count."""
    return sum(count for row in rows if isinstance(count := row.get("n", row.get("entered", row.get("count"))), int))


def _keep_counts(result: Result) -> Result:
    """Return how many of everything, and no other figure."""
    kept = SAYS_WHAT | {"state", "seen"} | {column.name for column in result.columns if column.kind == "count"}
    rows = tuple(
        {name: value if name in kept - {"rank"} else None for name, value in row.items()}
        | {"seen": row.get("seen") or COUNTS}
        for row in result.rows
    )
    told = Words(fr="Ce rôle voit les effectifs seulement.", en="This role sees counts alone.")
    return msgspec.structs.replace(result, rows=rows, warnings=(told, *result.warnings))


def _groups_of(caller: Caller) -> set[str]:
    """Return the splits by the groups in which accounts are the caller's own."""
    return {f"group:{account.partition(':')[0]}" for account in caller.scope}


def _not_offered(measure: Measure, blueprint: Blueprint, caller: Caller) -> ParcoursError:
    splits = list_offered(measure, blueprint, caller)
    offered = ", ".join(by or "–" for by in splits)
    if not splits and not measure.counted:
        return ParcoursError(
            "not_permitted",
            Words(
                fr=f"« {measure.name} » ne dit pas sur combien de clients porte chaque ligne : ce rôle, qui ne voit "
                f"que des groupes d'au moins {FEWEST}, ne la voit pas.",
                en=f"“{measure.name}” does not say how many customers each row is about: this role, which sees groups "
                f"of at least {FEWEST} alone, does not see it.",
            ),
            Words(fr="Un CEM la voit pour ce qui est à lui.", en="A CEM sees it for what is theirs."),
        )
    return ParcoursError(
        "not_permitted",
        Words(
            fr=f"Ce rôle ne voit pas « {measure.name} » ventilée ainsi.",
            en=f"This role does not see “{measure.name}” split so.",
        ),
        Words(
            fr=f"Ventilations ouvertes à ce rôle (– : sans ventilation) : {offered or 'aucune'}.",
            en=f"Splits open to this role (–: without one): {offered or 'none'}.",
        ),
    )
