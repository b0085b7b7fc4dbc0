"""Tests of the door: pseudonyms outside, sealed values inside, choices recorded, nobody kept without a basis."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from parcours.collect.door import part_schema
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.know.vault import Vault
from parcours.progress import Silent
from parcours.settings import Settings

from .conftest import START_MS, Firm


def subjects(firm: Firm, *events: dict[str, Any]) -> list[int | None]:
    return list(firm.admit(*events).rows.column("subject").to_pylist())


def test_rows_have_the_shape_of_a_part(firm: Firm) -> None:
    rows = firm.admit({"id_user": "u1", "field_about": "idea"}, {"name": "Incident"}).rows
    assert rows.schema == part_schema(dict(firm.blueprint.field_kinds()), firm.blueprint.objects)
    assert rows.column("event_no").to_pylist() == [1, 2]
    assert rows.column("field_about").to_pylist() == ["idea", None]


def test_the_strongest_identifier_is_the_subject(firm: Firm) -> None:
    user, both, mail, same, phone, device = subjects(
        firm,
        {"id_user": "u1"},
        {"id_user": "u1", "id_mail": "a@b.fr", "id_device": "d1"},
        {"id_mail": " A@B.fr", "id_phone": "06 12 34 56 78"},
        {"id_mail": "a@b.fr"},
        {"id_phone": "+33612345678", "id_device": "d1"},
        {"id_device": "d1"},
    )
    assert user == both
    assert mail == same
    assert len({user, mail, phone, device}) == 4


def test_blocked_identifiers_are_absent(firm: Firm) -> None:
    named = subjects(firm, {"id_user": "undefined", "id_mail": "a@b.fr"}, {"id_mail": "a@b.fr"}, {"id_user": "null"})
    assert named[0] == named[1] is not None
    assert named[2] is None


def test_unusable_identifiers_are_refused_with_their_row(firm: Firm) -> None:
    admission = firm.admit({"id_user": "u1"}, {"id_user": "a\x00b"}, {"id_mail": "x" * 256})
    assert [(refusal.row, refusal.code) for refusal in admission.refusals] == [
        (1, "identifier_unusable"),
        (2, "identifier_unusable"),
    ]
    assert admission.rows.num_rows == 1
    assert admission.discarded == 0


def test_a_collision_is_refused(firm: Firm) -> None:
    firm.admit({"id_user": "u1"})
    open_state(firm.folder).execute("UPDATE vault SET fingerprint = fingerprint + 1")
    admission = firm.again().admit({"id_user": "u1"}, {"id_user": "u2"})
    assert [refusal.code for refusal in admission.refusals] == ["pseudonym_collision"]


def test_an_event_that_nobody_allows_is_discarded(firm: Firm) -> None:
    firm.blueprint = type(firm.blueprint)(
        **{
            **{name: getattr(firm.blueprint, name) for name in firm.blueprint.__struct_fields__},
            "purposes": firm.blueprint.purposes[1:],
        }
    )
    firm = firm.again()
    admission = firm.admit(
        {"id_user": "u1"},
        {"id_user": "u2", "consent_personalise": True},
        {"id_user": "u3", "consent_personalise": False},
        {"name": "Incident"},
    )
    assert admission.discarded == 2
    assert admission.rows.column("row_key").to_pylist() == [1, 3]
    assert open_state(firm.folder).execute("SELECT count(*) FROM vault") == [(1,)]


def test_stamps_say_what_was_allowed(firm: Firm) -> None:
    rows = firm.admit(
        {"id_user": "u1"},
        {"id_user": "u2", "consent_personalise": True},
        {"id_user": "u3", "consent_personalise": True, "consent_improve": False},
        {"id_user": "u2", "id_device": "d9"},
        {"id_device": "d9"},
    ).rows
    assert rows.column("permitted").to_pylist() == [1, 3, 2, 3, 1]


def test_of_several_choices_the_strictest_decides(firm: Firm) -> None:
    firm.admit({"id_user": "u1", "consent_personalise": True}, {"id_mail": "a@b.fr", "consent_personalise": False})
    rows = firm.admit({"id_user": "u1"}, {"id_user": "u1", "id_mail": "a@b.fr"}).rows
    assert rows.column("permitted").to_pylist() == [3, 1]


def test_objects_are_pseudonyms_and_agree(firm: Firm) -> None:
    column = firm.admit(
        {"name": "Packed", "object_order": " o1"}, {"name": "Packed", "object_order": "o1", "object_parcel": "o1"},
        {"name": "Packed", "object_order": "null"},
    ).rows  # fmt: skip
    order, parcel = column.column("object_order").to_pylist(), column.column("object_parcel").to_pylist()
    assert order[0] == order[1] not in (None, parcel[1])
    assert order[2] is None


def test_a_second_load_knows_the_same_people(firm: Firm) -> None:
    before = subjects(firm, {"id_user": "u1"}, {"id_mail": "a@b.fr"})
    assert subjects(firm.again(), {"id_user": "u1"}, {"id_mail": "a@b.fr"}) == before
    assert open_state(firm.folder).execute("SELECT count(*) FROM vault") == [(2,)]


def test_the_vault_gives_back_what_it_was_given(firm: Firm) -> None:
    rows = firm.admit({"id_mail": "Claire@Maison.fr", "name": "Answered", "field_comment": "Très bien"}).rows
    state, keys = open_state(firm.folder), open_keys(firm.folder, Settings())[0]
    vault = Vault(state, keys)
    subject, ref = rows.column("subject")[0].as_py(), rows.column("text_comment")[0].as_py()
    assert vault.read_identifier(subject) == "claire@maison.fr"
    assert vault.read_texts([ref, 999]) == {ref: (subject, "Très bien")}
    keys.destroy([subject])
    assert vault.read_identifier(subject) is None
    assert vault.read_texts([ref]) == {}


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("vault", "sealed = zeroblob(length(sealed))"),
        ("vault", "first_event_no = first_event_no + 1"),
        ("texts", "sealed = zeroblob(length(sealed))"),
        ("texts", "event_no = event_no + 1"),
    ],
)
def test_an_altered_vault_row_is_named(firm: Firm, table: str, change: str) -> None:
    rows = firm.admit({"id_mail": "claire@maison.fr", "name": "Answered", "field_comment": "Très bien"}).rows
    subject, ref = rows.column("subject")[0].as_py(), rows.column("text_comment")[0].as_py()
    state = open_state(firm.folder)
    state.execute(f"UPDATE {table} SET {change}")
    vault = Vault(state, open_keys(firm.folder, Settings())[0])
    with pytest.raises(ParcoursError, match="state_damaged") as caught:
        vault.read_identifier(subject) if table == "vault" else vault.read_texts([ref])
    assert str(subject if table == "vault" else ref) in str(caught.value)


def test_texts_of_nobody_are_not_kept(firm: Firm) -> None:
    rows = firm.admit(
        {"name": "Answered", "field_comment": "call 0612345678"}, {"id_user": "u", "field_comment": " "}
    ).rows
    assert rows.column("text_comment").null_count == 2
    assert open_state(firm.folder).execute("SELECT count(*) FROM texts") == [(0,)]


def test_withdrawn_events_leave_no_edge_and_no_text(firm: Firm) -> None:
    firm.admit(
        {"id_user": "u1", "id_mail": "a@b.fr", "field_comment": "one"},
        {"id_user": "u2", "id_mail": "c@d.fr", "field_comment": "two"},
    )
    assert firm.know.refresh(Silent()) == 2
    firm.door.withdraw([2])
    firm.door.withdraw([])
    assert firm.know.refresh(Silent()) == 3
    assert open_state(firm.folder).execute("SELECT event_no FROM texts") == [(1,)]


def test_quarantined_rows_are_sealed(firm: Firm) -> None:
    sealed = firm.door.seal(b"claire@maison.fr;oui")
    assert b"claire" not in sealed
    assert open_keys(firm.folder, Settings())[0].unseal(sealed) == b"claire@maison.fr;oui"
    assert firm.door.row_seed() == firm.again().door.row_seed()


def test_nothing_is_durable_before_settling_but_what_is_harmless(firm: Firm) -> None:
    firm.door.admit(firm.batch({"id_user": "u1", "id_mail": "a@b.fr", "consent_personalise": True}), 1, START_MS)
    state = open_database(firm.folder / ".parcours" / "state.db")
    assert state.execute("SELECT (SELECT count(*) FROM consent), (SELECT count(*) FROM edges)") == [(0, 0)]
    firm.door.settle()
    assert state.execute("SELECT (SELECT count(*) FROM consent), (SELECT count(*) FROM edges)") == [(2, 1)]


def test_an_empty_batch_gives_an_empty_table(firm: Firm) -> None:
    admission = firm.door.admit(firm.batch(), 1, START_MS)
    assert isinstance(admission.rows, pa.Table)
    assert admission.rows.num_rows == 0
