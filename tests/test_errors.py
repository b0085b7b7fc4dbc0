"""The one error type."""

from __future__ import annotations

from pathlib import Path

from parcours.errors import Fault, ParcoursError
from parcours.words import Words


def test_a_fault_says_place_sentence_remedy_and_code() -> None:
    error = ParcoursError("broken", Words(en="It is broken."), Words(en="Mend it."), Path("a.yaml"), 7)
    assert str(error) == "a.yaml:7: It is broken. Mend it. [broken]"
    assert error.code == "broken"


def test_many_faults_travel_together() -> None:
    faults = [Fault("one", Words(en="One."), Words(en="Do.")), Fault("two", Words(en="Two."), Words(en="Do."), "b", 2)]
    error = ParcoursError.of(faults)
    assert error.faults == tuple(faults)
    assert [line.split(" [")[1] for line in str(error).splitlines()] == ["one]", "two]"]
    assert [fault.place for fault in error.faults] == ["", "b:2"]
