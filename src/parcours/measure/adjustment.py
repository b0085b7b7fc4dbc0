"""What must be held equal, by the blueprint's arrows, before an operation's effect on a touchpoint can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from parcours.blueprint.records import Blueprint

Arrows = Mapping[str, Sequence[str]]


def parents_of(blueprint: Blueprint) -> dict[str, tuple[str, ...]]:
    """Return each operation's parents: the operations that it follows, in the blueprint's order."""
    return {operation.id: operation.follows for operation in blueprint.operations}


def supporters_of(blueprint: Blueprint, touchpoint: str) -> tuple[str, ...]:
    """Return the operations with an arrow straight to ``touchpoint``, in the blueprint's order."""
    return tuple(operation.id for operation in blueprint.operations if touchpoint in operation.supports)


def trace_ancestors(starts: Sequence[str], parents: Arrows) -> set[str]:
    """Return ``starts`` and every operation with a path of arrows into one of them; unknown ids are left out."""
    found: set[str] = set()
    waiting = [start for start in starts if start in parents]
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting.extend(parent for parent in parents[operation] if parent in parents)
    return found


def find_reaching(parents: Arrows, supporters: Sequence[str]) -> tuple[str, ...]:
    """Return the operations that reach a touchpoint, straight or through operations they feed, in given order."""
    reached = trace_ancestors(supporters, parents)
    return tuple(operation for operation in parents if operation in reached)


def choose_controls(operation: str, parents: Arrows, supporters: Sequence[str]) -> tuple[str, ...]:
    """Return what to hold equal for the total effect of ``operation`` on a touchpoint.

    The parents of the operation, which cut every back door, with the parents of every step between the operation
    and the touchpoint that are not themselves moved by the operation (the O-set, the valid set with the smallest
    asymptotic variance). Nothing that the operation moves is ever held equal.

    Args:
        operation: the operation whose total effect is wanted.
        parents: each operation's parents; a graph without a cycle.
        supporters: the operations with an arrow straight to the touchpoint.

    Returns:
        Operations in the order of ``parents``; empty when nothing needs holding.

    Source: Henckel, Perković & Maathuis 2022, Journal of the Royal Statistical Society B 84(2), definition 3.4.
    """
    moved = {other for other in parents if operation in trace_ancestors([other], parents)}
    between = moved & trace_ancestors(supporters, parents) - {operation}
    held = {parent for parent in parents[operation] if parent in parents} | set(supporters)
    for step in between:
        held.update(parent for parent in parents[step] if parent in parents)
    return tuple(other for other in parents if other in held - moved)
