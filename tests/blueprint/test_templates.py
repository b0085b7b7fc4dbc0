"""The templates: each is a company folder that `check` finds sound, copied whole and never over anything."""

from pathlib import Path

import pytest

from parcours.blueprint import (
    check_blueprint,
    compile_journey,
    copy_template,
    read_blueprint,
    template_names,
    template_path,
)
from parcours.errors import ParcoursError


@pytest.mark.parametrize("name", template_names())
def test_a_template_is_a_sound_company(name: str, tmp_path: Path) -> None:
    written = copy_template(name, tmp_path / "acme")
    names = {path.relative_to(tmp_path / "acme").as_posix() for path in written}
    assert {"blueprint.yaml", "parcours.toml"} <= names
    assert any(one.startswith("sources/") for one in names)
    blueprint, faults = check_blueprint(tmp_path / "acme")
    assert [fault for fault in faults if fault.level == "error"] == []
    assert blueprint is not None
    assert compile_journey(blueprint) is not None


@pytest.mark.parametrize("name", ["loans", "grocery"])
def test_the_only_warnings_are_the_scores_that_the_data_do_not_hold(name: str) -> None:
    _, faults = check_blueprint(template_path(name))
    assert {fault.code for fault in faults} == {"touchpoint_without_score"}


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "parcours.toml").write_text("mine", "utf-8")
    with pytest.raises(ParcoursError) as raised:
        copy_template("loans", tmp_path)
    assert raised.value.code == "folder_not_empty"
    assert (tmp_path / "parcours.toml").read_text("utf-8") == "mine"
    assert not (tmp_path / "blueprint.yaml").exists()


def test_an_unknown_template_lists_those_there_are() -> None:
    with pytest.raises(ParcoursError) as raised:
        template_path("../etc")
    assert "retail, loans, grocery" in raised.value.faults[0].remedy.en


def test_a_loan_keeps_to_the_designed_journey() -> None:
    journey = compile_journey(read_blueprint(template_path("loans")))
    assert journey is not None
    asked = ["application_submitted", "completion_call"]
    assert journey.accepts([*asked, "offer_sent", "offer_call", "offer_call", "offer_returned", "loan_activated"])
    assert journey.prefix_of([*asked, "offer_sent"])
    assert not journey.accepts([*asked, "offer_sent"])
    assert not journey.prefix_of([*asked, "loan_activated"])
