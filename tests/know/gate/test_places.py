"""Mutation of the gate: taken away at any one of its five places, somebody who said no is seen, and that is noticed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from tests.know.conftest import START_MS, Firm, make_blueprint

from parcours.company import Company
from parcours.errors import ParcoursError
from parcours.know.pseudonyms import Numbers
from parcours.measure.eventlog import write_log
from parcours.settings import Settings

PLACES = ("door", "stamp", "reading", "look-up", "export")


def order(user: str, hour: int, agrees: bool | None, **more: Any) -> dict[str, Any]:
    at_ms = START_MS + hour * 3_600_000
    return {"id_user": user, "name": "Ordered", "occurred_ms": at_ms, "consent_personalise": agrees, **more}


def find_leaks(place: Path) -> set[str]:
    """Return where somebody is seen who must not be: the one purpose of this firm rests on consent."""
    consent = msgspec.structs.replace(make_blueprint().purposes[1], measures=("journey",))
    firm = Firm(place, make_blueprint(purposes=(consent,)))
    # Never asked; asked later than the first event; withdrew.
    firm.admit(order("never", 0, None), order("late", 0, None))
    firm.admit(order("late", 1, True), order("withdrew", 1, True))
    firm.admit(order("withdrew", 2, False))
    leaks: set[str] = set()
    rows = sum(part.rows for part in firm.manifest.parts())
    if rows != 2:  # One each of those who agreed at that moment.
        leaks.add("door")
    touches = firm.rows("personalise", "touches")
    if any(row["occurred_ms"] == START_MS for row in touches):
        leaks.add("stamp")
    if len(firm.rows("personalise", "customers")) != 1:
        leaks.add("reading")
    if firm.know.may("user:withdrew", "personalise") or firm.know.may("user:never", "personalise"):
        leaks.add("look-up")
    company = Company(place, firm.blueprint, Settings())
    with suppress(ParcoursError):
        write_log(company.rows_for("export", "personalise"), firm.blueprint, "csv", place / "log.csv")
        leaks.add("export")
    return leaks


def everybody(basis: str, recorded: Any) -> Any:
    return np.ones(len(recorded[0]), bool)


def keep_all(subject: Numbers, permitted: Numbers) -> Any:
    return np.ones(len(subject), bool)


MUTANTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "door": ("parcours.know.door.has_basis", keep_all),
    "stamp": ("parcours.know.door.permits", everybody),
    "reading": ("parcours.know.permitting.permits", everybody),
    "look-up": ("parcours.know.gate.verdict.permits", everybody),
    "export": ("parcours.company.Company.choose_purpose", lambda company, reading, purpose=None: purpose),
}


def test_with_every_gate_in_place_nobody_is_seen_who_said_no(tmp_path: Path) -> None:
    assert find_leaks(tmp_path) == set()


@pytest.mark.parametrize("place", PLACES)
def test_without_any_one_gate_somebody_is_seen(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*MUTANTS[place])
    assert place in find_leaks(tmp_path)
