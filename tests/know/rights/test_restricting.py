"""Tests of restriction and objection: kept and unused at every gate, weighed or absolute, and ended with a word."""

from __future__ import annotations

import msgspec
import pytest

from parcours import flow
from parcours.blueprint.records import Purpose
from parcours.errors import ParcoursError
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.settings import Settings
from parcours.words import Words

from .conftest import BLUEPRINT, IDS, Living, Oracle, deliver, event, open_company

MAIL, USER = f"mail:{IDS['mail']}", f"user:{IDS['user']}"


def purpose(id: str, basis: str, **more: object) -> Purpose:
    return Purpose(id=id, label=Words(fr=id, en=id), basis=basis, **more)  # type: ignore[arg-type]


@pytest.fixture
def firm(company: Living) -> Living:
    """The company with a purpose of each kind, its people taken over."""
    more = (purpose("promote", "legitimate_interest", marketing=True), purpose("deliver", "contract"))
    firm = open_company(company.folder, purposes=(*BLUEPRINT.purposes, *more))
    flow.collect_live(firm)
    # Stamps only ever narrow: who came before a purpose was declared is nothing to it.
    deliver(firm.folder, firm, event("Called", {"user": IDS["user"]}, 700), event("Called", {"user": "other-1"}, 701))
    flow.collect_live(firm)
    return firm


def code(company: Living, identifier: str, purpose: str) -> str:
    return company.know.may(identifier, purpose).code


def customers(company: Living, purpose: str) -> int:
    return company.know.events_for(purpose).customers


def test_what_is_restricted_is_kept_and_serves_nothing_until_it_is_lifted(firm: Living) -> None:
    count, seen = firm.know.timeline(MAIL, "improve").count, customers(firm, "improve")
    number = flow.restrict(firm, MAIL, "cli", "contests that it is accurate")
    for identifier in (MAIL, USER, f"device:{IDS['device']}"):
        assert {code(firm, identifier, one.id) for one in firm.blueprint.purposes} == {"restricted"}
    assert firm.know.timeline(MAIL, "improve").count == 0
    assert customers(firm, "improve") == seen - 1
    assert code(firm, "user:other-1", "improve") == "basis_holds"
    assert not [one for one in firm.verbatims("delivery", limit=99) if "kanari" in one.text]
    # At the door no purpose has a basis, so nothing more is kept.
    held = firm.know.held
    deliver(firm.folder, firm, event("Called", {"user": IDS["user"]}, 710))
    flow.collect_live(firm)
    assert firm.know.held == held
    assert firm.know.restricting.in_force() == {number}
    again = open_company(firm.folder)
    assert code(again, USER, "improve") == "restricted"
    assert again.know.restricting.lift(number, "cli", "told by mail on 3 March") == 4
    assert code(firm, USER, "improve") == "basis_holds"
    assert firm.know.timeline(MAIL, "improve").count == count
    acts = [act.act for act in firm.know.requests.find(number).acts]
    assert acts == ["received", "started", "done", "lifted"]


def test_an_identifier_that_joins_a_restricted_person_is_restricted_too(firm: Living) -> None:
    flow.restrict(firm, MAIL, "cli", "contests that it is accurate")
    joined = event("Called", {"user": IDS["user"], "device": "fresh-device"}, 720)
    deliver(firm.folder, firm, event("Viewed", {"device": "fresh-device"}, 719, about="product"), joined)
    flow.collect_live(firm)
    assert code(firm, "device:fresh-device", "improve") == "basis_holds"  # The event that joins them was not kept.
    firm.know.decide("approved", *(firm.know.find_identifier(one) for one in (USER, "user:other-1")), "cli", "as told")
    assert code(firm, "user:other-1", "improve") == "restricted"


def test_an_objection_to_marketing_is_absolute(firm: Living) -> None:
    before = customers(firm, "promote")
    number = flow.object_to(firm, MAIL, "promote", "cli", "")
    assert code(firm, MAIL, "promote") == "objected"
    assert code(firm, MAIL, "improve") == "basis_holds"
    held = firm.know.requests.find(number)
    assert (held.kind, held.state) == ("objection", "done")
    for end in (firm.know.restricting.reject, firm.know.restricting.uphold):
        with pytest.raises(ParcoursError) as caught:
            end(number, "cli", "compelling grounds")
        assert caught.value.code == "not_weighed"
    assert customers(firm, "promote") == before - 1


