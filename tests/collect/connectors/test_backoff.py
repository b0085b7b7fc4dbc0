"""Pauses after failures: longer each time, never at the same moment, never shorter than asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.connectors.backoff import MOST_ASKED_S, Backoff


def test_pauses_double_up_to_the_longest_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(first_s=1, most_s=10, draw=lambda: 1.0)
    assert [backoff.pause_s() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.failures == 0
    assert backoff.pause_s() == 1


@given(st.integers(0, 2000), st.floats(0, 1), st.one_of(st.none(), st.floats(0, allow_nan=False)))
def test_every_pause_lies_in_its_upper_half_and_honours_what_is_asked(
    failures: int, drawn: float, asked: float | None
) -> None:
    backoff = Backoff(first_s=1, most_s=300, draw=lambda: drawn)
    for _ in range(failures):
        backoff.pause_s()
    pause = backoff.pause_s(asked)
    longest = min(300.0, 2.0 ** min(failures, 60))
    wanted = min(asked or 0.0, MOST_ASKED_S)
    assert max(longest / 2, wanted) <= pause <= max(longest, wanted)
