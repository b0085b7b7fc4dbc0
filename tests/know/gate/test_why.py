"""Tests of why somebody's rows are in a table: the gate that stopped them is the one that is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.know.conftest import START_MS, Firm, make_blueprint

from parcours.errors import ParcoursError


def order(user: str, **more: Any) -> dict[str, Any]:
    return {"id_user": user, "name": "Ordered", "occurred_ms": START_MS, **more}


def stopped(firm: Firm, table: str, user: str) -> str | None:
    (why,) = firm.know.explain_row(table, f"user:{user}")
    assert why.there == all(one.passed for one in why.gates)
    return next((one.gate for one in why.gates if not one.passed), None)


def test_the_first_gate_that_stopped_them_is_named(firm: Firm) -> None:
    firm.admit(order("u1", consent_personalise=True), order("u2"), order("u3", name="Viewed"))
    firm.admit(order("u4", consent_personalise=True))
    firm.admit(order("u4", consent_personalise=False, occurred_ms=START_MS + 1))
    assert stopped(firm, "personalise/touches", "u1") is None
    assert stopped(firm, "personalise/touches", "u2") == "stamp"
    assert stopped(firm, "personalise/touches", "u4") == "now"
    assert stopped(firm, "improve/touches", "u3") == "table"
    assert stopped(firm, "improve/customers", "u3") is None
    assert stopped(firm, "improve/touches", "unknown") == "known"
    assert stopped(firm, "improve/answers", "u1") == "table"
    assert [one.purpose for one in firm.know.explain_row("touches", "user:u1")] == ["improve", "personalise"]


def test_behind_the_gate_that_stopped_everything_nothing_is_judged(firm: Firm) -> None:
    firm.admit(order("u1"))
    (why,) = firm.know.explain_row("personalise/touches", "user:u1")
    assert [(one.gate, one.passed, one.reached) for one in why.gates] == [
        ("known", True, True),
        ("kept", True, True),
        ("stamp", False, True),
        ("retention", False, False),
        ("now", False, False),
        ("table", False, False),
    ]
    assert {(one.events, one.reason.fr, one.reason.en) for one in why.gates[3:]} == {
        (0, "Non atteint.", "Not reached.")
    }
    for nobody in ("user:NOPE", "NOPE"):
        (why,) = firm.know.explain_row("improve/customers", nobody)
        assert [one.reached for one in why.gates] == [True] + [False] * 5
        assert why.reason.en == "Nobody has this identifier here."


def test_it_agrees_with_the_table(firm: Firm) -> None:
    firm.admit(*(order(f"u{n}", consent_personalise=(None, True, False)[n % 3]) for n in range(9)))
    for purpose in ("improve", "personalise"):
        there = sum(firm.know.explain_row(f"{purpose}/customers", f"user:u{n}")[0].there for n in range(9))
        assert there == len(firm.rows(purpose, "customers"))


def test_what_is_past_its_retention_says_so(tmp_path: Path) -> None:
    blueprint = make_blueprint()
    kept = msgspec.structs.replace(blueprint.purposes[0], retention_days=1)
    firm = Firm(tmp_path, msgspec.structs.replace(blueprint, purposes=(kept,)))
    firm.admit(order("u1"))
    assert stopped(firm, "improve/touches", "u1") == "retention"


def test_a_table_that_is_none_is_an_error(firm: Firm) -> None:
    with pytest.raises(ParcoursError, match="unknown_table"):
        firm.know.explain_row("improve/visits", "user:u1")