@pytest.mark.parametrize(("upheld", "state", "after"), [(True, "done", "objected"), (False, "refused", "basis_holds")])
def test_any_other_objection_is_weighed_and_holds_meanwhile(firm: Living, upheld: bool, state: str, after: str) -> None:
    number = flow.object_to(firm, MAIL, "improve", "cli", "my situation")
    assert code(firm, MAIL, "improve") == "weighed"
    assert code(firm, MAIL, "promote") == "basis_holds"
    assert firm.know.requests.find(number).state == "started"
    end = firm.know.restricting.uphold if upheld else firm.know.restricting.reject
    end(number, "cli", "told by mail")
    assert code(firm, MAIL, "improve") == after
    assert firm.know.requests.find(number).state == state
    assert not firm.know.restricting.in_force()


def test_whoever_consented_withdraws_and_a_contract_is_no_matter_of_objection(firm: Living) -> None:
    agrees = event("Segment Consent Preference Updated", {"user": IDS["user"]}, 86_000_000)
    deliver(firm.folder, firm, agrees)
    flow.collect_live(firm)
    flow.object_to(firm, MAIL, "personalise", "cli", "by phone")
    assert code(firm, MAIL, "personalise") == "refused"
    for purpose_id, due in (("deliver", "no_right_to_object"), ("nothing", "unknown_purpose")):
        with pytest.raises(ParcoursError) as caught:
            flow.object_to(firm, MAIL, purpose_id, "cli", "by phone")
        assert caught.value.code == due
    assert len(firm.know.requests.list_requests()) == 1


def test_nothing_is_done_without_a_ground_or_for_nobody_or_another_request(firm: Living) -> None:
    number = firm.know.requests.open("access", [MAIL], "cli")
    told = [
        ("ground_missing", MAIL, " ", 0),
        ("nobody_found", "user:nobody", "x", 0),
        ("another_request", MAIL, "x", 1),
    ]
    for due, identifier, ground, request_no in told:
        with pytest.raises(ParcoursError) as caught:
            flow.restrict(firm, identifier, "cli", ground, request_no)
        assert caught.value.code == due
    assert [one.number for one in firm.know.requests.list_requests()] == [number]
    with pytest.raises(ParcoursError) as caught:
        firm.know.restricting.lift(number, "cli", "told")
    assert caught.value.code == "not_restricted"


def test_it_is_noted_and_recipients_are_told(firm: Living) -> None:
    number = flow.restrict(firm, MAIL, "cli", "contests that it is accurate")
    entry = firm.know.audit.read(action="decide_request")[0]
    assert (entry.actor, entry.thing_kind, "restricted" in entry.reason) == ("cli", "profile", True)
    (told,) = notices(firm, f"restriction-{number}")
    assert told["subject_request_type"] == "restriction"
    assert {one["identity_value"] for one in told["subject_identities"]} == set(IDS.values())


def test_whoever_is_erased_is_restricted_no_more_and_nothing_is_left(firm: Living) -> None:
    flow.restrict(firm, MAIL, "cli", "contests that it is accurate")
    flow.object_to(firm, MAIL, "improve", "cli", "my situation")
    flow.forget(firm, MAIL, "cli")
    assert code(firm, MAIL, "improve") == "erased"
    assert not firm.know.restricting.in_force()
    oracle = Oracle(firm.folder)
    assert oracle.count() == 0, oracle.found


def notices(firm: Living, message_id: str) -> list[dict[str, object]]:
    from parcours.engine.store.manifest import Manifest
    from parcours.engine.store.outbox import OutboxTable

    keys = open_keys(firm.folder, Settings())[0]
    parcels = OutboxTable(Manifest(firm.folder).database).all()
    return [msgspec.json.decode(keys.unseal(one.body)) for _, one in parcels if one.message_id == message_id]


def test_an_altered_restriction_is_named(firm: Living) -> None:
    flow.restrict(firm, MAIL, "cli", "contests that it is accurate")
    open_state(firm.folder).execute("UPDATE restrictions SET purpose = 9")
    with pytest.raises(ParcoursError) as caught:
        open_company(firm.folder).know.may(MAIL, "improve")
    assert caught.value.code == "row_damaged"
