"""The company as a whole: what is derived stays the same when parts are merged, and while somebody reads it."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from tests.know.conftest import HOUR_MS, START_MS, Firm, make_blueprint

from parcours.blueprint.records import Field
from parcours.collect.compaction.merging import keep_compact
from parcours.progress import Silent

PURPOSES = ("improve", "personalise")


def live(firm: Firm, calls: int, draw: np.random.Generator) -> None:
    """Let small batches of every kind of event come in."""
    names = ["Ordered", "Delivered", "Answered", "Called", "Viewed", "Scanned", "Checked", "Packed", "Incident"]
    for _ in range(calls):
        events = []
        for _ in range(int(draw.integers(1, 6))):
            customer, order = int(draw.integers(0, 9)), int(draw.integers(0, 12))
            event: dict[str, Any] = {
                "name": str(draw.choice(names)),
                "occurred_ms": START_MS + int(draw.integers(0, 40)) * HOUR_MS,
                "id_user": f"C{customer}" if draw.random() < 0.8 else None,
                "id_device": f"D{customer}" if draw.random() < 0.5 else None,
                "object_order": f"O{order}" if draw.random() < 0.7 else None,
                "field_about": str(draw.choice(["delivery", "help", "product"])),
                "field_score": float(draw.integers(0, 8)) if draw.random() < 0.8 else None,
                "field_comment": "fine" if draw.random() < 0.2 else None,
                "field_site": str(draw.choice(["Lyon", "Lille"])) if draw.random() < 0.6 else None,
                "field_segment": f"S{customer % 3}" if draw.random() < 0.5 else None,
                "field_amount": float(draw.integers(1, 99)) if draw.random() < 0.5 else None,
                "field_delay_h": float(draw.integers(0, 9)),
                "field_state": str(draw.choice(["broken", "sound"])),
                "consent_personalise": bool(draw.random() < 0.7) if draw.random() < 0.5 else None,
            }
            events.append(event)
        firm.admit(*events)


def derived(firm: Firm) -> dict[str, Any]:
    """Derive everything from nothing and return it all."""
    shutil.rmtree(firm.folder / ".parcours" / "tables", ignore_errors=True)
    firm = firm.again()
    told: dict[str, Any] = {"customers": firm.know.refresh(Silent())}
    for purpose in PURPOSES:
        rows = firm.know.events_for(purpose)
        told[purpose] = rows.customers, rows.period, [str(warning) for warning in rows.warnings]
        told |= {f"{purpose} {name}": pq.read_table(table.paths[0]) for name, table in rows.tables.items()}
    return told


def test_merging_parts_changes_nothing_that_is_derived(tmp_path) -> None:
    draw = np.random.default_rng(8)
    firm = Firm(tmp_path)
    live(firm, 60, draw)
    # A field that is declared later: parts before have no such column.
    later = firm.again(make_blueprint(fields=(Field(id="colour", kind="category"),)))
    live(later, 60, draw)
    before, parts = derived(later), len(later.manifest.parts())
    told = later.know.events_for("improve")
    assert keep_compact(tmp_path, later.manifest).merges > 10
    assert len(later.manifest.parts()) < parts / 2
    assert later.know.events_for("improve") is told
    after = derived(later)
    assert before["customers"] > 5
    assert {name: str(value) for name, value in after.items()} == {name: str(value) for name, value in before.items()}
    assert all(after[name].equals(before[name]) for name in before if " " in name)


def test_rows_that_were_opened_can_be_read_after_they_were_derived_anew(tmp_path) -> None:
    draw = np.random.default_rng(9)
    firm = Firm(tmp_path)
    live(firm, 5, draw)
    rows = firm.know.events_for("improve")
    path = rows.tables["touches"].paths[0]
    content = path.read_bytes()
    other = firm.again()
    for _ in range(2):
        live(other, 5, draw)
        assert other.know.events_for("improve").fingerprint != rows.fingerprint
    assert path.read_bytes() == content
    del rows
    firm.know.events_for("improve")
    live(other, 1, draw)
    other.know.events_for("improve")
    assert not path.exists()


def test_a_damaged_derived_table_is_made_anew(tmp_path) -> None:
    firm = Firm(tmp_path)
    live(firm, 5, np.random.default_rng(9))
    path = firm.know.events_for("improve").tables["touches"].paths[0]
    content = path.read_bytes()
    path.write_bytes(content[:100] + bytes([content[100] ^ 255]) + content[101:])
    again = firm.again().know.events_for("improve").tables["touches"].paths[0]
    assert again != path
    assert again.read_bytes() == content
