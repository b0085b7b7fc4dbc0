"""Whole loads: totals that add up, increments, every bad input, and nothing lost when something breaks."""

from __future__ import annotations

import gzip
import os
import subprocess
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.collect import drafts, known
from parcours.engine.store.lock import company_lock
from parcours.engine.store.manifest import Manifest
from parcours.errors import ParcoursError

CELL = st.sampled_from(["1990", "5", "bad", ""])
ROW = st.tuples(st.integers(0, 6), CELL)
EDITS = st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=4)


def adds_up(counts) -> bool:
    return counts.rows_read == counts.new + counts.replaced + counts.unchanged + counts.quarantined


@settings(max_examples=15, deadline=None)
@given(edits=EDITS)
def test_totals_add_up_and_the_last_good_row_of_a_key_is_what_stands(edits) -> None:
    with tempfile.TemporaryDirectory() as place:
        acme = acme_in(Path(place) / "acme")
        truth: dict[str, float | None] = {}
        for rows in edits:
            acme.orders(*(acme.order(number, cents=cents) for number, cents in rows))
            counts = acme.load().counts
            assert adds_up(counts)
            assert counts.rows_read == len(rows)
            assert counts.quarantined == sum(cents == "bad" for _, cents in rows)
            for number, cents in rows:
                if cents != "bad":
                    truth[f"O{number}"] = int(cents) / 100 if cents else None
            events = acme.events()
            assert sorted(str(event["field_amount"]) for event in events) == sorted(map(str, truth.values()))
            assert len({event["row_key"] for event in events}) == len(truth)
            assert set(acme.door.kept) == {event["event_no"] for event in events}
        assert acme.load().counts.events == 0


def acme_in(folder: Path):
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location("collect_company", Path(__file__).with_name("conftest.py"))
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    company = module.Acme(folder)
    company.source("orders")
    return company


def test_many_rows_in_shards_give_what_few_rows_in_memory_give(acme, monkeypatch) -> None:
    monkeypatch.setattr(known, "_MEMORY_ROWS", 3)
    monkeypatch.setattr(drafts, "FLUSH_ROWS", 4)
    acme.orders(*(acme.order(i) for i in range(40)), acme.order(3, cents=7))
    first = acme.load().counts
    acme.orders(*(acme.order(i, cents=i) for i in range(20)), *(acme.order(i) for i in range(20, 45)))
    second = acme.load().counts
    assert (first.new, first.replaced, second.new, second.replaced, second.unchanged) == (40, 1, 5, 20, 20)
    assert len(acme.events()) == 45
    assert sorted(e["field_amount"] for e in acme.events())[:3] == [0.0, 0.01, 0.02]


def test_a_second_run_reads_nothing_and_an_appended_row_is_all_that_is_new(acme) -> None:
    acme.orders(*(acme.order(i) for i in range(5)))
    assert acme.load().counts.new == 5
    again = acme.load()
    assert (again.counts.unchanged, again.sources[0].files_read, again.held) == (5, 0, 5)
    acme.orders(*(acme.order(i) for i in range(6)))
    counts = acme.load().counts
    assert (counts.new, counts.unchanged, counts.events) == (1, 5, 1)


def test_a_new_date_on_the_same_content_is_no_change(acme) -> None:
    path = acme.orders(acme.order(1))
    acme.load()
    os.utime(path, ns=(1, 1))
    assert acme.load().sources[0].files_read == 0


def test_an_edit_that_keeps_size_and_date_is_seen_when_it_was_made_at_once(acme) -> None:
    path = acme.orders(acme.order(1, cents=1990))
    state = path.stat()
    acme.load()
    acme.orders(acme.order(1, cents=1991))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert acme.load().counts.replaced == 1


def test_one_bad_row_among_many_is_named_by_its_line_and_the_run_goes_on(acme) -> None:
    rows = [acme.order(i) for i in range(200_000)]
    rows[150_000] = acme.order(150_000, at="31 février")
    acme.door = _QuickDoor(acme.door)
    acme.orders(*rows)
    counts = acme.load().counts
    assert (counts.new, counts.quarantined) == (199_999, 1)
    assert acme.quarantined() == [("orders", "data/orders.csv", 150_002, "date_unreadable")]


class _QuickDoor:
    """The plain door without what it keeps by event, so that many rows go fast."""

    def __init__(self, door) -> None:
        self.door = door
        self.seal, self.row_seed, self.settle = door.seal, door.row_seed, door.settle

    def admit(self, batch, first_event_no, received_ms):
        admission = self.door.admit(batch.slice(0, 1), first_event_no, received_ms)
        rows = pa.concat_tables([admission.rows] * batch.num_rows)
        numbers = pa.array(range(first_event_no, first_event_no + batch.num_rows), pa.int64())
        rows = rows.set_column(0, "event_no", numbers).set_column(2, "row_key", batch.column("row_key"))
        return type(admission)(rows)


