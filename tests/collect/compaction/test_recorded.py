"""The thirteen recorded requests: every SDK's own shape comes to the same rows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded import MEANT, RECORDED
from shop import RECEIVED_MS, codes, read, rows

from parcours.collect.journal.delivery import BATCH, Delivery


def delivery(source: str, kind: str, body: Any) -> Delivery:
    return Delivery(source, kind, RECEIVED_MS, "203.0.113.7", json.dumps(body).encode())


@pytest.mark.parametrize(("source", "kind", "body"), [one[1:] for one in RECORDED], ids=[one[0] for one in RECORDED])
def test_it_comes_to_what_it_means(source, kind, body) -> None:
    found = read(delivery(source, kind, body))
    calls = [item["type"] for item in body["batch"]] if kind == BATCH else [kind]
    assert codes(found) == []
    assert rows(found) == [MEANT[call] for call in calls]
    assert found.events.column("source").to_pylist() == [source] * len(calls)
    assert found.counts == {}


def test_all_thirteen_in_one_journal_batch_keep_their_order() -> None:
    assert len(RECORDED) == 13
    found = read(*(delivery(*one[1:]) for one in RECORDED))
    calls = []
    for _, _, kind, body in RECORDED:
        calls += [item["type"] for item in body["batch"]] if kind == BATCH else [kind]
    assert rows(found) == [MEANT[call] for call in calls]
    assert found.place.tolist() == list(range(len(calls)))
    # The browser's envelope repeats two events that it sent by themselves before: they meet themselves, and no others.
    same = [(4, 11), (5, 10)]
    marks = list(zip(found.day.tolist(), found.id_hash.tolist(), found.content_hash.tolist(), strict=True))
    assert [(one, other) for one in range(17) for other in range(one + 1, 17) if marks[one] == marks[other]] == same
    assert len(set(found.id_hash.tolist())) == 15
