"""The designed journey compiled to a small automaton that says which sequences of touchpoints keep to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from parcours.blueprint.records import Blueprint, Step

KINDS = ("touchpoint", "sequence", "choice", "parallel", "optional", "loop")
MOST_STATES = 1024
MOST_WAYS = 256
"""How many ways of being under way one state may hold: equal steps in parallel multiply them."""

DEAD = -1
"""Where a step leads that the journey does not foresee."""


class TooManyStatesError(Exception):
    """The journey gives more than ``most`` states."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(most)


class Automaton(msgspec.Struct, frozen=True):
    """A minimal deterministic automaton over touchpoints; it starts in state 0.

    ``moves[state][symbol]`` is the next state or `DEAD`, where ``symbol`` is an index into ``alphabet``; ``finals``
    are the states in which the journey may end. ``deadlines_ms`` gives, for each touchpoint whose stage has one,
    how long a customer may stay in that stage.
    """

    alphabet: tuple[str, ...]
    moves: tuple[tuple[int, ...], ...]
    finals: frozenset[int]
    deadlines_ms: dict[str, int] = {}

    def walk(self, touchpoints: Iterable[str]) -> int:
        """Return the state after ``touchpoints``, or `DEAD`."""
        symbols = {id: index for index, id in enumerate(self.alphabet)}
        state = 0
        for id in touchpoints:
            if state == DEAD or id not in symbols:
                return DEAD
            state = self.moves[state][symbols[id]]
        return state

    def accepts(self, touchpoints: Sequence[str]) -> bool:
        """Say whether this is the whole of a designed journey."""
        return self.walk(touchpoints) in self.finals

    def prefix_of(self, touchpoints: Sequence[str]) -> bool:
        """Say whether a designed journey may begin like this: on track, finished or not."""
        return self.walk(touchpoints) != DEAD


def compile_journey(blueprint: Blueprint) -> Automaton | None:
    """Compile the designed journey, None when the blueprint has none; `TooManyStatesError` when it is too wide."""
    if blueprint.journey is None:
        return None
    deadlines = {stage.id: stage.deadline_ms for stage in blueprint.stages if stage.deadline_ms is not None}
    automaton = compile_step(blueprint.journey)
    staged = {item.id: deadlines[item.stage] for item in blueprint.touchpoints if item.stage in deadlines}
    known = {id: staged[id] for id in automaton.alphabet if id in staged}
    return msgspec.structs.replace(automaton, deadlines_ms=known)


def compile_step(step: Step, most_states: int = MOST_STATES) -> Automaton:
    """Compile one node by derivatives: a state is what remains to be done.

    Source: Brzozowski, "Derivatives of regular expressions", Journal of the ACM 11(4), 1964; the derivative of a
    shuffle moves one of its parts. The result is made minimal by Moore's partition refinement.
    """
    start = _expression(step)
    alphabet = tuple(dict.fromkeys(_leaves(step)))
    numbers: dict[_Expression, int] = {start: 0}
    moves: list[tuple[int, ...]] = []
    for rest in (queue := [start]):
        row = []
        for id in alphabet:
            after = _after(rest, id)
            if after != _NEVER and after not in numbers:
                if len(numbers) >= most_states:
                    raise TooManyStatesError(most_states)
                numbers[after] = len(numbers)
                queue.append(after)
            row.append(numbers.get(after, DEAD))
        moves.append(tuple(row))
    finals = frozenset(number for rest, number in numbers.items() if _may_end(rest))
    return _minimise(Automaton(alphabet, tuple(moves), finals))


def kinds_of(step: Step) -> tuple[str, ...]:
    """Return which kinds a node has; a clear node has one."""
    return tuple(kind for kind in KINDS if getattr(step, kind))


class _Expression(msgspec.Struct, frozen=True, order=True):
    """What remains of a journey: ``kind`` is never, end, at, then, either, both or again."""

    kind: str
    id: str = ""
    parts: tuple[_Expression, ...] = ()


