"""How an allowed construct may not be used: the forms whose meaning engines do not share."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from sqlglot import exp

from parcours.engine.sql.allowed import TYPES, say_instead
from parcours.engine.sql.macros import AGGREGATES, MACROS
from parcours.words import Words

_ORDERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead)


class Refused(msgspec.Struct, frozen=True):
    """A form that is refused: how it reads, and what to write in its place."""

    what: str
    instead: Words


def judge_form(node: exp.Expr) -> Refused | None:
    """Return why ``node`` is refused in the form that it has, or None."""
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            refused = rule(node)
            if refused is not None:
                return refused
    return None


def _refuse(what: str, fr: str, en: str) -> Refused:
    return Refused(what, Words(fr=fr, en=en))


def _judge_macro(node: exp.Expr) -> Refused | None:
    name = node.name.lower()
    macro = MACROS.get(name)
    if macro is None:
        return Refused(name, say_instead(name))
    if len(node.expressions) != len(macro.arguments):
        form = f"{name}({', '.join(macro.arguments)})"
        return _refuse(f"{name}(…)", f"La macro s'écrit {form}.", f"The macro is written {form}.")
    if name in AGGREGATES and isinstance(node.parent, (exp.Window, exp.Filter)):
        return _refuse(
            f"{name} over / filter",
            "Employez group by, et case à l'intérieur de la macro.",
            "Use group by, and case inside the macro.",
        )
    return None


def _judge_union(node: exp.Expr) -> Refused | None:
    if node.args.get("distinct") or node.args.get("by_name"):
        return Refused("union", say_instead("Except"))
    return None


def _judge_limit(node: exp.Expr) -> Refused | None:
    if (node.args.get("limit") or node.args.get("offset")) and not node.args.get("order"):
        return _refuse("limit", "Ajoutez un order by total.", "Add a total order by.")
    return None


def _judge_cast(node: exp.Expr) -> Refused | None:
    if not isinstance(node, exp.Cast) or node.to.this.value in TYPES:
        return None
    return _refuse(
        f"cast as {node.to.sql('duckdb').lower()}",
        "Employez bigint, integer, smallint, double, varchar ou boolean.",
        "Use bigint, integer, smallint, double, varchar or boolean.",
    )


def _judge_join(node: exp.Expr) -> Refused | None:
    if not isinstance(node, exp.Join):
        return None
    if node.side in ("RIGHT", "FULL") or node.kind in ("SEMI", "ANTI") or node.method:
        what = " ".join(part for part in (node.method, node.side, node.kind, "join") if part).lower()
        return _refuse(what, "Employez join, left join ou exists.", "Use join, left join or exists.")
    on = node.args.get("on")
    if node.side == "LEFT" and on is not None and not _has_equality(on):
        return _refuse(
            "left join without =",
            "Ajoutez une égalité à la condition on.",
            "Add an equality to the condition on.",
        )
    return None


def _has_equality(condition: exp.Expr) -> bool:
    parts = condition.flatten() if isinstance(condition, exp.And) else [condition]
    return any(isinstance(part.unnest(), exp.EQ) for part in parts)


def _judge_neighbour(node: exp.Expr) -> Refused | None:
    if node.args.get("default"):
        return _refuse("lag / lead (x, n, default)", "Employez coalesce.", "Use coalesce.")
    return None


def _judge_window(node: exp.Expr) -> Refused | None:
    if isinstance(node.this, exp.Identifier) or node.args.get("alias"):
        return _refuse("window w as (…)", "Écrivez la fenêtre dans over.", "Write the window inside over.")
    if isinstance(node.this, _ORDERED) and not node.args.get("order"):
        return _refuse(
            f"{node.this.sql('duckdb').lower()} over ()",
            "Ajoutez un order by total dans over.",
            "Add a total order by inside over.",
        )
    if isinstance(node.this, exp.Count) and isinstance(node.this.this, exp.Distinct):
        return _refuse("count(distinct x) over", "Employez group by, puis join.", "Use group by, then join.")
    return None


def _judge_frame(node: exp.Expr) -> Refused | None:
    if str(node.args.get("kind") or "").upper() == "GROUPS" or node.args.get("exclude"):
        return _refuse("groups / exclude", "Employez rows.", "Use rows.")
    offsets = [side for side in ("start", "end") if isinstance(node.args.get(side), exp.Expr)]
    if str(node.args.get("kind") or "").upper() == "RANGE" and offsets:
        return _refuse(
            "range n preceding",
            "Joignez la table à elle-même avec between.",
            "Join the table with itself by between.",
        )
    return None


def _judge_distinct(node: exp.Expr) -> Refused | None:
    if node.args.get("on") or (isinstance(node.parent, exp.Func) and not isinstance(node.parent, exp.Count)):
        return _refuse(
            "distinct on / sum(distinct x)",
            "Employez row_number, ou une sous-requête distinct.",
            "Use row_number, or a distinct subquery.",
        )
    if isinstance(node.parent, exp.Count) and len(node.expressions) != 1:
        return _refuse("count(distinct a, b)", "Comptez une sous-requête distinct.", "Count a distinct subquery.")
    return None


def _judge_in(node: exp.Expr) -> Refused | None:
    """Refuse a subquery whose nulls would show: engines agree on what is true, not on what is unknown."""
    if not node.args.get("query"):
        return None
    above = node.parent
    while isinstance(above, (exp.And, exp.Or, exp.Paren)):
        above = above.parent
    if isinstance(above, exp.Where):
        return None
    return _refuse(
        "not in (select …)",
        "Employez not exists ; x in (select …) se tient seul dans where.",
        "Use not exists; x in (select …) stands by itself in where.",
    )


def _judge_is(node: exp.Expr) -> Refused | None:
    if not isinstance(node.args.get("expression"), exp.Null):
        return _refuse("is", "Employez is null, ou =.", "Use is null, or =.")
    return None


def _judge_star(node: exp.Expr) -> Refused | None:
    if any(node.args.get(name) for name in ("except_", "replace", "rename", "ilike")):
        return _refuse("* exclude / replace", "Nommez les colonnes.", "Name the columns.")
    select = node.parent
    if isinstance(select, exp.Select) and select.args.get("joins"):
        return _refuse("* over a join", "Écrivez a.*, ou nommez les colonnes.", "Write a.*, or name the columns.")
    return None


def _judge_group(node: exp.Expr) -> Refused | None:
    if node.args.get("all") or node.args.get("totals"):
        return _refuse("group by all", "Nommez les colonnes.", "Name the columns.")
    return None


def _judge_order(node: exp.Expr) -> Refused | None:
    """Refuse an expression over an output name: engines do not agree whether the name is the input's."""
    select = node.parent
    if not isinstance(select, exp.Select) or not isinstance(node, exp.Order):
        return None
    made = {item.alias for item in select.expressions if isinstance(item, exp.Alias) and item.this.name != item.alias}
    for term in node.expressions:
        inside = {column.name for column in term.find_all(exp.Column) if column is not term.this and not column.table}
        if made & inside:
            return _refuse(
                f"order by over {', '.join(sorted(made & inside))}",
                "Faites de ce terme une colonne, ou ordonnez une sous-requête.",
                "Make the term a column, or order a subquery.",
            )
    return None


def _judge_with(node: exp.Expr) -> Refused | None:
    return _refuse("with recursive", "Bouclez en Python.", "Loop in Python.") if node.args.get("recursive") else None


_RULES: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[[exp.Expr], Refused | None]], ...] = (
    (exp.Anonymous, _judge_macro),
    (exp.Union, _judge_union),
    ((exp.Select, exp.Union), _judge_limit),
    (exp.Cast, _judge_cast),
    (exp.Join, _judge_join),
    ((exp.Lag, exp.Lead), _judge_neighbour),
    (exp.Window, _judge_window),
    (exp.WindowSpec, _judge_frame),
    (exp.Distinct, _judge_distinct),
    (exp.In, _judge_in),
    (exp.Is, _judge_is),
    (exp.Star, _judge_star),
    (exp.Group, _judge_group),
    (exp.Order, _judge_order),
    (exp.With, _judge_with),
)
