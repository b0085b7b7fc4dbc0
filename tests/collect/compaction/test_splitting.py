"""Taking bodies apart: what one item breaks, the others survive."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shop import RECEIVED_MS, batch, codes, read, refused, rows, single, track

from parcours.collect.compaction.splitting import alone, split
from parcours.collect.journal.delivery import BATCH, ROWS, Delivery


def body(text: str, kind: str = BATCH) -> Delivery:
    return Delivery("web", kind, RECEIVED_MS, "", text.encode("utf-8", "surrogatepass"))


def pieces(delivery: Delivery) -> list[bytes]:
    parts = split(delivery)
    assert parts is not None
    return [bytes(item) for item in parts.items]


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (json.dumps(track(properties={"title": "\ud83d"})), "lone_surrogate"),
        (json.dumps(track(userId="\udc00")), "lone_surrogate"),
        (json.dumps(track(extra="x")).replace('"x"', "[" * 5000 + "]" * 5000), "too_deep"),
        (json.dumps(track(extra="x")).replace('"x"', "1e999"), None),
        (json.dumps(track(properties={"amount": "x"})).replace('"x"', "1e999"), "number_out_of_range"),
        (json.dumps(track(extra="x")).replace('"x"', "NaN"), "json_unreadable"),
        (json.dumps(track(extra="x")).replace('"x"', '"a\nb"'), "json_unreadable"),
        (json.dumps(track()) + "x", "json_unreadable"),
        ("12", "not_an_object"),
        ("null", "not_an_object"),
        ('"x, [y] {z"', "not_an_object"),
        ('[{"a":1},2]', "not_an_object"),
    ],
)
def test_an_item_that_breaks_the_json_goes_alone(broken, code) -> None:
    found = read(batch(track(), broken, track("Order Cancelled", properties={"order_id": ']}{[,\\"'})))
    assert codes(found) == ([code] if code else [])
    assert found.place.tolist() == ([0, 2] if code else [0, 1, 2])
    assert rows(found)[-1]["object_order"] == ']}{[,\\"'
    assert [row["sent_ms"] for row in rows(found)] == [RECEIVED_MS] * len(rows(found))
    if code:
        assert codes(read(found.bad[0].delivery)) == [code]


def test_text_that_is_not_utf8_is_refused_where_it_is_read() -> None:
    text = json.dumps(track(userId="\u00e9", properties={"amount": 1, "other": "\u00e9"}), ensure_ascii=False)
    wrong = text.encode().replace('"é"'.encode(), b'"\xff"', 1)
    found = read(Delivery("web", BATCH, RECEIVED_MS, "", b'{"batch":[%b,%b]}' % (wrong, text.encode())))
    assert codes(found) == ["not_utf8"]
    assert found.place.tolist() == [1]


def test_the_envelope_survives_a_broken_item() -> None:
    context = {"consent": {"categoryPreferences": {"improve": True}}}
    found = read(batch(track(), '{"a":"\\ud800"}', sent="2026-03-01T11:00:00Z", context=context))
    (row,) = rows(found)
    assert (row["consent_improve"], row["sent_ms"]) == (True, RECEIVED_MS + 3_600_000)


@pytest.mark.parametrize(
    "text",
    [
        '{"batch":["\\ud800"',
        '{"batch":["\\ud800"]',
        '{"batch":"\\ud800"}',
        '["\\ud800"]',
        '"\\ud800"',
        '{"batch":["\\ud800]}',
        '{"batch":["\\ud800"]} more',
        '{"sentAt":"\\ud800"}',
        '{"batch":[1,,"\\ud800"]}',
        '{"batch":[1,"\\ud800",]}',
    ],
)
def test_what_cannot_be_taken_apart_is_said_to_be_so(text) -> None:
    assert split(body(text)) is None


def test_an_empty_envelope_has_no_items_even_where_something_else_is_broken() -> None:
    assert pieces(body('{"batch":[ ],"x":"\\ud800"}')) == []
    assert pieces(body("[ ]", ROWS)) == []


def test_the_last_of_two_batches_counts_as_json_has_it() -> None:
    assert pieces(body('{"batch":[1],"batch":[2,3]}')) == [b"2", b"3"]
    assert pieces(body('{"batch":[1],"x":"\\ud800","batch":[2,3]}')) == [b"2", b"3"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.lists(JSON, max_size=4), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_the_slow_way_finds_what_the_fast_one_finds(items, indent, ascii) -> None:
    def written(*more: str) -> Delivery:
        text = json.dumps(
            {"context": {"a": ["]", "}"]}, "batch": items, "sentAt": 1}, ensure_ascii=ascii, indent=indent
        )
        return body(text.removesuffix("}") + "".join(more) + "}")

    fast, slow = written(), written(',"x":"\\ud800"')
    assert [json.loads(item) for item in pieces(fast)] == items
    assert pieces(slow) == pieces(fast)
    for piece in ("sent", "context"):
        assert bytes(getattr(split(slow), piece)) == bytes(getattr(split(fast), piece))


def test_an_event_alone_says_what_it_said_among_others() -> None:
    delivery = batch(
        track(), track("Order Cancelled"), context={"a": 1}, integrations={"All": False}, writeKey="secret"
    )
    parts = split(delivery)
    assert parts is not None
    kept = json.loads(alone(delivery, parts, 1).body)
    assert kept == {
        "batch": [track("Order Cancelled")],
        "sentAt": "2026-03-01T10:00:00.000Z",
        "context": {"a": 1},
        "integrations": {"All": False},
    }
    assert alone(single("track", track()), parts, 0) == single("track", track())
    assert (
        alone(body('[{"a":1},{"b":2}]', ROWS), split(body('[{"a":1},{"b":2}]', ROWS)) or parts, 1).body == b'[{"b":2}]'
    )
    assert msgspec.structs.replace(alone(delivery, parts, 0), body=b"") == msgspec.structs.replace(delivery, body=b"")


def test_a_single_event_that_breaks_is_refused_alone() -> None:
    assert codes(read(body('{"a":"\\ud800"}', "track"), single("track", track()))) == ["lone_surrogate"]
    assert refused('{"type":"track" "event":"x"}') == "json_unreadable"
