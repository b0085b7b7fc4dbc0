"""Rules about the work behind the line: it is seen, it is measured in one way, and it reaches a touchpoint."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from parcours.blueprint.draft import Draft
from parcours.errors import Fault
from parcours.words import Words


def find_unseen_operations(draft: Draft) -> Iterator[Fault]:
    """An operation without an event: nothing could ever be measured of it."""
    for place, operation in draft.items("operations"):
        if draft.raw((*place, "events")) in (None, []):
            yield draft.error(
                "operation_without_event",
                place,
                Words(
                    f"Aucun événement ne montre que « {operation.id} » a lieu.",
                    f"No event shows that “{operation.id}” takes place.",
                ),
                Words("Ajoutez « events: [Nom de l'événement] ».", "Add “events: [Event Name]”."),
            )


def find_idle_operations(draft: Draft) -> Iterator[Fault]:
    """An operation that reaches no touchpoint, neither itself nor through the operations that follow it."""
    reached = _reaching(draft)
    for place, operation in draft.items("operations"):
        if operation.id and operation.id not in reached:
            yield draft.error(
                "operation_reaches_nothing",
                place,
                Words(
                    f"L'opération « {operation.id} » n'atteint aucun point de contact.",
                    f"The operation “{operation.id}” reaches no touchpoint.",
                ),
                Words(
                    "Ajoutez « supports: » et un point de contact, ou nommez-la dans « follows: » "
                    "d'une opération qui en soutient un.",
                    "Add “supports:” and a touchpoint, or name it in “follows:” of an operation that supports one.",
                ),
            )


def find_cycles(draft: Draft) -> Iterator[Fault]:
    """Operations that follow one another in a circle: no total effect is defined there."""
    follows = {item.id: item.follows for item in draft.blueprint.operations}
    places = {item.id: place for place, item in draft.items("operations")}
    for cycle in _cycles(follows):
        path = " → ".join((*cycle, cycle[0]))
        yield draft.error(
            "operations_in_cycle",
            (*places[cycle[0]], "follows"),
            Words(
                f"Ces opérations se suivent en rond : {path}.", f"These operations follow one another round: {path}."
            ),
            Words(
                "Ôtez l'une des flèches « follows: » : la cause doit précéder l'effet.",
                "Remove one of the “follows:” arrows: a cause comes before its effect.",
            ),
        )


def find_unclear_measures(draft: Draft) -> Iterator[Fault]:
    """A measure that is not exactly one of: a number, a share of bad cases, a duration, a count."""
    for place, operation in draft.items("operations"):
        where = (*place, "measure")
        if not isinstance(draft.raw(where), dict):
            continue
        measure = operation.measure
        kinds = [name for name in ("field", "until", "count") if draft.raw((*where, name)) not in (None, False)]
        if len(kinds) != 1 or (measure.bad and kinds != ["field"]):
            found = ", ".join(kinds + (["bad"] if measure.bad else [])) or "–"
            yield draft.error(
                "operation_measure_unclear",
                where,
                Words(
                    f"Il faut exactement une façon de mesurer « {operation.id} » (ici : {found}).",
                    f"There must be exactly one way to measure “{operation.id}” (here: {found}).",
                ),
                Words(
                    "Gardez « field: » (un nombre), « field: » et « bad: » (une part), « until: » et « tie: » "
                    "(une durée) ou « count: true ».",
                    "Keep “field:” (a number), “field:” and “bad:” (a share), “until:” and “tie:” (a duration) "
                    "or “count: true”.",
                ),
            )


def find_untied_durations(draft: Draft) -> Iterator[Fault]:
    """A duration between two events that nothing ties together."""
    for place, operation in draft.items("operations"):
        if operation.measure.until and not operation.measure.tie:
            yield draft.error(
                "until_without_tie",
                (*place, "measure", "until"),
                Words(
                    "Rien ne dit quel événement de fin va avec quel début.",
                    "Nothing says which ending goes with which beginning.",
                ),
                Words(
                    "Ajoutez « tie: » et l'objet que les deux événements portent (order, ticket …).",
                    "Add “tie:” and the object that both events carry (order, ticket …).",
                ),
            )


DURATION_UNITS = ("ms", "s", "min", "h", "d")


def find_bad_duration_units(draft: Draft) -> Iterator[Fault]:
    """A duration in a unit that is no unit of time."""
    for place, operation in draft.items("operations"):
        if operation.measure.until and operation.measure.unit and operation.measure.unit not in DURATION_UNITS:
            allowed = ", ".join(DURATION_UNITS)
            yield draft.error(
                "unit_not_of_time",
                (*place, "measure", "unit"),
                Words(
                    f"« {operation.measure.unit} » n'est pas une unité de temps.",
                    f"“{operation.measure.unit}” is no unit of time.",
                ),
                Words(f"Choisissez parmi : {allowed}.", f"Choose one of: {allowed}."),
            )


RULES = (
    find_unseen_operations,
    find_idle_operations,
    find_cycles,
    find_unclear_measures,
    find_untied_durations,
    find_bad_duration_units,
)


def _reaching(draft: Draft) -> set[str]:
    operations = draft.blueprint.operations
    reached = {item.id for item in operations if item.supports}
    upstream: dict[str, tuple[str, ...]] = {item.id: item.follows for item in operations}
    open_ids = list(reached)
    while open_ids:
        for id in upstream.get(open_ids.pop(), ()):
            if id not in reached:
                reached.add(id)
                open_ids.append(id)
    return reached


def _cycles(follows: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield one cycle for each group of operations that lead back to themselves, upstream first."""
    done: set[str] = set()
    for start, first in follows.items():
        path: list[str] = []
        stack: list[tuple[str, Iterator[str]]] = []
        if start not in done:
            stack.append((start, iter(first)))
            path.append(start)
        while stack:
            id, rest = stack[-1]
            parent = next(rest, None)
            if parent is None:
                done.add(id)
                stack.pop()
                path.pop()
            elif parent in path:
                yield tuple(reversed(path[path.index(parent) :]))
            elif parent in follows and parent not in done:
                stack.append((parent, iter(follows[parent])))
                path.append(parent)
