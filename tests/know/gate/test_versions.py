"""Tests of versions: a purpose that becomes another begins anew, and whoever refused it goes on refusing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.know.conftest import HOUR_MS, START_MS, Firm, make_blueprint

from parcours.blueprint.records import Blueprint
from parcours.errors import ParcoursError
from parcours.know.gate.versions import Versions
from parcours.know.state import number_names, open_state

LATER_MS = 4_000_000_000_000


def change(blueprint: Blueprint, purpose: str, **how: Any) -> Blueprint:
    purposes = tuple(msgspec.structs.replace(p, **how) if p.id == purpose else p for p in blueprint.purposes)
    return msgspec.structs.replace(blueprint, purposes=purposes)


def order(user: str, **more: Any) -> dict[str, Any]:
    return {"id_user": user, "name": "Ordered", "occurred_ms": START_MS, **more}


def seen(firm: Firm, purpose: str) -> int:
    return firm.know.events_for(purpose).customers


def test_a_purpose_that_becomes_another_begins_with_nobody(firm: Firm) -> None:
    firm.admit(order("u1", consent_personalise=True), order("u2"))
    assert seen(firm, "personalise") == 1
    later = firm.again(change(firm.blueprint, "personalise", version=2))
    assert seen(later, "personalise") == 0
    assert later.know.may("user:u1", "personalise").code == "no_choice"
    # Read again, an old consent is still one to the old purpose; given now it counts.
    later.admit(order("u1", consent_personalise=True))
    assert later.know.may("user:u1", "personalise").code == "no_choice"
    later.admit(order("u1", consent_personalise=True, occurred_ms=LATER_MS))
    assert later.know.may("user:u1", "personalise").code == "consented"
    assert seen(later, "personalise") == 1


def test_a_refusal_outlasts_every_change(firm: Firm) -> None:
    firm.admit(order("u1", consent_personalise=False), order("u2", consent_personalise=True))
    later = firm.again(change(firm.blueprint, "personalise", basis="legitimate_interest"))
    later.admit(order("u1"), order("u2"))
    assert later.know.may("user:u1", "personalise").code == "objected"
    assert later.know.may("user:u2", "personalise").code == "basis_holds"
    assert seen(later, "personalise") == 1
    thrice = later.again(change(firm.blueprint, "personalise", basis="contract", version=7))
    assert thrice.know.may("user:u1", "personalise").code == "objected"


def test_back_as_it_was_it_is_what_it_was(firm: Firm) -> None:
    firm.admit(order("u1", consent_personalise=True))
    firm.again(change(firm.blueprint, "personalise", version=2)).admit(order("u2"))
    assert seen(firm.again(), "personalise") == 1


def test_numbers_of_before_versions_were_told_apart_go_on(tmp_path: Any) -> None:
    state = open_state(tmp_path)
    assert number_names(state, "purpose", ["other", "personalise"]) == {"other": 0, "personalise": 1}
    purpose = make_blueprint().purposes[1]
    held = Versions(state).of(purpose)
    assert (held.number, held.before, held.since_ms) == (1, (), 0)
    new = Versions(state).of(msgspec.structs.replace(purpose, version=2))
    assert (new.number, new.before) == (2, (1,))
    assert new.since_ms > START_MS + HOUR_MS
    assert Versions(state).purposes() == {1: "personalise", 2: "personalise"}


def test_an_altered_version_is_named(tmp_path: Any) -> None:
    state = open_state(tmp_path)
    Versions(state).of(make_blueprint().purposes[1])
    state.execute("UPDATE purpose_versions SET version = 2")
    with pytest.raises(ParcoursError, match="row_damaged"):
        Versions(state).of(make_blueprint().purposes[1])
