"""Tests of tombstones: whom they cover and when, at the door and wherever somebody reads, and how they are lifted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.know.conftest import START_MS, Firm

from parcours.errors import ParcoursError
from parcours.know.keys import open_keys
from parcours.know.pseudonyms import digest_identifiers
from parcours.know.rights.tombstones import NEVER, Tombstones
from parcours.know.state import open_state
from parcours.know.vault import Vault
from parcours.settings import Settings

CHOICE = "Segment Consent Preference Updated"
ERASED_MS = START_MS + 1_000


def open_tombstones(folder: Path) -> Tombstones:
    return Tombstones(open_state(folder), open_keys(folder, Settings())[0])


def pseudonym(firm: Firm, kind: str, value: str) -> int:
    keys, _ = open_keys(firm.folder, Settings())
    return int(digest_identifiers(kind, [value], keys.pseudonyms)[0][0])


def erase(firm: Firm, *named: tuple[str, str], done: bool = True) -> Tombstones:
    """Set tombstones from another connection, as another process does."""
    stones = open_tombstones(firm.folder)
    stones.put(np.array([pseudonym(firm, *one) for one in named], np.int64), 1, ERASED_MS, NEVER)
    if done:
        stones.finish(1)
    return stones


def test_covers_those_and_no_others(tmp_path: Path) -> None:
    stones = open_tombstones(tmp_path)
    draw = np.random.default_rng(1)
    everybody = np.unique(draw.integers(0, 2**62, 200_000))
    some = np.sort(draw.choice(everybody, 500, replace=False))
    stones.put(some, 1, 5, 10)
    for held in (stones, open_tombstones(tmp_path)):
        assert (held.covers(everybody) == np.isin(everybody, some)).all()
        assert not held.covers(np.array([-1, -2, -3])).any()
    assert stones.count() == 500
    assert open_tombstones(tmp_path).version() == stones.version()


def test_nobody_reads_an_identifier_out_of_a_tombstone(tmp_path: Path) -> None:
    stones = open_tombstones(tmp_path)
    stones.put(np.array([2**40 + 7]), 1, 5, 10)
    rows = open_state(tmp_path).execute("SELECT * FROM tombstones")
    assert 2**40 + 7 not in [cell for row in rows for cell in row]


def test_an_altered_tombstone_is_named(tmp_path: Path) -> None:
    open_tombstones(tmp_path).put(np.array([1, 2]), 1, 5, 10)
    open_state(tmp_path).execute("UPDATE tombstones SET back_ms = 0")
    with pytest.raises(ParcoursError) as caught:
        open_tombstones(tmp_path).covers(np.array([1]))
    assert caught.value.code == "row_damaged"
    assert len(list(open_tombstones(tmp_path).verify())) >= 1


def test_tombstones_expire(tmp_path: Path) -> None:
    stones = open_tombstones(tmp_path)
    stones.put(np.array([1, 2]), 1, 5, 10)
    stones.put(np.array([3]), 2, 5, 20)
    assert stones.expire(15) == 2
    assert stones.covers(np.array([1, 2, 3])).tolist() == [False, False, True]


def test_the_door_discards_and_counts_what_is_of_the_erased(firm: Firm) -> None:
    firm.admit({"id_user": "u1", "id_mail": "u1@x.fr"}, {"id_user": "u2"})
    erase(firm, ("user", "u1"), ("mail", "u1@x.fr"))
    admission = firm.admit({"id_user": "u1"}, {"id_mail": " U1@x.fr"}, {"id_user": "u2"}, {"name": "Incident"})
    assert admission.rows.column("subject").to_pylist() == [pseudonym(firm, "user", "u2"), None]
    assert (admission.discarded, admission.refusals) == (2, ())


def test_an_unusable_identifier_beside_an_erased_one_is_no_reason_to_keep_the_event(firm: Firm) -> None:
    erase(firm, ("user", "u1"))
    admission = firm.admit({"id_user": "u1", "id_mail": "x" * 300})
    assert (admission.rows.num_rows, admission.discarded, admission.refusals) == (0, 1, ())


def test_an_erased_identifier_beside_a_stronger_one_is_left_out(firm: Firm) -> None:
    erase(firm, ("mail", "u1@x.fr"))
    admission = firm.admit({"id_user": "u2", "id_mail": "u1@x.fr", "consent_personalise": True})
    assert admission.rows.num_rows == 1
    state, keys = open_state(firm.folder), open_keys(firm.folder, Settings())[0]
    assert Vault(state, keys).read_identifier(pseudonym(firm, "mail", "u1@x.fr")) is None
    assert not state.execute("SELECT 1 FROM edges")
    assert firm.know.timeline("mail:u1@x.fr", "improve").count == 0
    assert firm.know.timeline("user:u2", "improve").count == 1


def test_a_shared_device_gets_none_of_an_erased_person_s_events(firm: Firm) -> None:
    beside = [{"id_user": f"u{number}", "id_device": "kiosk"} for number in (1, 2, 3)]
    firm.admit(*beside, {"id_device": "kiosk"})
    erase(firm, ("user", "u1"))
    assert firm.admit({"id_user": "u1", "id_device": "kiosk"}).discarded == 1
    assert firm.know.timeline("device:kiosk", "improve").count == 1


def test_nothing_returns_the_erased_from_the_moment_of_the_tombstone(firm: Firm) -> None:
    firm.admit({"id_user": "u1", "id_mail": "u1@x.fr", "name": "Called"}, {"id_user": "u2", "name": "Called"})
    assert firm.know.timeline("mail:u1@x.fr", "improve").count == 1
    assert len(firm.rows("improve", "touches")) == 2
    firm.know.refresh_profiles("improve")
    erase(firm, ("user", "u1"), ("mail", "u1@x.fr"), done=False)
    for identifier in ("user:u1", "mail:u1@x.fr", "u1"):
        assert firm.know.timeline(identifier, "improve").count == 0
        assert firm.know.profile(identifier, "improve").events == 0
        assert firm.know.may(identifier, "improve").code == "erased"
    assert len(firm.rows("improve", "touches")) == 1
    assert firm.know.timeline("user:u2", "improve").count == 1


def test_a_new_agreement_lets_somebody_back_in_from_then_on(firm: Firm) -> None:
    firm.admit({"id_user": "u1"})
    erase(firm, ("user", "u1"))
    agrees = {"id_user": "u1", "name": CHOICE, "consent_personalise": True}
    before, after = {"occurred_ms": ERASED_MS - 1}, {"occurred_ms": ERASED_MS + 50}
    assert firm.admit(agrees | before).discarded == 1
    assert firm.admit(agrees | after | {"name": "Called"}).discarded == 1
    assert firm.admit({**agrees, **after, "consent_personalise": False}).discarded == 1
    back = firm.admit(agrees | after, {"id_user": "u1", "occurred_ms": ERASED_MS + 60}, {"id_user": "u1", **before})
    assert (back.rows.num_rows, back.discarded) == (2, 1)
    # Whoever opens it later sees the same: what occurred before stays erased.
    again = firm.again().admit({"id_user": "u1", "occurred_ms": ERASED_MS + 70}, {"id_user": "u1", **before})
    assert (again.rows.num_rows, again.discarded) == (1, 1)
    stone = open_tombstones(firm.folder).find(np.array([pseudonym(firm, "user", "u1")]))[0]
    assert stone.back_ms == ERASED_MS + 50
    assert stone.proof >= 1
    assert firm.know.timeline("user:u1", "improve").count == 3 + 1


def test_nobody_comes_back_while_the_erasure_is_carried_out(firm: Firm) -> None:
    erase(firm, ("user", "u1"), done=False)
    agrees = {"id_user": "u1", "name": CHOICE, "consent_personalise": True, "occurred_ms": ERASED_MS + 50}
    assert firm.admit(agrees).discarded == 1


def test_a_return_that_was_not_settled_is_none(firm: Firm) -> None:
    erase(firm, ("user", "u1"))
    agrees = {"id_user": "u1", "name": CHOICE, "consent_personalise": True, "occurred_ms": ERASED_MS + 50}
    firm.door.admit(firm.batch(agrees), 100, START_MS)
    firm.door.forget_from(100)
    assert firm.admit({"id_user": "u1", "occurred_ms": ERASED_MS + 60}).discarded == 1
