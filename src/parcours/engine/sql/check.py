"""What is checked when a step is defined: it can be read, says only what is allowed, and gives what it declares."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from parcours.engine.sql.allowed import CONSTRUCTS, FUNCTIONS, say_instead
from parcours.engine.sql.forms import Refused, judge_form
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.engine.sql.step import Step


def check(step: Step) -> None:
    """Check ``step`` as a whole.

    Raises:
        ParcoursError: Every fault at once: ``step_unreadable``, ``function_not_allowed``, ``table_not_declared``,
            ``parameter_without_sample`` or ``step_gives_other_columns``.
    """
    tree = parse(step.name, step.text)
    faults = [
        *_find_not_allowed(step, tree),
        *_find_undeclared(step, tree),
        *_find_unsampled(step, tree),
        *_find_other_columns(step, tree),
    ]
    if faults:
        raise ParcoursError.of(faults)


@functools.lru_cache(maxsize=4096)
def parse(name: str, text: str) -> exp.Select | exp.Union:
    """Return the tree of the one query in ``text``; callers copy it before they change it."""
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except SqlglotError as error:
        raise _fault_of_text(name, str(error).splitlines()[0]) from error
    if len(trees) != 1 or not isinstance(trees[0], (exp.Select, exp.Union)):
        raise _fault_of_text(name, "one select, please")
    return trees[0]


def projections(tree: exp.Expr) -> list[exp.Expr]:
    """Return the output columns of ``tree``, those of the first branch of a union."""
    while isinstance(tree, exp.Union):
        tree = tree.this
    return list(tree.selects) if isinstance(tree, exp.Select) else []


def _fault_of_text(name: str, reason: str) -> ParcoursError:
    return ParcoursError(
        "step_unreadable",
        Words(
            fr=f"Le texte de l'étape « {name} » ne se lit pas : {reason}",
            en=f"The text of step “{name}” cannot be read: {reason}",
        ),
        Words(fr="Écrivez une seule requête select.", en="Write exactly one select query."),
    )


def _find_not_allowed(step: Step, tree: exp.Expr) -> Iterator[Fault]:
    refused = dict.fromkeys(found for found in map(_judge, tree.walk()) if found is not None)
    for each in refused:
        yield Fault(
            "function_not_allowed",
            Words(
                fr=f"L'étape « {step.name} » emploie {each.what}, qui n'a pas le même sens sur tous les moteurs.",
                en=f"Step “{step.name}” uses {each.what}, which does not mean the same on every engine.",
            ),
            each.instead,
        )


def _judge(node: exp.Expr) -> Refused | None:
    if isinstance(node, exp.Anonymous) or type(node) in CONSTRUCTS or type(node) in FUNCTIONS:
        return judge_form(node)
    name = type(node).__name__
    return Refused(node.sql_name().lower() if isinstance(node, exp.Func) else name.lower(), say_instead(name))


def _find_undeclared(step: Step, tree: exp.Expr) -> Iterator[Fault]:
    known = {*step.reads, *(earlier.name for earlier in step.after)}
    known |= {cte.alias for cte in tree.find_all(exp.CTE)}
    for name in sorted({table.sql("duckdb", comments=False) for table in _tables(tree)} - known):
        yield Fault(
            "table_not_declared",
            Words(
                fr=f"L'étape « {step.name} » lit « {name} » sans le déclarer.",
                en=f"Step “{step.name}” reads “{name}” without declaring it.",
            ),
            Words(
                fr="Ajoutez la table à reads, ou l'étape à after.",
                en="Add the table to reads, or the step to after.",
            ),
        )


def _tables(tree: exp.Expr) -> Iterator[exp.Table]:
    for table in tree.find_all(exp.Table):
        bare = table.copy()
        bare.set("alias", None)
        bare.set("joins", None)
        yield bare


def _find_unsampled(step: Step, tree: exp.Expr) -> Iterator[Fault]:
    for name in sorted({str(node.this) for node in tree.find_all(exp.Placeholder)} - set(step.sample)):
        yield Fault(
            "parameter_without_sample",
            Words(
                fr=f"L'étape « {step.name} » ne donne pas d'exemple pour ${name}.",
                en=f"Step “{step.name}” gives no sample for ${name}.",
            ),
            Words(
                fr=f"Ajoutez sample={{'{name}': …}} ; la suite de contrat s'en sert.",
                en=f"Add sample={{'{name}': …}}; the contract suite runs with it.",
            ),
        )


def _find_other_columns(step: Step, tree: exp.Expr) -> Iterator[Fault]:
    given = [projection.alias_or_name for projection in projections(tree)]
    if given != list(step.gives):
        yield Fault(
            "step_gives_other_columns",
            Words(
                fr=f"L'étape « {step.name} » donne {', '.join(given)} mais déclare {', '.join(step.gives)}.",
                en=f"Step “{step.name}” gives {', '.join(given)} but declares {', '.join(step.gives)}.",
            ),
            Words(
                fr="Nommez chaque colonne du select le plus extérieur, dans l'ordre de gives (pas d'étoile).",
                en="Name each column of the outermost select, in the order of gives (no star).",
            ),
        )
