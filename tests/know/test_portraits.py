"""Tests of one customer as a whole: both sides of the line tied by objects, proof, consents, what they belong to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.know.conftest import START_MS, Firm, make_blueprint, words

from parcours.blueprint.records import Field, Layer
from parcours.know import Portrait

HOUR = 3_600_000
BLUEPRINT = make_blueprint(
    fields=(Field(id="street", kind="personal"), Field(id="postcode", kind="personal")),
    objects=("order", "parcel", "household", "group"),
    layers=(
        Layer(id="household", label=words("household"), object="household", same=("street", "postcode")),
        Layer(id="company", label=words("company"), object="group"),
    ),
)


def event(name: str, hour: int, **more: Any) -> dict[str, Any]:
    return {"name": name, "occurred_ms": START_MS + hour * HOUR, **more}


@pytest.fixture
def firm(tmp_path: Path) -> Firm:
    firm = Firm(tmp_path, BLUEPRINT)
    home = {"field_street": "12, rue des Lilas", "field_postcode": "69001"}
    firm.admit(
        event("Ordered", 1, id_user="C1", object_order="O1", field_amount=20.0, **home),
        event("Ordered", 1, id_user="C2", object_order="O2", **{**home, "field_street": "12 RUE DES LILAS"}),
        event("Checked", 2, object_order="O1", object_parcel="P1", field_state="broken"),
        event("Scanned", 3, object_parcel="P1", field_delay_h=40.0),
        event("Scanned", 3, object_parcel="P2", field_delay_h=50.0),
        event("Checked", 3, object_order="O2"),
        event("Called", 5, id_user="C1", id_device="D1", object_order="O1"),
        event("Viewed", 6, id_user="C1", object_group="acme", field_about="idea"),
        event("Viewed", 9, id_user="C1", object_group="other", field_about="idea"),
        # Work for the whole company is nobody's own: a layer ties nothing.
        event("Scanned", 10, object_group="acme", field_delay_h=1.0),
    )
    return firm


def portray(firm: Firm, identifier: str, purpose: str = "improve") -> Portrait:
    (profile,) = firm.know.portraits.find(identifier)
    found = firm.know.portraits.show(profile, purpose)
    assert found is not None
    return found


def test_a_timeline_has_both_sides_of_the_line_tied_by_objects(firm: Firm) -> None:
    portrait = portray(firm, "user:C1")
    told = [(deed.name, deed.behind, deed.touchpoint, deed.operation, deed.objects) for deed in portrait.deeds]
    assert told == [
        ("Viewed", False, "page", None, ()),
        ("Viewed", False, "page", None, ()),
        ("Called", False, "help", None, (("order", 1),)),
        ("Scanned", True, None, "delay", (("parcel", 1),)),
        ("Checked", True, None, "breakage", (("order", 1), ("parcel", 1))),
        ("Ordered", False, "checkout", None, (("order", 1),)),
    ]
    assert (portrait.count, portrait.identifiers) == (6, 2)
    assert (portrait.first_ms, portrait.last_ms) == (START_MS + HOUR, START_MS + 9 * HOUR)


def test_what_others_of_the_household_live_is_not_shown(firm: Firm) -> None:
    portrait = portray(firm, "user:C2")
    assert [(deed.name, deed.objects) for deed in portrait.deeds] == [
        ("Checked", (("order", 1),)),
        ("Ordered", (("order", 1),)),
    ]


def test_the_same_address_is_one_household_and_never_one_person(firm: Firm) -> None:
    one, other = (portray(firm, f"user:C{number}").memberships for number in (1, 2))
    home = [one[0], other[0]]
    assert {(each.layer, each.key) for each in home} == {("household", home[0].key)}
    assert firm.know._identities.people().count == 2
    assert [(each.layer, each.events, each.lasts) for each in one[1:]] == [("company", 1, True), ("company", 1, False)]
    assert [each.first_ms for each in one[1:]] == [START_MS + 9 * HOUR, START_MS + 6 * HOUR]


def test_a_household_needs_every_value(tmp_path: Path) -> None:
    firm = Firm(tmp_path, BLUEPRINT)
    firm.admit(
        event("Ordered", 1, id_user="C1", field_street="12 rue des Lilas"),
        event("Ordered", 1, id_user="C2", field_street="...", field_postcode="69001"),
        event("Ordered", 1, id_user="C3", object_household="H1", field_street="1 rue A", field_postcode="69001"),
        event("Ordered", 2, id_user="C3", object_household="H1"),
    )
    assert [len(portray(firm, f"user:C{number}").memberships) for number in (1, 2, 3)] == [0, 0, 1]


def test_whom_the_purpose_may_not_see_nothing_is_told_of(firm: Firm) -> None:
    portrait = portray(firm, "user:C1", "personalise")
    assert (portrait.permitted, portrait.deeds, portrait.memberships) == (False, (), ())
    (profile,) = firm.know.portraits.find("user:C1")
    assert [(one.purpose, one.allowed, one.code) for one in firm.know.portraits.allowed(profile)] == [
        ("improve", True, "basis_holds"),
        ("personalise", False, "no_choice"),
    ]
    assert firm.know.portraits.personal(profile, "improve") == {"postcode": "69001", "street": "12, rue des Lilas"}
    assert firm.know.portraits.personal(profile, "personalise") == {}


def test_the_proof_is_masked_unless_asked_otherwise(firm: Firm) -> None:
    (profile,) = firm.know.portraits.find("device:D1")
    told = firm.know.portraits.explain(profile)
    assert told is not None
    assert (told.profile, told.count, len(told.proof)) == (profile, 2, 1)
    shown = firm.know.portraits.explain(profile, unmasked=True)
    assert shown is not None
    assert [one.shown for one in shown.identifiers] == ["C1", "D1"]
    assert [one.shown for one in told.identifiers] != ["C1", "D1"]


def test_accounts_are_the_latest_groups(tmp_path: Path) -> None:
    firm = Firm(tmp_path, BLUEPRINT)
    firm.admit(
        event("Ordered", 1, id_user="C1", field_segment="new"), event("Ordered", 3, id_user="C1", field_segment="loyal")
    )
    (profile,) = firm.know.portraits.find("user:C1")
    assert firm.know.portraits.accounts(profile, "improve") == ("segment:loyal",)
    assert firm.know.portraits.accounts(profile, "personalise") == ()


@pytest.mark.parametrize("profile", ["", "0" * 16, "f" * 16, "no", "C1"])
def test_a_profile_that_is_not_there_is_none(firm: Firm, profile: str) -> None:
    assert firm.know.portraits.show(profile, "improve") is None
    assert firm.know.portraits.explain(profile) is None
    assert firm.know.portraits.allowed(profile) == ()
    assert firm.know.portraits.find("user:nobody") == ()
