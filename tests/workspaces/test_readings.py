"""What pages read alike: only clear and hurting causes are shown strongly, and ids find the right label."""

from __future__ import annotations

import msgspec
from firm import Firm

from parcours.words import Words
from parcours.workspaces.readings import in_words, name_of, say_cause, strong_causes, tell_warnings


def test_only_clear_and_hurting_causes_are_strong(firm: Firm) -> None:
    strong = [(row["touchpoint"], row["operation"]) for row in strong_causes(firm)]
    assert strong == [
        ("delivery", "carrier_delay"),
        ("delivery", "packing_errors"),
        ("call_centre", "ticket_backlog"),
        ("store_visit", "staff_shortage"),
        ("delivery", "ticket_backlog"),
    ]


def test_a_stage_and_a_touchpoint_may_share_an_id(firm: Firm) -> None:
    assert name_of(firm, "stage", "delivery", "fr") == "Livraison"
    assert name_of(firm, "touchpoint", "delivery", "fr") == "Livraison à domicile"
    assert name_of(firm, "owner", "nobody", "fr") == "nobody"


def test_a_cause_is_said_with_all_it_rests_on(firm: Firm) -> None:
    said = say_cause(firm, strong_causes(firm)[0], 1, "fr")
    assert (said.effect, said.interval) == ("−0,52 point", "−0,64\u00a0à\u00a0−0,40")
    assert (said.customers, said.value, said.n) == ("41\u202f250", "3,2\u00a0M€", "1\u202f840")
    assert (said.owner, said.grade, said.grade_says) == ("Transport", "observée (va de pair)", "va de pair avec")
    assert said.hurts
    assert said.clear


def test_texts_may_come_in_any_form() -> None:
    assert in_words(Words("a", "b"), "en") == "b"
    assert in_words({"fr": "a", "en": "b"}, "fr") == "a"
    assert in_words(None, "fr") == ""
    assert in_words("plain", "fr") == "plain"


def test_an_effect_of_nothing_has_a_sentence_of_its_own(firm: Firm) -> None:
    row = {**firm.result("causes").rows[0], "robustness": 0.004}
    assert say_cause(firm, row, 1, "fr").robustness.startswith("L’effet estimé est presque nul")
    assert "21" in say_cause(firm, {**row, "robustness": 0.21}, 1, "fr").robustness


def test_what_several_answers_warn_of_is_said_once(firm: Firm) -> None:
    day, own = Words(fr="Arrêtés le 25.", en="Settled on the 25th."), Words(fr="Trop peu.", en="Too few.")
    experience = msgspec.structs.replace(firm.result("experience"), warnings=(day, own))
    journey = msgspec.structs.replace(firm.result("journey"), warnings=(day,))
    assert tell_warnings((experience, None, journey), "fr") == ("Arrêtés le 25.", "Trop peu.")
