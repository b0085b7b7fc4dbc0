"""Files of one company that are of two moments: told before anything is derived, taken in or deleted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.know.conftest import Firm

from parcours.errors import ParcoursError
from parcours.know import verify
from parcours.progress import Silent
from parcours.settings import Settings


def close(firm: Firm) -> None:
    """Let go of the files, so that they hold everything themselves."""
    firm.manifest.close()
    for database in (firm.know._manifest.database, firm.know._state, firm.know._keys):
        database.close()


def step_back(folder: Path, name: str) -> None:
    """Let two events come in, and put the file ``name`` back to where it was after the first."""
    firm = Firm(folder)
    firm.admit({"id_user": "u1"})
    close(firm)
    before = shutil.copytree(folder, folder.with_name("before"))
    firm = Firm(folder)
    firm.admit({"id_user": "u2", "name": "Ordered"})
    close(firm)
    shutil.copy(before / ".parcours" / name, folder / ".parcours" / name)


def open_door(folder: Path) -> object:
    return Firm(folder).door


def derive(folder: Path) -> object:
    return Firm(folder).know.events_for("improve")


@pytest.mark.parametrize("act", [open_door, derive])
@pytest.mark.parametrize(("older", "newer"), [("state.db", "journal.db"), ("journal.db", "state.db")])
def test_a_file_that_went_back_alone_is_named(
    tmp_path: Path, older: str, newer: str, act: Callable[[Path], object]
) -> None:
    step_back(tmp_path / "firm", older)
    with pytest.raises(ParcoursError) as caught:
        act(tmp_path / "firm")
    assert caught.value.code == "moments_apart"
    assert f"{older} is older than {newer}" in caught.value.faults[0].sentence.en
    faults = verify(tmp_path / "firm", Settings(), Silent()).faults
    assert "moments_apart" in [fault.code for fault in faults]


def test_a_crash_between_the_two_is_no_difference(tmp_path: Path) -> None:
    firm = Firm(tmp_path)
    firm.admit({"id_user": "u1"})
    first = firm.manifest.reserve_event_nos(1)
    firm.door.admit(firm.batch({"id_user": "u2"}), first, 0)
    firm.door.settle()  # Settled, and never in force.
    again = firm.again()
    assert again.know.events_for("improve").customers == 1
    again.door.forget_from(first)
    again.admit({"id_user": "u3"})
    assert again.again().know.events_for("improve").customers == 2


def test_keys_that_went_back_alone_are_told_by_verify(tmp_path: Path) -> None:
    step_back(tmp_path / "firm", "keys.db")
    faults = verify(tmp_path / "firm", Settings(), Silent()).faults
    assert [(fault.code, fault.level) for fault in faults] == [("keys_missing", "warning")]
