"""Tests of the door: pseudonyms outside, sealed values inside, choices recorded, nobody kept without a basis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from parcours.blueprint.records import Purpose
from parcours.collect.door import part_schema
from parcours.collect.load import load
from parcours.engine.store.sqlite import open_database
from parcours.errors import ParcoursError
from parcours.know.identity.edges import Edges
from parcours.know.keys import open_keys
from parcours.know.pseudonyms import quick_checksums
from parcours.know.state import open_state, tally_of
from parcours.know.vault import Vault
from parcours.progress import Silent
from parcours.settings import Settings

from .conftest import START_MS, Firm, make_blueprint


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
    state = open_state(firm.folder)
    rows = np.array(state.execute("SELECT pseudonym, fingerprint + 1, first_event_no FROM vault"), np.int64)
    sums, before = quick_checksums(rows), state.execute("SELECT checksum FROM vault")[0]
    state.execute("UPDATE vault SET fingerprint = ?, checksum = ?", (int(rows[0, 1]), int(sums[0])))
    with state.transaction():
        tally_of(state, "vault").note(added=sums.tolist(), removed=before)
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
    firm.admit({"id_mail": "c@d.fr"}, {"id_mail": "a@b.fr"})
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


KILLED = """
import os, sys
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from conftest import make_blueprint

from parcours.collect.load import load
from parcours.engine.store.manifest import Manifest
from parcours.know import Know
from parcours.settings import Settings

folder, blueprint = Path(sys.argv[1]), make_blueprint()
Manifest.commit = lambda manifest, **change: os._exit(9)
load(folder, blueprint, Settings(), Know(folder, blueprint, Settings()).door())
"""
SOURCE = """source: {name}
file: {name}.csv
key: [no]
time: {{column: at}}
ids: {{user: user, mail: mail}}
consent: {{personalise: {{column: agreed, "yes": ["1"]}}}}
fields: {{comment: comment}}
events: [{{name: Called}}]
"""


def kept_in(firm: Firm) -> dict[str, list[Any]]:
    """Return what the vault and the ledger hold: raw identifiers, raw texts, edges by event, and choices."""
    state, keys = open_state(firm.folder), open_keys(firm.folder, Settings())[0]
    vault = Vault(state, keys)
    refs = [int(str(row[0])) for row in state.execute("SELECT ref FROM texts")]
    return {
        "identifiers": sorted(str(vault.read_identifier(number)) for number in vault.first_seen()[0].tolist()),
        "texts": sorted(text for _, text in vault.read_texts(refs).values()),
        "edges": sorted(Edges(state, keys).read()[:, 0].tolist()),
        "choices": [row[0] for row in state.execute("SELECT choice FROM consent ORDER BY entry_no")],
    }


def write_source(folder: Path, name: str, *rows: str) -> None:
    (folder / "sources").mkdir(exist_ok=True)
    (folder / "sources" / f"{name}.yaml").write_text(SOURCE.format(name=name), "utf-8")
    (folder / f"{name}.csv").write_text("\n".join(["no,at,user,mail,agreed,comment", *rows]), "utf-8")


def test_what_a_killed_load_has_kept_is_forgotten_by_the_next(tmp_path: Path) -> None:
    def load_source(name: str, *rows: str, killed: bool = False) -> Firm:
        write_source(tmp_path, name, *rows)
        if killed:
            command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent)]
            assert subprocess.run(command, check=False).returncode == 9
        firm = Firm(tmp_path)
        if not killed:
            load(tmp_path, firm.blueprint, Settings(), firm.door)
        return firm

    load_source("first", "1,2026-01-01T10:00:00Z,u1,a@b.fr,,before")
    left = kept_in(load_source("second", "1,2026-01-02T10:00:00Z,u2,c@d.fr,0,lost", killed=True))
    assert (left["texts"], left["edges"], left["choices"]) == (["before", "lost"], [1, 2], [0, 0])
    firm = load_source("second", "1,2026-01-02T10:00:00Z,u1,e@f.fr,,after")
    assert kept_in(firm) == {
        "identifiers": ["a@b.fr", "e@f.fr", "u1"],
        "texts": ["after", "before"],
        "edges": [1, 3],
        "choices": [0, 0],
    }
    assert [row["event_no"] for row in firm.rows("improve", "touches")] == [1, 3]
    assert firm.manifest.cut_short() is None


def test_a_new_purpose_has_every_source_read_again_and_stamped_with_it(tmp_path: Path) -> None:
    write_source(tmp_path, "calls", "1,2026-01-01T10:00:00Z,u1,,1,", "2,2026-01-01T10:00:00Z,u2,,0,")
    write_source(tmp_path, "more", "1,2026-01-01T10:00:00Z,u3,,1,")

    def load_again(*purposes: Purpose) -> dict[str, int]:
        firm = Firm(tmp_path, make_blueprint(purposes=purposes))
        load(tmp_path, firm.blueprint, Settings(), firm.door)
        return {purpose.id: firm.know.events_for(purpose.id).customers for purpose in purposes}

    improve, personalise = make_blueprint().purposes
    assert load_again(personalise) == {"personalise": 2}
    added = load_again(personalise, improve)
    assert added == {"personalise": 2, "improve": 3}
    assert load_again(improve, personalise) == added
    assert load_again(personalise) == {"personalise": 2}
    consented = msgspec.structs.replace(improve, basis="consent")
    assert load_again(personalise, consented) == {"personalise": 2, "improve": 0}
    assert load_again(personalise, improve) == added
