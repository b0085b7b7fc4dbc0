"""Anything may be sent: each item of each delivery is exactly one event or one refusal, and never harms another."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping import read_and_check
from shop import RECEIVED_MS, batch, track

from parcours.collect.journal.delivery import BATCH, CALLS, ROWS, Delivery

NASTY = [
    '"\\ud800"',
    '"\\udc00x"',
    '"a\\u0000b"',
    '"\\u0000"',
    "1e999",
    "-1e999",
    "9" * 400,
    "9" * 5000,
    "-0",
    "0.1e-400",
    "18446744073709551616",
    "[" * 3000 + "]" * 3000,
    '{"a":' * 1500 + "1" + "}" * 1500,
    '{"type":"track","type":"page"}',
    "true",
    '""',
    '"   "',
    "[]",
    "{}",
    "[[],{}]",
    '"' + "x" * 40_000 + '"',
    '"9999-12-31T23:59:59Z"',
    '"0000-00-00"',
    '"1e5"',
    '"NaN"',
    '"+5"',
    '".5"',
    '"1,5"',
    '"\\u00a0"',
    "1700000000",
    "1700000000000",
]
BROKEN = ["nope", "tru", '{"a":01}', '{"a"}', "{,}", '{"type":"track" "x":1}', '"\\q"', "+1", "0x1"]

PATHS = [
    *((name,) for name in ("type", "event", "messageId", "userId", "anonymousId", "previousId", "groupId", "name")),
    *((name,) for name in ("timestamp", "originalTimestamp", "sentAt", "properties", "traits", "context", "other")),
    *(("properties", name) for name in ("amount", "quantity", "site", "order_id", "order", "comment", "survey", "x")),
    *(("traits", name) for name in ("email", "phone", "segment")),
    ("context", "traits"),
    ("context", "traits", "email"),
    ("context", "consent"),
    ("context", "consent", "categoryPreferences"),
    ("context", "consent", "categoryPreferences", "improve"),
]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
).map(json.dumps) | st.sampled_from(NASTY)
"""JSON texts of anything."""


def _write(tree: Any) -> str:
    """Return a tree of dictionaries whose leaves are JSON texts."""
    if not isinstance(tree, dict):
        return str(tree)
    return "{" + ",".join(f"{json.dumps(name)}:{_write(value)}" for name, value in tree.items()) + "}"


def _as_tree(value: Any) -> Any:
    return {name: _as_tree(one) for name, one in value.items()} if isinstance(value, dict) else json.dumps(value)


@st.composite
def calls(draw: st.DrawFn) -> str:
    """Return a call in which anything may stand anywhere."""
    event = draw(st.sampled_from(["Order Completed", "Order Cancelled", "Survey Answered", "Nobody Knows This"]))
    type = draw(st.sampled_from(["track", *CALLS, "Track"]))
    tree = _as_tree(track(event, type=type, groupId="G1", previousId="a-0"))
    for path in draw(st.lists(st.sampled_from(PATHS), max_size=3)):
        home = tree
        for name in path[:-1]:
            if not isinstance(home.get(name), dict):
                home[name] = {}
            home = home[name]
        home[path[-1]] = draw(values)
    for name in draw(st.lists(st.sampled_from(sorted(tree)), max_size=1)):
        del tree[name]
    return _write(tree)


items = st.one_of(calls(), calls(), calls(), calls(), values, st.sampled_from(BROKEN))
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
GOOD = track(messageId="a-good-one-before-and-after")


@settings(max_examples=250, deadline=None, suppress_health_check=SLOW)
@given(st.lists(items, max_size=5), values | st.none(), values | st.none(), st.sampled_from(["web", "rudder", "gone"]))
def test_each_item_of_an_envelope_is_one_event_or_one_refusal(sent, when, context, source) -> None:
    written = ",".join([json.dumps(GOOD), *sent, json.dumps(GOOD)])
    members = "".join(
        f',"{name}":{text}' for name, text in (("sentAt", when), ("context", context)) if text is not None
    )
    body = f'{{"batch":[{written}]{members}}}'.encode()
    found = read_and_check([Delivery(source, BATCH, RECEIVED_MS, "", body)])
    assert found.events.num_rows + sum(bad.events for bad in found.bad) == len(sent) + 2
    if source != "gone":
        offsets = set(found.place.tolist())
        implausible = {bad.place for bad in found.bad if bad.code == "date_implausible"}
        assert {0, len(sent) + 1} <= offsets | implausible  # A wild sentAt makes every time in its envelope wild.


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(items, st.sampled_from([*CALLS, "merge", "", "x"]))
def test_a_single_event_is_one_event_or_one_refusal(event, kind) -> None:
    found = read_and_check([batch(GOOD), Delivery("web", kind, RECEIVED_MS, "", event.encode()), batch(GOOD)])
    assert found.events.num_rows + len(found.bad) == 3
    assert {0, 2} <= set(found.place.tolist())


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(st.binary(max_size=60), st.sampled_from([BATCH, ROWS, *CALLS]))
def test_bytes_of_any_kind_are_refused_and_no_more(body, kind) -> None:
    found = read_and_check([batch(GOOD), Delivery("web", kind, RECEIVED_MS, "", body), batch(GOOD)])
    assert found.events.num_rows == 2
