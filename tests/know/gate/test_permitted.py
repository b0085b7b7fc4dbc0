"""Tests of the gate: default deny, nothing hidden shows through, a withdrawal counts at once, nothing raw lies out."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.know.conftest import HOUR_MS, START_MS, Firm, make_blueprint, words

from parcours.blueprint.records import Purpose
from parcours.errors import ParcoursError
from parcours.know import Know
from parcours.know.consent.ledger import Ledger
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.progress import Silent
from parcours.settings import Settings


def touches(firm: Firm, purpose: str) -> list[dict[str, Any]]:
    return firm.rows(purpose, "touches")


def view(person: str, hour: int, **more: Any) -> dict[str, Any]:
    return {"id_user": person, "name": "Ordered", "occurred_ms": START_MS + hour * HOUR_MS, **more}


def test_a_purpose_that_is_not_declared_opens_nothing(firm: Firm) -> None:
    with pytest.raises(ParcoursError, match="unknown_purpose"):
        firm.know.events_for("sell")


def test_a_purpose_without_a_basis_opens_nothing(firm: Firm) -> None:
    baseless = msgspec.structs.replace(firm.blueprint.purposes[0], basis="")  # type: ignore[arg-type]
    blueprint = msgspec.structs.replace(firm.blueprint, purposes=(baseless,))
    with pytest.raises(ParcoursError, match="purpose_without_basis"):
        Know(firm.folder, blueprint, Settings()).events_for("improve")


EXAMPLES = int(os.environ.get("PARCOURS_EXAMPLES", "25"))
CHOICES = st.sampled_from([None, None, True, False])
EVENTS = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 30), CHOICES, CHOICES), min_size=1, max_size=12
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=3))
def test_no_row_of_anybody_without_permission_ever_leaves(
    batches: list[list[tuple[int, int, int, bool | None, bool | None]]],
) -> None:
    stated: dict[tuple[int, str], list[tuple[int, bool]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        firm = Firm(Path(scratch))
        for batch in batches:
            firm.admit(
                *(
                    {
                        **view(f"u{person}", hour, name=("Ordered", "Delivered", "Called", "Answered")[kind]),
                        "consent_improve": improve,
                        "consent_personalise": personalise,
                        "object_order": f"o{person}",
                    }
                    for person, kind, hour, improve, personalise in batch
                )
            )
            for person, _, hour, improve, personalise in batch:
                for purpose, choice in (("improve", improve), ("personalise", personalise)):
                    if choice is not None:
                        stated.setdefault((person, purpose), []).append((hour, choice))
        for purpose in ("improve", "personalise"):
            allowed = {p for p in range(4) if is_allowed(stated.get((p, purpose), []), purpose)}
            orders = people_orders(firm)
            rows = touches(firm, purpose)
            assert {orders[row["object_order"]] for row in rows} <= allowed
            assert_path_of_visible_rows(rows)
            seen = firm.know.events_for(purpose).customers
            assert seen <= len(allowed)
            # Codes are dense among those in sight: a hole would count the hidden ones.
            assert [row["customer"] for row in firm.rows(purpose, "customers")] == list(range(seen))


def is_allowed(statements: list[tuple[int, bool]], purpose: str) -> bool:
    if not statements:
        return purpose == "improve"
    latest = max(hour for hour, _ in statements)
    return [choice for hour, choice in statements if hour == latest][-1]


def people_orders(firm: Firm) -> dict[int, int]:
    rows = firm.door.admit(firm.batch(*(view(f"u{p}", 0, object_order=f"o{p}") for p in range(4))), 10**6, 1).rows
    everyone = firm.batch(*({"object_order": f"o{p}"} for p in range(4)))
    hidden = firm.door.admit(everyone, 10**6, 1).rows.column("object_order").to_pylist()
    assert rows.num_rows <= 4
    return {order: person for person, order in enumerate(hidden)}


def assert_path_of_visible_rows(rows: list[dict[str, Any]]) -> None:
    """Previous, gap and step are those of the rows in sight: a hidden event between two leaves no trace."""
    before: dict[str, Any] | None = None
    for row in rows:
        same = before is not None and before["customer"] == row["customer"]
        assert row["previous"] == (before["touchpoint"] if same and before else None)
        assert row["gap_ms"] == (row["occurred_ms"] - before["occurred_ms"] if same and before else None)
        assert row["step"] == (before["step"] + 1 if same and before else 1)
        before = row


def test_a_hidden_event_between_two_leaves_no_trace(firm: Firm) -> None:
    firm.admit(view("u1", 0, consent_personalise=True))
    firm.admit({**view("u1", 1), "id_device": "kiosk", "name": "Called"})
    firm.admit({"id_device": "kiosk", "consent_personalise": False, "field_about": "idea"})
    firm.admit({**view("u1", 2), "id_device": "kiosk", "name": "Called"}, {**view("u1", 3), "name": "Delivered"})
    assert [row["step"] for row in touches(firm, "improve")] == [1, 2, 3, 4, 5]
    # The device refused, and it is this person's: nothing of theirs may be seen any more.
    assert touches(firm, "personalise") == []


def test_a_stamp_only_narrows(firm: Firm) -> None:
    firm.admit(view("u1", 0), view("u1", 1, consent_personalise=False, occurred_ms=START_MS))
    firm.admit(view("u1", 2, consent_personalise=True), view("u2", 3, consent_personalise=True))
    hours = [(row["occurred_ms"] - START_MS) // HOUR_MS for row in touches(firm, "personalise")]
    assert hours == [2, 3]


def test_a_withdrawal_counts_at_the_next_call(firm: Firm) -> None:
    firm.admit(view("u1", 0, consent_personalise=True), view("u2", 1, consent_personalise=True))
    before = firm.know.events_for("personalise")
    improve = firm.know.events_for("improve")
    assert before.customers == 2
    subject = pq.read_table(next((firm.folder / ".parcours" / "parts").iterdir())).column("subject").to_pylist()[0]
    ledger = Ledger(open_state(firm.folder), open_keys(firm.folder, Settings())[0])
    one, later = np.array([subject]), np.array([START_MS + 99 * HOUR_MS])
    ledger.note(1, one, np.array([0], np.int8), later, np.array([0]))
    ledger.settle(1)
    after = firm.know.events_for("personalise")
    assert after.customers == 1
    assert after.fingerprint != before.fingerprint
    assert firm.know.events_for("improve").customers == improve.customers == 2


def test_an_unchanged_company_is_not_derived_again(firm: Firm) -> None:
    firm.admit(view("u1", 0))
    first = firm.know.events_for("improve")
    made = first.tables["touches"].paths[0].stat().st_mtime_ns
    assert firm.know.events_for("improve") is first
    again = firm.again().know.events_for("improve")
    assert again.fingerprint == first.fingerprint
    assert again.tables["touches"].paths[0].stat().st_mtime_ns == made
    firm.admit(view("u2", 0))
    assert firm.know.events_for("improve").fingerprint != first.fingerprint


def test_a_purpose_declared_later_starts_with_nobody(firm: Firm) -> None:
    firm.admit(view("u1", 0))
    new = Purpose(id="sell", label=words("sell"), basis="legitimate_interest")
    later = firm.again(msgspec.structs.replace(firm.blueprint, purposes=(new, *firm.blueprint.purposes)))
    opened = later.know.events_for("sell")
    assert opened.customers == 0
    assert len(opened.warnings) == 1
    assert later.know.events_for("improve").customers == 1


def test_rows_past_their_retention_stay_inside(tmp_path: Path) -> None:
    blueprint = make_blueprint()
    kept = msgspec.structs.replace(blueprint.purposes[0], retention_days=1)
    firm = Firm(tmp_path, msgspec.structs.replace(blueprint, purposes=(kept, *blueprint.purposes[1:])))
    firm.admit(view("u1", 0))
    opened = firm.know.events_for("improve")
    assert opened.customers == 0
    assert "1" in str(opened.warnings[0])


def test_a_damaged_part_is_named_and_nothing_of_it_shown(firm: Firm) -> None:
    firm.admit(view("u1", 0))
    part = next((firm.folder / ".parcours" / "parts").iterdir())
    part.write_bytes(part.read_bytes()[:-9] + bytes(9))
    with pytest.raises(ParcoursError, match="part_damaged") as caught:
        firm.again().know.events_for("improve")
    assert part.name in str(caught.value)


def test_texts_are_masked_and_gated(firm: Firm) -> None:
    said = {"name": "Answered", "field_about": "delivery", "field_score": 3.0}
    firm.admit(
        {**said, "id_user": "u1", "field_comment": "Appelez le 06 12 34 56 78", "consent_personalise": True},
        {**said, "id_user": "u2", "field_comment": "rien"},
    )
    refs = [row["text_ref"] for row in firm.rows("improve", "answers")]
    assert firm.know.events_for("improve").read_texts(refs) == {
        refs[0]: "Appelez le [phone]",
        refs[1]: "rien",
    }
    opened = firm.know.events_for("personalise")
    assert opened.read_texts([*refs, 5]) == {refs[0]: "Appelez le [phone]"}
    firm.admit({"id_user": "u1", "consent_personalise": False, "occurred_ms": START_MS + 1})
    assert opened.read_texts(refs) == {}


MARKERS = {
    "id_user": "PLANTED-USER",
    "id_mail": "planted.mail@maison.fr",
    "id_phone": "+33612345678",
    "id_device": "PLANTED-DEVICE",
    "object_order": "PLANTED-ORDER",
    "field_comment": "PLANTED-TEXT of planted.mail@maison.fr",
}


def test_nothing_raw_lies_outside_the_vault_nor_readable_in_it(firm: Firm) -> None:
    firm.admit({**MARKERS, "name": "Answered", "field_about": "delivery", "field_score": 3.0}, {**MARKERS})
    firm.know.refresh(Silent())
    firm.know.events_for("improve")
    found: list[bytes] = []
    for path in (firm.folder / ".parcours").rglob("*"):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            found += [str(table.column(name).to_pylist()).encode() for name in table.column_names]
        elif path.is_file():
            found.append(path.read_bytes())
    assert len(found) > 30
    everything = b"\n".join(found).lower()
    assert b"delivery" in everything
    for marker in ("planted", "0612345678", "33612345678"):
        assert marker.encode() not in everything


def test_nothing_that_reads_rows_without_a_purpose_is_public() -> None:
    import parcours.know

    public = set(parcours.know.__all__)
    assert all(hasattr(parcours.know, name) for name in public)
    assert not public & {
        "Reading",
        "Vault",
        "Ledger",
        "Keys",
        "Edges",
        "Customer",
        "Permission",
        "CompanyDoor",
        "derive",
    }


def test_customers_are_those_with_an_event_now_whoever_was_seen_before(tmp_path: Path) -> None:
    firm, fresh = Firm(tmp_path / "firm"), Firm(tmp_path / "fresh")
    firm.admit(*(view(f"old{place}", place, id_device=f"d{place}") for place in range(9)))
    assert firm.know.refresh(Silent()) == 9
    gone = firm.manifest.parts()
    firm.manifest.commit(remove=[part.path for part in gone])
    firm.door.withdraw(list(range(1, 10)))
    assert firm.know.refresh(Silent()) == 0
    now = [*(view(f"new{place}", place) for place in range(5)), {"name": "Incident"}]
    now.append({**view("new0", 20), "id_mail": "a@b.fr"})
    now.append({"name": "Called", "id_mail": "a@b.fr"})
    firm.admit(*now)
    fresh.admit(*now)
    assert firm.know.refresh(Silent()) == fresh.know.refresh(Silent()) == 5
    assert firm.again().know.refresh(Silent()) == 5
    assert firm.know.events_for("improve").customers == 5


def test_tables_follow_a_withdrawal_and_go_with_their_purpose(firm: Firm) -> None:
    firm.admit(view("u1", 0, consent_personalise=True), view("u2", 1, consent_personalise=True))
    assert firm.know.events_for("personalise").customers == 2
    follower = Know(firm.folder, firm.blueprint, Settings(), follow=True)
    firm.admit(view("u1", 2, consent_personalise=False))
    assert follower.events_for("personalise").customers == 2
    firm.know.refresh_derived()
    assert follower.events_for("personalise").customers == 1
    only = firm.again(msgspec.structs.replace(firm.blueprint, purposes=firm.blueprint.purposes[:1]))
    only.know.refresh_derived()
    assert not (firm.folder / ".parcours" / "tables" / "personalise").exists()
