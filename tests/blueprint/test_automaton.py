"""The compiled journey agrees with a plain matcher that tries every way, and stays small."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.blueprint.automaton import TooManyStatesError, compile_journey, compile_step
from parcours.blueprint.read import check_text
from parcours.blueprint.records import Step

LEAVES = "abc"
LONGEST = 4
Path = tuple[str, ...]


def unfold(step: Step, longest: int) -> set[Path]:
    """Return every sequence of at most ``longest`` touchpoints that keeps to ``step``: the definition itself."""
    if step.touchpoint:
        return {(step.touchpoint,)} if longest else set()
    if step.optional:
        return {()} | unfold(step.optional, longest)
    if step.choice:
        return set().union(*(unfold(one, longest) for one in step.choice))
    if step.loop:
        once = unfold(step.loop, longest)
        found = set(once)
        while True:
            more = {(*a, *b) for a in found for b in once if len(a) + len(b) <= longest} | found
            if more == found:
                return found
            found = more
    parts = [unfold(one, longest) for one in step.sequence or step.parallel]
    found = {()}
    for part in parts:
        join = shuffle if step.parallel else lambda a, b: {(*a, *b)}
        found = {path for a in found for b in part if len(a) + len(b) <= longest for path in join(a, b)}
    return found


def shuffle(a: Path, b: Path) -> set[Path]:
    if not a or not b:
        return {a + b}
    return {(a[0], *rest) for rest in shuffle(a[1:], b)} | {(b[0], *rest) for rest in shuffle(a, b[1:])}


steps = st.recursive(
    st.sampled_from(LEAVES).map(lambda leaf: Step(touchpoint=leaf)),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda found: Step(sequence=tuple(found))),
        st.lists(inner, min_size=1, max_size=3).map(lambda found: Step(choice=tuple(found))),
        st.lists(inner, min_size=1, max_size=3).map(lambda found: Step(parallel=tuple(found))),
        inner.map(lambda one: Step(optional=one)),
        inner.map(lambda one: Step(loop=one)),
    ),
    max_leaves=5,
)


@settings(max_examples=80, deadline=None)
@given(steps)
def test_the_automaton_accepts_exactly_what_the_journey_says(step: Step) -> None:
    automaton = compile_step(step)
    # Whatever may begin a journey is the beginning of one no longer than itself plus every leaf.
    whole = unfold(step, LONGEST + 5)
    prefixes = {path[:n] for path in whole for n in range(len(path) + 1)}
    for length in range(LONGEST + 1):
        for path in product(LEAVES, repeat=length):
            assert automaton.accepts(path) == (path in whole)
            assert automaton.prefix_of(path) == (path in prefixes)


@settings(max_examples=50, deadline=None)
@given(steps)
def test_the_automaton_is_minimal(step: Step) -> None:
    automaton = compile_step(step)
    states = range(len(automaton.moves))
    apart = {(p, q) for p in states for q in states if (p in automaton.finals) != (q in automaton.finals)}
    while True:
        pairs = {
            (p, q)
            for p in states
            for q in states
            for a, b in zip(automaton.moves[p], automaton.moves[q], strict=True)
            if a != b and (-1 in (a, b) or (a, b) in apart)
        }
        if pairs <= apart:
            break
        apart |= pairs
    assert all((p, q) in apart for p in states for q in states if p != q)


def test_an_unknown_touchpoint_leaves_the_journey() -> None:
    automaton = compile_step(Step(loop=Step(touchpoint="a")))
    assert automaton.accepts(["a", "a"])
    assert not automaton.prefix_of(["a", "z"])


def test_too_much_in_parallel_is_refused() -> None:
    wide = Step(parallel=tuple(Step(touchpoint=f"t{n}") for n in range(40)))
    with pytest.raises(TooManyStatesError):
        compile_step(wide)


def test_deadlines_come_with_the_stage() -> None:
    blueprint, _ = check_text(
        """
company: {id: c, label: {fr: C, en: C}}
stages: [{id: s, label: {fr: S, en: S}, deadline: 2d}, {id: t, label: {fr: T, en: T}}]
channels: [{id: w, label: {fr: W, en: W}, kind: digital}]
teams: [{id: o, label: {fr: O, en: O}}]
touchpoints:
  - {id: a, label: {fr: A, en: A}, stage: s, channel: w, owner: o, events: [A]}
  - {id: b, label: {fr: B, en: B}, stage: t, channel: w, owner: o, events: [B]}
operations:
  - {id: p, label: {fr: P, en: P}, owner: o, events: [P], measure: {count: true, unit: n}, supports: [a, b]}
journey: {sequence: [a, {optional: b}]}
""",
        "f",
    )
    assert blueprint is not None
    automaton = compile_journey(blueprint)
    assert automaton is not None
    assert automaton.deadlines_ms == {"a": 172_800_000}
    assert automaton.accepts(["a"])