def test_quarantined_bytes_are_sealed_and_a_mended_row_leaves_quarantine(acme) -> None:
    acme.orders(acme.order(1, cents="abc"))
    acme.load()
    manifest = Manifest(acme.folder)
    (row,) = manifest.quarantined()
    manifest.close()
    assert b"example.org" not in row.original
    assert b"c1@example.org,abc" in acme.door.seal(row.original)
    assert "abc" not in row.reason_fr + row.reason_en
    acme.orders(acme.order(1, cents="12"))
    assert acme.load().counts.new == 1
    assert acme.quarantined() == []


def test_rows_beyond_the_cap_are_counted_and_not_kept(acme, monkeypatch) -> None:
    monkeypatch.setattr("parcours.collect.quarantine.MOST_KEPT", 3)
    acme.orders(*(acme.order(i, cents="x") for i in range(10)))
    counts = acme.load().counts
    assert (counts.quarantined, len(acme.quarantined())) == (10, 3)
    assert acme.load().counts.quarantined == 10


def test_several_events_come_from_one_row(acme) -> None:
    acme.source(
        "orders",
        """source: orders
file: data/orders.csv
key: [order_id]
time: {column: at}
ids: {user: customer}
events:
  - name: Order Completed
  - name: Parcel Delivered
    time: {column: delivered}
    when: {column: status, is: [delivered]}
""",
    )
    acme.data(
        "orders.csv",
        "order_id,at,customer,delivered,status\nA,2026-01-01,c,2026-01-03,delivered\n"
        "B,2026-01-01,c,,delivered\nC,2026-01-01,c,2026-01-04,lost\nD,2026-01-01,c,nonsense,delivered\n",
    )
    counts = acme.load().counts
    assert (counts.rows_read, counts.new, counts.quarantined, counts.events) == (4, 3, 1, 4)
    assert [event["name"] for event in acme.events()].count("Parcel Delivered") == 1


def test_a_changed_mapping_reads_the_source_anew_and_leaves_no_old_event(acme) -> None:
    acme.orders(*(acme.order(i) for i in range(5)))
    acme.load()
    text = (acme.folder / "sources" / "orders.yaml").read_text().replace("unit: cents, to: eur", "unit: eur, to: eur")
    acme.source("orders", text)
    counts = acme.load().counts
    assert (counts.replaced, counts.events) == (5, 5)
    assert {event["field_amount"] for event in acme.events()} == {1990.0}
    acme.source("orders", text.replace("key: [order_id]", "key: [order_id, at]"))
    assert acme.load().counts.new == 5
    assert len(acme.events()) == 5


def test_a_newly_declared_field_reads_the_source_anew_and_a_renamed_touchpoint_does_not(acme) -> None:
    from msgspec.structs import replace

    fields = acme.blueprint.fields
    acme.blueprint = acme.door.blueprint = replace(acme.blueprint, fields=fields[1:])
    acme.orders(acme.order(1))
    acme.load()
    assert "field_amount" not in acme.events()[0]
    acme.blueprint = acme.door.blueprint = replace(acme.blueprint, fields=fields)
    assert acme.load().counts.replaced == 1
    assert acme.events()[0]["field_amount"] == 19.9
    touchpoints = (replace(acme.blueprint.touchpoints[0], id="renamed"),)
    acme.blueprint = replace(acme.blueprint, touchpoints=touchpoints)
    assert acme.load().sources[0].files_read == 0


def test_a_file_that_went_away_keeps_its_events_even_under_a_new_mapping(acme) -> None:
    header = "order_id,at,customer,email,cents,store\n"
    text = (acme.folder / "sources" / "orders.yaml").read_text().replace("orders.csv", "orders-*.csv")
    acme.source("orders", text)
    january = acme.data("orders-1.csv", header + "A,2026-01-05,c,,100,Lyon\n")
    acme.data("orders-2.csv", header + "B,2026-02-05,c,,100,Lyon\n")
    acme.load()
    january.unlink()
    acme.source("orders", text.replace("to: eur", "to: usd"))
    report = acme.load()
    assert (report.counts.replaced, report.held) == (1, 2)
    assert any("orders-1.csv" in warning.en for warning in report.sources[0].warnings)
    assert acme.load().sources[0].files_read == 0


def test_without_a_key_exact_duplicates_count_once(acme) -> None:
    acme.source("orders", (acme.folder / "sources" / "orders.yaml").read_text().replace("key: [order_id]\n", ""))
    acme.orders(acme.order(1), acme.order(1), acme.order(2))
    report = acme.load()
    assert (report.counts.new, report.counts.unchanged, report.held) == (2, 1, 2)
    assert any("key" in warning.en for warning in report.sources[0].warnings)


