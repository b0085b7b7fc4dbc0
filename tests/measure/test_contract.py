"""The measure contract's own rules: splits, and measures by name."""

from __future__ import annotations

import pytest

from parcours.blueprint.records import Blueprint
from parcours.errors import ParcoursError
from parcours.measure import MEASURES, measure_named


def test_a_group_split_stands_for_each_group_of_the_blueprint(blueprint: Blueprint) -> None:
    found = measure_named("experience").splits_for(blueprint)
    assert found == ("channel", "stage", "group:segment", "touchpoint,group:segment", "week", "month")


def test_a_split_of_an_unknown_group_is_refused(blueprint: Blueprint) -> None:
    with pytest.raises(ParcoursError) as caught:
        measure_named("journey").check_split(blueprint, "group:nobody")
    assert caught.value.code == "unknown_split"


def test_every_measure_is_found_by_its_name() -> None:
    assert [measure_named(measure.name) for measure in MEASURES] == list(MEASURES)


def test_an_unknown_measure_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ParcoursError) as caught:
        measure_named("happiness")
    assert caught.value.code == "unknown_measure"
    assert "experience" in caught.value.faults[0].remedy.fr
