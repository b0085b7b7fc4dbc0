"""What is planted and what the blueprint of Maison Rivière says must be the same graph."""

from __future__ import annotations

from parcours.blueprint import read_blueprint, template_path
from parcours.simulate.design import MEETINGS, WORKS, upstream


def test_the_blueprint_draws_the_arrows_that_are_planted() -> None:
    blueprint = read_blueprint(template_path("retail"))
    assert {o.id: set(o.follows) for o in blueprint.operations} == {w.id: set(w.follows) for w in WORKS}
    for meeting in MEETINGS:
        supporting = {o.id for o in blueprint.operations if meeting.id in o.supports}
        assert supporting == set(meeting.direct)
        experience = blueprint.touchpoint(meeting.id).experience
        assert experience is not None
        assert experience.scale == meeting.scale


def test_the_blueprint_states_the_units_that_are_planted() -> None:
    blueprint = read_blueprint(template_path("retail"))
    assert {o.id: o.measure.unit for o in blueprint.operations} == {w.id: w.unit for w in WORKS}


def test_touchpoints_without_a_planted_score_have_no_score_in_the_blueprint() -> None:
    blueprint = read_blueprint(template_path("retail"))
    scored = {touchpoint.id for touchpoint in blueprint.touchpoints if touchpoint.experience}
    assert scored == {meeting.id for meeting in MEETINGS}


def test_what_others_follow_comes_first() -> None:
    seen: set[str] = set()
    for work in WORKS:
        assert set(work.follows) <= seen
        seen.add(work.id)
    assert set().union(*(upstream(meeting) for meeting in MEETINGS)) == seen