def test_a_refused_event_takes_its_row_to_quarantine_and_leaves_nothing(acme) -> None:
    acme.source(
        "orders",
        """source: orders
file: data/orders.csv
key: [order_id]
time: {column: at}
ids: {user: customer}
events:
  - name: Order Completed
  - name: {column: store}
""",
    )
    acme.door.refused_name = "Lyon"
    acme.orders(acme.order(1), ("O2", "2026-01-05", "c", "", 1, "Lille"))
    counts = acme.load().counts
    assert (counts.new, counts.quarantined, counts.events) == (1, 1, 2)
    assert [event["name"] for event in acme.events()] == ["Order Completed", "Lille"]


def test_choices_are_loaded_before_the_events_that_rest_on_them(acme) -> None:
    consent = (acme.folder / "sources" / "orders.yaml").read_text().replace("source: orders", "source: zeta")
    acme.source("zeta", consent.replace("orders.csv", "z.csv") + "consent: {improve: {column: store, yes: [Lyon]}}\n")
    acme.data("z.csv", acme.orders(acme.order(1)).read_bytes())
    assert [source.source for source in acme.load().sources] == ["zeta", "orders"]


def test_every_fault_of_every_source_is_told_before_anything_is_loaded(acme) -> None:
    acme.orders(acme.order(1))
    text = (acme.folder / "sources" / "orders.yaml").read_text()
    acme.source("broken", text.replace("source: orders", "source: broken").replace("mail: email", "mail: emial"))
    acme.source("absent", text.replace("source: orders", "source: absent").replace("orders.csv", "nowhere.csv"))
    with pytest.raises(ParcoursError) as caught:
        acme.load()
    found = {fault.code: fault for fault in caught.value.faults}
    assert set(found) == {"column_missing", "file_missing"}
    assert found["column_missing"].line == 5
    assert found["column_missing"].file.endswith("sources/broken.yaml")
    assert "“email”" in found["column_missing"].remedy.en
    assert not (acme.folder / ".parcours").exists()


def test_an_empty_file_is_a_warning(acme) -> None:
    acme.data("orders.csv", b"")
    report = acme.load()
    assert report.counts.rows_read == 0
    assert any("empty" in warning.en for warning in report.sources[0].warnings)
    acme.orders()
    assert any("empty" in warning.en for warning in acme.load().sources[0].warnings)


def test_a_wrong_encoding_is_one_sentence_with_the_remedy(acme) -> None:
    rows = "order_id,at,customer,email,cents,store\n" + "1,2026-01-01,é,,1,Orléans\n" * 20
    acme.data("orders.csv", rows.encode("cp1252"))
    with pytest.raises(ParcoursError) as caught:
        acme.load()
    assert caught.value.code == "wrong_encoding"
    assert "cp1252" in caught.value.faults[0].remedy.fr
    acme.source("orders", (acme.folder / "sources" / "orders.yaml").read_text() + "csv: {encoding: cp1252}\n")
    acme.load()
    assert acme.events()[0]["field_site"] == "Orléans"