_NEVER = _Expression("never")
_END = _Expression("end")


def _then(first: _Expression, second: _Expression) -> _Expression:
    if _NEVER in (first, second):
        return _NEVER
    if first == _END:
        return second
    if first.kind == "then":
        return _then(first.parts[0], _then(first.parts[1], second))
    return first if second == _END else _Expression("then", "", (first, second))


def _either(parts: Iterable[_Expression]) -> _Expression:
    flat = {one for part in parts for one in (part.parts if part.kind == "either" else (part,))} - {_NEVER}
    if len(flat) > MOST_WAYS:
        raise TooManyStatesError(MOST_WAYS)
    if not flat:
        return _NEVER
    return next(iter(flat)) if len(flat) == 1 else _Expression("either", "", tuple(sorted(flat)))


def _both(parts: Iterable[_Expression]) -> _Expression:
    flat = [one for part in parts for one in (part.parts if part.kind == "both" else (part,)) if one != _END]
    if _NEVER in flat:
        return _NEVER
    if len(flat) < 2:
        return flat[0] if flat else _END
    return _Expression("both", "", tuple(sorted(flat)))


def _expression(step: Step) -> _Expression:
    if step.touchpoint:
        return _Expression("at", step.touchpoint)
    if step.optional:
        return _either((_END, _expression(step.optional)))
    if step.loop:
        once = _expression(step.loop)
        return _then(once, _Expression("again", "", (once,)))
    if step.choice:
        return _either(_expression(one) for one in step.choice)
    if step.parallel:
        return _both(_expression(one) for one in step.parallel)
    whole = _END
    for one in reversed(step.sequence):
        whole = _then(_expression(one), whole)
    return whole


def _leaves(step: Step) -> Iterable[str]:
    if step.touchpoint:
        yield step.touchpoint
    for child in (*step.sequence, *step.choice, *step.parallel, step.optional, step.loop):
        if child:
            yield from _leaves(child)


def _may_end(rest: _Expression) -> bool:
    if rest.kind == "either":
        return any(_may_end(part) for part in rest.parts)
    if rest.kind in ("then", "both"):
        return all(_may_end(part) for part in rest.parts)
    return rest.kind in ("end", "again")


def _after(rest: _Expression, id: str) -> _Expression:
    """Return what remains once ``id`` has happened, or `_NEVER`."""
    if rest.kind == "at":
        return _END if rest.id == id else _NEVER
    if rest.kind == "either":
        return _either(_after(part, id) for part in rest.parts)
    if rest.kind == "again":
        return _then(_after(rest.parts[0], id), rest)
    if rest.kind == "then":
        first, second = rest.parts
        moved = _then(_after(first, id), second)
        return _either((moved, _after(second, id))) if _may_end(first) else moved
    if rest.kind == "both":
        parts = rest.parts
        return _either(_both((*parts[:n], _after(part, id), *parts[n + 1 :])) for n, part in enumerate(parts))
    return _NEVER


def _minimise(automaton: Automaton) -> Automaton:
    """Merge the states that nothing can tell apart; state 0 stays the start."""
    classes = [int(state in automaton.finals) for state in range(len(automaton.moves))]
    while True:
        signs = [
            (classes[state], tuple(DEAD if to == DEAD else classes[to] for to in row))
            for state, row in enumerate(automaton.moves)
        ]
        numbers = {sign: number for number, sign in enumerate(dict.fromkeys(signs))}
        refined = [numbers[sign] for sign in signs]
        if len(numbers) == len(set(classes)):
            break
        classes = refined
    # `refined` numbers classes by first appearance, so the class of state 0 is 0.
    firsts = {number: state for state, number in reversed(list(enumerate(refined)))}
    moves = tuple(
        tuple(DEAD if to == DEAD else refined[to] for to in automaton.moves[firsts[number]])
        for number in sorted(firsts)
    )
    finals = frozenset(refined[state] for state in automaton.finals)
    return Automaton(automaton.alphabet, moves, finals)
