"""Tests of a batch of linking: planted pairs are found, known people compared once, and who refuses takes no part."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from tests.know.conftest import START_MS, Firm, make_blueprint

from parcours.blueprint.records import Blueprint, Comparison, Field, Link
from parcours.errors import ParcoursError
from parcours.know import Linked
from parcours.know.identity.scored import ACCEPTED, Scored
from parcours.know.keys import open_keys
from parcours.know.linking.batch import FEWEST
from parcours.know.linking.model import LEAST_SHARE
from parcours.know.state import open_state
from parcours.progress import Silent
from parcours.settings import Settings

pytest.importorskip("splink")
FIELDS = ("first_name", "last_name", "birth_date", "postcode")
COMPARE = (
    Comparison(field="first_name", compare="name"),
    Comparison(field="last_name", compare="name"),
    Comparison(field="birth_date", compare="date"),
    Comparison(field="postcode", compare="postcode"),
    Comparison(field="mail", compare="mail"),
)
PEOPLE = 400
TWICE = 60
"""So many of the people (synthetic) have a second record, under another identifier and spelt a little otherwise."""


def blueprint(purpose: str = "improve", **changes: Any) -> Blueprint:
    fields = tuple(Field(id=id, kind="personal") for id in FIELDS)
    return make_blueprint(
        fields=fields, link=Link(purpose=purpose, compare=COMPARE, accept=0.99, review=0.8), **changes
    )


def draw_name(draw: random.Random) -> str:
    return "".join(draw.choice("bdfglmnprst") + draw.choice("aeiou") for _ in range(draw.randint(2, 4))).title()


def make_people(seed: int = 5) -> list[dict[str, Any]]:
    """Return one event for each record of everybody: first all people, then the second records of some."""
    draw = random.Random(seed)
    names, families = [[draw_name(draw) for _ in range(count)] for count in (40, 160)]
    events = [
        {
            "name": "Ordered",
            "id_user": f"C{number}",
            "id_mail": f"{draw.choice(names)}{number}@maison.fr".lower(),
            "field_first_name": draw.choice(names),
            "field_last_name": draw.choice(families),
            "field_birth_date": f"{draw.randint(1940, 2005)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            "field_postcode": f"{draw.randint(10, 95)}{draw.randint(0, 9)}00",
            "occurred_ms": START_MS + number,
        }
        for number in range(PEOPLE)
    ]
    return events + [spell_otherwise(draw, event) for event in events[:TWICE]]


def spell_otherwise(draw: random.Random, event: dict[str, Any]) -> dict[str, Any]:
    """Return a record of the same person: no identifier in common, and one value written otherwise."""
    twin = {key: value for key, value in event.items() if key != "id_user"}
    twin["id_mail"] = f"x{event['id_user'].lower()}@ailleurs.fr"
    field = draw.choice(FIELDS)
    if field == "postcode":
        twin["field_postcode"] = "75001"
    elif field == "birth_date":
        twin["field_birth_date"] = event["field_birth_date"][:-1] + str(draw.randint(0, 9))
    else:
        twin[f"field_{field}"] = event[f"field_{field}"].upper() + draw.choice(["", "e", "s"])
    return twin


def pairs(firm: Firm) -> dict[tuple[int, int], int]:
    scored = Scored(open_state(firm.folder), open_keys(firm.folder, Settings())[0]).read()
    return {
        (one, other): standing
        for one, other, standing in zip(
            scored.one.tolist(), scored.other.tolist(), scored.standing.tolist(), strict=True
        )
    }


def pseudonym(firm: Firm, identifier: str) -> int:
    return int(firm.know._identities.pseudonyms_of(identifier)[0])


def true_pairs(firm: Firm) -> set[tuple[int, int]]:
    named = [(pseudonym(firm, f"user:C{n}"), pseudonym(firm, f"mail:xc{n}@ailleurs.fr")) for n in range(TWICE)]
    return {(min(pair), max(pair)) for pair in named}


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Firm, Linked]:
    firm = Firm(tmp_path_factory.mktemp("link"), blueprint())
    firm.admit(*make_people())
    return firm, firm.know.link(train=False, progress=Silent())


def test_planted_pairs_are_found_and_hardly_any_other(linked: tuple[Firm, Linked]) -> None:
    firm, done = linked
    found, true = pairs(firm), true_pairs(firm)
    accepted = {pair for pair, standing in found.items() if standing == ACCEPTED}
    assert len(accepted & true) >= 0.85 * len(true)
    assert len(accepted - true) <= 0.03 * len(accepted)
    assert len(set(found) & true) >= 0.95 * len(true)
    assert (done.people, done.fresh, done.trained, done.model_no) == (PEOPLE + TWICE, PEOPLE + TWICE, True, 1)
    assert done.accepted == len(accepted)
    assert done.found == len(found)


def test_accepted_pairs_are_one_person_from_then_on(linked: tuple[Firm, Linked]) -> None:
    firm, done = linked
    people = firm.know._identities.people()
    assert people.count == PEOPLE + TWICE - done.accepted
    accepted = [pair for pair, standing in pairs(firm).items() if standing == ACCEPTED]
    assert all(len(set(people.profiles(_numbers(*pair)).tolist())) == 1 for pair in accepted)


def _numbers(*pair: int) -> Any:
    import numpy as np

    return np.array(pair, np.int64)


def test_later_only_who_is_new_is_compared_with_the_model_that_was_kept(linked: tuple[Firm, Linked]) -> None:
    firm, before = linked
    again = firm.again()
    same = again.know.link(train=False, progress=Silent())
    # Those who were joined are one record now, with the values of both.
    assert same.fresh <= before.accepted
    assert (same.trained, same.model_no) == (False, 1)
    settled = again.know.link(train=False, progress=Silent())
    assert (settled.fresh, settled.found) == (0, 0)
    late = [spell_otherwise(random.Random(8), event) for event in make_people()[TWICE : TWICE + 20]]
    for event in late:
        event["id_mail"] = event["id_mail"].replace("ailleurs", "encore")
    again.admit(*late)
    done = again.know.link(train=False, progress=Silent())
    assert (done.fresh, done.trained, done.model_no) == (len(late), False, 1)
    assert done.found >= 0.9 * len(late)


def test_the_model_holds_shares_and_no_value_of_anybody(linked: tuple[Firm, Linked]) -> None:
    firm, _ = linked
    linkage = firm.know.linkage()
    assert {weight.field for weight in linkage.weights} == {one.field for one in COMPARE}
    same = {weight.field: weight.bits for weight in linkage.weights if weight.level == "same"}
    assert min(same[field] for field in FIELDS) > 3
    assert all(one.bits < 0 for one in linkage.weights if one.level == "other" and one.field in FIELDS)
    body = open_state(firm.folder).execute("SELECT body FROM link_models")[0][0]
    values = {str(event[f"field_{field}"]) for event in make_people() for field in FIELDS}
    assert not [value for value in values if value.isalpha() and len(value) > 4 and value in str(body)]
    assert min(weight.same for weight in linkage.weights) >= LEAST_SHARE


def test_who_the_purpose_may_not_see_takes_no_part(tmp_path: Path) -> None:
    firm = Firm(tmp_path, blueprint("personalise"))
    people = make_people()
    for place, event in enumerate(people):
        event["consent_personalise"] = place % 2 == 0
        if place >= PEOPLE:
            event["consent_personalise"] = True
    firm.admit(*people)
    done = firm.know.link(train=False, progress=Silent())
    assert done.people == PEOPLE / 2 + TWICE
    refusing = {pseudonym(firm, f"user:C{number}") for number in range(1, PEOPLE, 2)}
    assert not [pair for pair in pairs(firm) if refusing & set(pair)]


def test_too_few_people_and_no_section_are_said_in_one_sentence(tmp_path: Path) -> None:
    firm = Firm(tmp_path, blueprint())
    firm.admit(*make_people()[: FEWEST - 1])
    with pytest.raises(ParcoursError, match="too_few_to_link"):
        firm.know.link(train=False, progress=Silent())
    with pytest.raises(ParcoursError, match="link_not_declared"):
        firm.again(make_blueprint()).know.link(train=False, progress=Silent())
    with pytest.raises(ParcoursError, match="unknown_purpose"):
        firm.again(blueprint("sell")).know.link(train=False, progress=Silent())


def test_without_splink_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "splink", None)
    firm = Firm(tmp_path, blueprint())
    firm.admit(*make_people())
    with pytest.raises(ParcoursError, match="link_not_installed"):
        firm.know.link(train=False, progress=Silent())
