"""The same message meets itself and nothing else; the same id with other content shows."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import BLUEPRINT, SEED, WEB, batch, codes, read, refused, track

from parcours.collect.compaction.reading import Placed, Reader
from parcours.collect.compaction.sameness import hash_row_events
from parcours.collect.row_keys import hash_rows
from parcours.settings import Settings


def marks(event: Any, **envelope: Any) -> tuple[int, int, int]:
    found = read(batch(event, **envelope))
    assert codes(found) == []
    return int(found.day[0]), int(found.id_hash[0]), int(found.content_hash[0])


def test_a_retry_meets_itself_whatever_changes_from_one_attempt_to_the_next() -> None:
    first = marks(track(), sent="2026-03-01T10:00:00Z")
    assert marks(track(), sent="2026-03-01T10:00:04Z") == first
    assert marks(track(sentAt="2026-03-01T10:00:09Z", _metadata={"retries": 2}, writeKey="k"), sent=...) == first
    assert marks(track(integrations={"All": False}, context={"ip": "203.0.113.9"})) == first
    assert marks(track(), context={"library": {"name": "x"}}) == first
    (found,) = (read(batch(track(), source="jitsu")),)
    assert (found.id_hash[0], found.content_hash[0]) == first[1:]


@pytest.mark.parametrize(
    "changed",
    [
        {"properties": {"order_id": "O1", "amount": 20}},
        {"properties": {"order_id": "O1", "amount": 19.9, "undeclared": 1}},
        {"event": "Order Cancelled"},
        {"traits": {"a": 1}},
        {"context": {"traits": {"a": 1}}},
        {"timestamp": "2026-03-01T09:59:57.000Z"},
        {"anonymousId": "a-1"},
        {"groupId": "G"},
        {"name": "n"},
        {"type": "page"},
    ],
)
def test_the_same_id_with_other_content_shows(changed) -> None:
    day, id, content = marks(track())
    other = marks({**track(), **changed})
    assert other[:2] == (day, id)
    assert other[2] != content


def test_a_message_is_known_by_its_id_and_its_client() -> None:
    first = marks(track())[1]
    assert marks(track(messageId="0f8fad5b-d9cb-469f-a165-70867728950f"))[1] != first
    assert marks(track(userId="C2"))[1] != first
    assert marks(track(userId=..., anonymousId="C1"))[1] == first
    assert marks(track(userId="C1", anonymousId="a-9"))[1] == first


@pytest.mark.parametrize(
    "useless",
    [
        ...,
        None,
        "",
        "  ",
        "undefined",
        "UNDEFINED",
        "null",
        "0",
        "short",
        1234567,
        "00000000-0000-0000",
        "[object Object]",
    ],
)
def test_without_a_usable_id_the_content_stands_for_it(useless) -> None:
    item = track(messageId=useless)
    found = read(batch(item, item, track(messageId=useless, properties={"order_id": "O2", "amount": 1})))
    assert found.id_hash[0] == found.id_hash[1] != found.id_hash[2]
    assert found.counts["web", "id_assigned"] == 3
    assert found.id_hash[0] != marks(track())[1]
    assert read(batch({**item, "userId": "C2"})).id_hash[0] != found.id_hash[0]
    assert read(batch({**item, "timestamp": "2026-03-01T09:59:57Z"})).id_hash[0] != found.id_hash[0]


def test_an_id_may_be_a_number_and_has_at_most_100_characters() -> None:
    assert marks(track(messageId=12345678)) == marks(track(messageId="12345678"))
    assert refused(track(messageId="x" * 101)) == "message_id_unusable"
    assert refused(track(messageId={"a": 1})) == "message_id_unusable"
    assert marks(track(messageId="é" * 100))
    assert refused(track(messageId="é" * 101)) == "message_id_unusable"


def test_only_what_is_accepted_is_counted() -> None:
    found = read(
        batch(track("Nobody Knows This", messageId=..., timestamp=...), track("Order Completed", properties={}))
    )
    assert (len(found.bad), found.counts) == (2, {})


def test_where_ids_are_reused_the_content_counts() -> None:
    reusing = {"web": msgspec.structs.replace(WEB, options={"same_id": "content"})}
    found = read(batch(track(), track(), track(properties={"order_id": "O2", "amount": 1})), sources=reusing)
    assert found.id_hash[0] == found.id_hash[1] != found.id_hash[2]
    assert found.counts == {("web", "consent_absent"): 3}


TEXTS = st.text(max_size=20).filter(lambda text: "\0" not in text)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.integers(0, 3)), min_size=1, max_size=8))
def test_what_stands_for_a_message_does_not_depend_on_its_neighbours(events) -> None:
    items = [track(messageId=f"12345678{id}", userId=f"u{user}", properties={"amount": n}) for id, user, n in events]
    together = read(batch(*items))
    assert together.events.num_rows == len(items)
    messages: dict[int, tuple[str, str]] = {}
    contents: dict[int, tuple[str, int]] = {}
    for row, (id, user, n) in enumerate(events):
        alone = read(batch(items[row]))
        assert (alone.id_hash[0], alone.content_hash[0]) == (together.id_hash[row], together.content_hash[row])
        message, content = (f"12345678{id}".strip(), f"u{user}".strip()), (f"u{user}".strip(), n)
        assert messages.setdefault(int(together.id_hash[row]), message) == message
        assert contents.setdefault(int(together.content_hash[row]), content) == content


def test_the_seed_keys_every_number() -> None:
    found = read(batch(track()))
    other = Reader({"web": WEB}, BLUEPRINT, Settings(), 1).read([Placed(7, (batch(track()),))], 0)
    assert other.id_hash[0] != found.id_hash[0]
    assert other.content_hash[0] != found.content_hash[0]


def test_a_row_never_meets_a_message_of_the_same_texts() -> None:
    keys, labels = np.array([5, 6]), pa.array(["a", "b"])
    plain = hash_rows([pa.array(["5", "6"]), labels], SEED)
    assert not set(hash_row_events(keys, labels, SEED).tolist()) & set(plain.tolist())
