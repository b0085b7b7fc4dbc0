"""Tests of the fresh look-up: who may be seen now, by whatever identifier is named, and why."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from tests.know.conftest import HOUR_MS, START_MS, Firm

from parcours.errors import ParcoursError
from parcours.know import Verdict
from parcours.know.consent.ledger import GRANTED, REFUSED
from parcours.know.gate.verdict import permits


def say(agrees: bool | None, hour: int = 0, **ids: str) -> dict[str, Any]:
    return {**ids, "name": "Ordered", "occurred_ms": START_MS + hour * HOUR_MS, "consent_personalise": agrees}


def object_to(purpose: str, **ids: str) -> dict[str, Any]:
    return {**ids, f"consent_{purpose}": False, "occurred_ms": START_MS + HOUR_MS}


def test_it_says_why(firm: Firm) -> None:
    firm.admit(say(True, id_user="u1"), say(False, id_user="u2"), say(None, id_user="u3"))
    firm.admit(object_to("improve", id_user="u3"))
    told = {user: firm.know.may(f"user:{user}", "personalise") for user in ("u1", "u2", "u3", "unknown", "undefined")}
    assert {user: (bool(one), one.code) for user, one in told.items()} == {
        "u1": (True, "consented"),
        "u2": (False, "refused"),
        "u3": (False, "no_choice"),
        "unknown": (False, "no_choice"),
        "undefined": (False, "no_choice"),
    }
    assert firm.know.may("user:u1", "improve").code == "basis_holds"
    assert firm.know.may("user:u3", "improve").code == "objected"
    assert str(told["u2"].reason)


def test_whoever_is_the_same_person_counts_with_them(firm: Firm) -> None:
    firm.admit(say(True, id_user="u1"), say(None, 1, id_user="u1", id_mail="a@maison.fr"))
    firm.admit(say(True, 2, id_user="u2"))
    assert firm.know.may("mail:a@maison.fr", "personalise").code == "consented"
    firm.admit(say(False, 3, id_mail="a@maison.fr"))
    verdict = firm.know.may("user:u1", "personalise")
    assert (verdict.code, verdict.identifiers) == ("refused", 2)
    assert firm.know.may("user:u2", "personalise")


def test_many_are_judged_at_once_as_each_alone(firm: Firm) -> None:
    draw = np.random.default_rng(3)
    for hour in range(4):
        firm.admit(
            *(
                say(draw.choice([True, False, None]), hour, id_user=f"u{n}", id_device=f"d{n % 7}")
                for n in draw.integers(0, 9, 12).tolist()
            )
        )
    people = [{"user": f"u{n}"} for n in range(10)] + [{"device": f"d{n}"} for n in range(8)] + [{}]
    for purpose in ("personalise", "improve"):
        together = firm.know.may_each(people, purpose)
        for ids, verdict in zip(people, together, strict=True):
            if not ids:
                assert (verdict.allowed, verdict.code) == (True, "about_nobody")
                continue
            ((kind, value),) = ids.items()
            assert msgspec.structs.replace(
                firm.know.may(f"{kind}:{value}", purpose), at_ms=0
            ) == msgspec.structs.replace(verdict, at_ms=0)
    assert {one.code for one in firm.know.may_each(people, "personalise")} >= {"refused", "no_choice", "about_nobody"}


def test_an_unknown_purpose_is_an_error_and_no_answer(firm: Firm) -> None:
    with pytest.raises(ParcoursError, match="unknown_purpose"):
        firm.know.may("user:u1", "sell")


def test_a_verdict_is_what_it_says() -> None:
    yes = Verdict("improve", "contract", True, "basis_holds", 1, 0)
    assert yes
    assert not msgspec.structs.replace(yes, allowed=False)


def test_one_refusal_outweighs_every_consent() -> None:
    granted, refused = np.array([GRANTED, GRANTED], np.int8), np.array([GRANTED, REFUSED], np.int8)
    assert permits("consent", [granted, refused]).tolist() == [True, False]
    assert permits("contract", [granted, refused]).tolist() == [True, False]
