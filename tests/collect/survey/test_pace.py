"""The pace of a link: so many forms in a span, and never a memory that grows."""

from __future__ import annotations

from parcours.collect.survey import pace
from parcours.collect.survey.pace import MOST_FORMS, SPAN_MS, Pace


def test_a_link_may_send_so_many_forms_in_a_span() -> None:
    measured = Pace()
    assert [measured.wait_for(b"a", 1000 + n) for n in range(MOST_FORMS)] == [0] * MOST_FORMS
    assert measured.wait_for(b"a", 5000) == 1000 + SPAN_MS - 5000
    assert measured.wait_for(b"b", 5000) == 0
    assert measured.wait_for(b"a", 1000 + SPAN_MS) == 0


def test_a_clock_that_jumps_back_locks_nobody_out() -> None:
    measured = Pace()
    for n in range(MOST_FORMS + 1):
        measured.wait_for(b"a", SPAN_MS * 9 + n)
    assert measured.wait_for(b"a", 0) == 0


def test_its_memory_is_bounded() -> None:
    measured = Pace()
    for n in range(pace.MOST_LINKS + 50):
        measured.wait_for(n.to_bytes(4, "big"), 0)
    assert len(measured._spans) == pace.MOST_LINKS