def test_the_four_formats_give_the_same_events(acme) -> None:
    path = acme.orders(*(acme.order(i) for i in range(3)))
    acme.load()
    expected = [(event["occurred_ms"], event["field_amount"], event["subject"]) for event in acme.events()]
    text = (acme.folder / "sources" / "orders.yaml").read_text()
    columns = [line.split(",") for line in path.read_text().splitlines()]
    table = pa.table({name: [row[i] for row in columns[1:]] for i, name in enumerate(columns[0])})
    pq.write_table(table, acme.folder / "data" / "orders.parquet")
    lines = "\n".join(str(row).replace("'", '"') for row in table.to_pylist())
    (acme.folder / "data" / "orders.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (acme.folder / "data" / "orders2.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    for number, name in enumerate(("orders.parquet", "orders.jsonl.gz", "orders2.csv.gz")):
        acme.source(f"more{number}", text.replace("orders.csv", name).replace("source: orders", f"source: m{number}"))
    acme.load()
    found = [(e["occurred_ms"], e["field_amount"], e["subject"], e["source"]) for e in acme.events()]
    for source in ("m0", "m1", "m2"):
        assert [row[:3] for row in found if row[3] == source] == expected


def test_two_runs_at_once_are_refused(acme) -> None:
    acme.orders(acme.order(1))
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom parcours.engine.store.lock import company_lock\n"
        "with company_lock(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    import sys

    other = subprocess.Popen([sys.executable, "-c", script, str(acme.folder)], stdout=subprocess.PIPE)
    try:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(ParcoursError) as caught:
            acme.load()
        assert caught.value.code == "already_running"
        assert str(other.pid) in str(caught.value)
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    with company_lock(acme.folder):
        assert acme.load().counts.new == 1


@pytest.mark.parametrize("moment", ["admit", "settle"])
def test_an_interruption_leaves_the_previous_state_and_no_stray_file(acme, monkeypatch, moment) -> None:
    monkeypatch.setattr(drafts, "FLUSH_ROWS", 1)
    acme.orders(*(acme.order(i) for i in range(4)))
    acme.load()
    before, files = acme.events(), sorted((acme.folder / ".parcours" / "parts").iterdir())
    acme.orders(*(acme.order(i, cents=5) for i in range(6)))
    whole = acme.door
    acme.door = _Interrupted(whole, moment)
    with pytest.raises(KeyboardInterrupt):
        acme.load()
    assert acme.events() == before
    assert sorted((acme.folder / ".parcours" / "parts").iterdir()) == files
    acme.door = whole
    counts = acme.load().counts
    assert (counts.new, counts.replaced) == (2, 4)


class _Interrupted:
    """A door at which somebody presses Ctrl-C."""

    def __init__(self, door, moment: str) -> None:
        self.door, self.moment = door, moment

    def __getattr__(self, name: str):
        if name == self.moment:
            raise KeyboardInterrupt
        return getattr(self.door, name)


def test_what_a_crash_left_behind_is_swept_away(acme) -> None:
    acme.orders(acme.order(1))
    acme.load()
    strays = [
        acme.folder / ".parcours" / "parts" / "orders-00-dead.parquet",
        acme.folder / ".parcours" / "known" / "orders-dead.rows",
        acme.folder / ".parcours" / "known" / ".log-dead.draft",
    ]
    for stray in strays[:2]:
        stray.write_bytes(b"half")
    strays[2].mkdir()
    acme.load()
    assert not any(stray.exists() for stray in strays)
    assert len(acme.events()) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own needs root to be mounted")
def test_a_full_disk_loses_nothing(acme) -> None:
    place = acme.folder / ".parcours"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=640k", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        acme.orders(*(acme.order(i) for i in range(3)))
        acme.load()
        before = acme.events()
        acme.orders(*(acme.order(i, cents=i) for i in range(30_000)))
        with pytest.raises(ParcoursError) as caught:
            acme.load()
        assert caught.value.code == "disk_full"
        assert acme.events() == before
        acme.orders(*(acme.order(i) for i in range(4)))
        assert acme.load().counts.new == 1
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_file_that_changes_while_it_is_read_is_refused(acme) -> None:
    path = acme.orders(acme.order(1))
    whole = acme.door

    class Meddler(type(whole)):
        def admit(self, batch, first_event_no, received_ms):
            path.write_text(path.read_text() + "more\n")
            return super().admit(batch, first_event_no, received_ms)

    acme.door = Meddler(acme.blueprint)
    with pytest.raises(ParcoursError) as caught:
        acme.load()
    assert caught.value.code == "file_changed"
    assert acme.events() == []


def test_a_source_that_is_no_longer_described_keeps_its_events_and_says_so(acme) -> None:
    acme.orders(acme.order(1))
    acme.load()
    (acme.folder / "sources" / "orders.yaml").rename(acme.folder / "sources" / "orders.old")
    report = acme.load()
    (warning,) = report.warnings
    assert "“orders” is no longer described: its 1 event(s)" in warning.en
    assert (report.held, report.counts.rows_read, len(acme.events())) == (1, 0, 1)


def test_the_events_of_a_source_go_as_the_warning_says(acme) -> None:
    path = acme.folder / "sources" / "orders.yaml"
    text = path.read_text()
    acme.orders(acme.order(1), acme.order(2))
    acme.load()
    path.unlink()
    acme.source("more", text.replace("source: orders", "source: more"))
    assert (acme.load().held, len(acme.load().warnings)) == (4, 1)
    acme.source("orders", text + "    when: {column: order_id, is: [nothing]}\n")
    assert acme.load().held == 2
    path.unlink()
    report = acme.load()
    assert (report.held, report.warnings) == (2, ())


def test_columns_that_no_description_names_are_counted_and_listed(acme) -> None:
    path = acme.orders(acme.order(1), acme.order(2))
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([lines[0] + ",iq,mood", *(line + ",130,low" for line in lines[1:])]) + "\n", "utf-8")
    (report,) = acme.load().sources
    assert report.undeclared == ("iq", "mood")
    manifest = Manifest(acme.folder)
    (state,) = manifest.file_states("orders").values()
    assert state.counts["undeclared"] == 2
    assert not any("mood" in str(event) or "iq" in event for event in acme.events())
