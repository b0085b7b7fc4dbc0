"""Names that nobody declared: counted among the events that are looked at, never more than so many."""

from __future__ import annotations

from shop import RECEIVED_MS, batch, read, single, track

from parcours.collect.compaction.undeclared import MOST_LOOKED_AT, MOST_NAMES, OTHERS, Undeclared

DAY = RECEIVED_MS // 86_400_000


def test_what_nobody_declared_is_dropped_and_told() -> None:
    found = read(
        batch(track(properties={"amount": 1, "coupon": "X", "colour": "red"}), track()),
        batch(
            track(properties={"amount": 1, "coupon": "Y"}, traits={"email": "a@parcours.fr", "age": 3}), source="rudder"
        ),
    )
    assert found.undeclared == {
        ("web", DAY): Undeclared(2, {"coupon": 1, "colour": 1}),
        ("rudder", DAY): Undeclared(1, {"coupon": 1, "age": 1}),
    }
    assert "field_coupon" not in found.events.column_names


def test_days_are_counted_apart_and_added_up() -> None:
    late = single("track", track(properties={"amount": 1, "x": 1}))
    early = type(late)("web", "track", RECEIVED_MS - 86_400_000, "", late.body)
    found = read(late, early, late)
    assert {day: one.names["x"] for (_, day), one in found.undeclared.items()} == {DAY: 2, DAY - 1: 1}
    total = Undeclared()
    for one in found.undeclared.values():
        total.add(one)
    assert (total.looked_at, total.names["x"]) == (3, 3)


def test_names_are_few_short_and_nobody_s() -> None:
    names = [f"name_{number}" for number in range(MOST_NAMES + 50)]
    found = Undeclared()
    found.look([f'{{"{name}":1}}'.encode() for name in names], [b""] * len(names), set(), set())
    assert len(found.names) <= MOST_NAMES + 1
    assert sum(found.names.values()) == found.looked_at == len(names)
    odd = Undeclared()
    odd.look([b'{"camille@parcours.fr":1}', b'{"%b":1}' % (b"x" * 61)], [b"", b""], set(), set())
    assert odd.names == {OTHERS: 2}


def test_of_many_events_some_are_looked_at() -> None:
    found = read(batch(*(track(properties={"amount": 1, "x": number}) for number in range(1200)), source="rudder"))
    one = found.undeclared["rudder", DAY]
    assert one.looked_at == one.names["x"] == 400
    assert one.looked_at <= MOST_LOOKED_AT


def test_what_cannot_be_read_is_passed_over() -> None:
    found = Undeclared()
    found.look([b"[]", b"null", b"\xff", b'{"a":"\\ud800"}', b""], [b"1"] * 5, set(), set())
    assert (found.looked_at, found.names) == (5, {})
