"""Journal batches into one reading: offsets, blocks, and a reader that is kept."""

from __future__ import annotations

import msgspec
from shop import BLUEPRINT, RECEIVED_MS, SEED, SOURCES, batch, read, rows, single, track

from parcours.collect.compaction import reading
from parcours.collect.compaction.reading import Placed, Reader
from parcours.settings import Settings


def test_events_stand_in_the_order_of_their_offsets_whatever_their_source() -> None:
    reader = Reader(SOURCES, BLUEPRINT, Settings(), SEED)
    first = (batch(track(), "7", track(), source="rudder"), single("track", track()), batch(track(), source="rudder"))
    found = reader.read([Placed(3, first), Placed(9, (batch(track(), source="jitsu"), batch("7")))], RECEIVED_MS)
    assert list(zip(found.batch_no.tolist(), found.place.tolist(), strict=True)) == [
        (3, 0),
        (3, 2),
        (3, 3),
        (3, 4),
        (9, 0),
    ]
    assert found.events.column("source").to_pylist() == ["rudder", "rudder", "web", "rudder", "jitsu"]
    assert [(bad.batch_no, bad.place, bad.source) for bad in found.bad] == [(3, 1, "rudder"), (9, 1, "web")]
    assert found.events.column("line").to_pylist() == found.place.tolist()
    assert found.received_ms.tolist() == [RECEIVED_MS] * 5
    assert found.original(2) == single("track", track())


def test_a_reading_in_small_blocks_says_the_same(monkeypatch) -> None:
    deliveries = [batch(*(track(messageId=f"message-{i}-{j}") for j in range(3)), "7") for i in range(10)]
    whole = read(*deliveries)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1_500)
    pieces = read(*deliveries)
    assert rows(pieces) == rows(whole)
    assert pieces.id_hash.tolist() == whole.id_hash.tolist()
    assert pieces.bad == whole.bad
    assert (pieces.counts, pieces.undeclared) == (whole.counts, whole.undeclared)
    assert [pieces.original(row) for row in range(30)] == [whole.original(row) for row in range(30)]


def test_the_original_is_what_came_and_not_what_it_was_read_as() -> None:
    sent = batch(track(context={"a": 1}, undeclared="kept as it is"), track(), context={"b": 2}, writeKey="secret")
    found = read(sent)
    kept = msgspec.json.decode(found.original(0).body)
    assert kept["batch"] == [track(context={"a": 1}, undeclared="kept as it is")]
    assert kept["context"] == {"b": 2}
    assert "writeKey" not in kept
    assert (found.original(0).source, found.original(0).received_ms, found.original(0).address) == sent_of(sent)


def sent_of(delivery) -> tuple[str, int, str]:
    return delivery.source, delivery.received_ms, delivery.address
