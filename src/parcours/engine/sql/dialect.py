"""From the portable subset to one engine's SQL: macros, fixes and parameters, on an exactly pinned SQLGlot."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec
from sqlglot import exp

from parcours.engine.sql.allowed import NARROW
from parcours.engine.sql.check import check, parse, projections
from parcours.engine.sql.fixes import FIXES
from parcours.engine.sql.literals import write_literal
from parcours.engine.sql.macros import EngineName, expand_macros
from parcours.errors import ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.engine.sql.step import Kind, Step, Value

__all__ = ["EngineName", "Rendered", "check", "compile_step", "render"]

_MARK = "\x01"
_BARE = "="
"""Before the name of a parameter that must be a plain number, as in ``limit``."""
_MARKED = re.compile(f"{_MARK}(.*?){_MARK}")
_TYPES: dict[Kind, str] = {"int": "BIGINT", "float": "DOUBLE", "text": "TEXT", "bool": "BOOLEAN"}


class Rendered(msgspec.Struct, frozen=True):
    """One step in one engine's SQL: the CTEs before it, its own query, and where its parameters go."""

    tables: tuple[str, ...]
    ctes: tuple[str, ...]
    query: str

    def fill(self, tables: tuple[str, ...], parameters: Mapping[str, Value], engine: EngineName) -> str:
        """Return the whole statement, with ``tables`` as its first CTEs and ``parameters`` as literals."""
        ctes = (*tables, *self.ctes)
        text = f"WITH {', '.join(ctes)} {self.query}" if ctes else self.query
        return _MARKED.sub(lambda mark: _fill_mark(mark.group(1), parameters, engine), text)


_rendered: dict[tuple[object, ...], Rendered] = {}


def render(step: Step, engine: EngineName, parameters: Mapping[str, Value]) -> str:
    """Return the SQL of ``step`` on ``engine``, over tables that go by their own names."""
    return compile_step(step, engine, empty=find_empty(parameters)).fill((), parameters, engine)


def compile_step(
    step: Step, engine: EngineName, *, empty: frozenset[str] = frozenset(), typed: bool = False
) -> Rendered:
    """Return ``step`` for ``engine``, from memory when it has been asked before.

    ``empty`` names the list parameters without a value, whose ``in`` is false; ``typed`` casts each output column to
    its declared kind, as a file needs it.
    """
    key = (engine, empty, typed, *_identify(step))
    if key not in _rendered:
        _rendered[key] = _compile(step, engine, empty, typed)
    return _rendered[key]


def find_empty(parameters: Mapping[str, Value]) -> frozenset[str]:
    """Return the names of the parameters that are empty lists."""
    return frozenset(name for name, value in parameters.items() if value == ())


def _identify(step: Step) -> tuple[object, ...]:
    return (step.name, step.text, tuple(step.gives.items()), *(_identify(earlier) for earlier in step.after))


def list_steps(step: Step) -> list[Step]:
    """Return ``step`` and the steps that it comes after, each once, those it needs first."""
    found: dict[str, Step] = {}
    for earlier in step.after:
        found |= {each.name: each for each in list_steps(earlier)}
    found[step.name] = step
    return list(found.values())


def _compile(step: Step, engine: EngineName, empty: frozenset[str], typed: bool) -> Rendered:
    steps = list_steps(step)
    ctes: list[str] = []
    for earlier in steps[:-1]:
        ctes.append(f"{earlier.name} AS ({_translate(earlier, engine, empty).sql(engine)})")
    tree = _translate(step, engine, empty)
    if typed:
        _cast_columns(tree, step.gives)
    own = tree.args.get("with_")
    if own is not None:
        ctes += [cte.sql(engine) for cte in own.expressions]
        tree.set("with_", None)
    tables = dict.fromkeys(name for each in steps for name in each.reads)
    return Rendered(tuple(tables), tuple(ctes), tree.sql(engine))


def _translate(step: Step, engine: EngineName, empty: frozenset[str]) -> exp.Expr:
    tree: exp.Expr = parse(step.name, step.text).copy()
    _mark_parameters(tree, empty)
    for fix in FIXES[engine]:
        fix(tree)
    expand_macros(tree, engine)
    return tree


def _mark_parameters(tree: exp.Expr, empty: frozenset[str]) -> None:
    """Put a mark that no text can hold where each parameter's literal will stand."""
    for node in list(tree.find_all(exp.Placeholder)):
        name = str(node.this)
        parent = node.parent
        bare = _BARE if isinstance(parent, (exp.Limit, exp.Offset)) else ""
        mark = exp.Var(this=f"{_MARK}{bare}{name}{_MARK}")
        if not isinstance(parent, exp.In):
            node.replace(mark)
        elif name in empty:
            # SQL has no empty list, and `in (null)` would make `not in` true of nothing.
            parent.replace(exp.false())
        else:
            parent.set("field", None)
            parent.set("expressions", [mark])


def _fill_mark(mark: str, parameters: Mapping[str, Value], engine: EngineName) -> str:
    name = mark.removeprefix(_BARE)
    if name not in parameters:
        raise ParcoursError(
            "parameter_missing",
            Words(fr=f"Le paramètre ${name} n'a pas de valeur.", en=f"The parameter ${name} has no value."),
            Words(fr=f"Donnez {name}=… à run ou write.", en=f"Give {name}=… to run or write."),
        )
    if mark.startswith(_BARE):
        return str(int(parameters[name] or 0))  # type: ignore[arg-type]
    return write_literal(name, parameters[name], engine)


def _cast_columns(tree: exp.Expr, gives: Mapping[str, Kind]) -> None:
    if isinstance(tree, exp.Union):
        _cast_columns(tree.left, gives)
        _cast_columns(tree.right, gives)
        return
    for projection, (name, kind) in zip(list(tree.expressions), gives.items(), strict=True):
        value = projection.this if isinstance(projection, exp.Alias) else projection
        if isinstance(value, exp.Cast) and value.to.this.value in NARROW and kind == "int":
            continue
        cast = exp.Cast(this=value.copy(), to=exp.DataType.build(_TYPES[kind], dialect="duckdb"))
        projection.replace(exp.alias_(cast, name))


def find_narrow(step: Step) -> dict[str, str]:
    """Return the output columns that the outermost ``select`` casts to a narrow integer, with that type."""
    found: dict[str, str] = {}
    for projection in projections(parse(step.name, step.text)):
        value = projection.this if isinstance(projection, exp.Alias) else projection
        if isinstance(value, exp.Cast) and value.to.this.value in NARROW:
            found[projection.alias_or_name] = value.to.this.value
    return found
