"""Calls into rows: envelope and item, ids, objects, fields, choices, sizes, and what each is refused for."""

from __future__ import annotations

import json

import msgspec
import pytest
from shop import AT, OCCURRED_MS, RECEIVED_MS, SENT, SOURCES, WEB, batch, codes, one, read, refused, rows, single, track

from parcours.collect.journal.delivery import Delivery
from parcours.collect.source import Choice, FieldColumn, Source


def with_source(**changes: object) -> dict[str, Source]:
    return {"web": msgspec.structs.replace(WEB, **changes)}


def test_a_call_gives_its_row() -> None:
    assert one(track()) == {
        "name": "Order Completed",
        "occurred_ms": OCCURRED_MS,
        "original_ms": OCCURRED_MS,
        "sent_ms": RECEIVED_MS,
        "id_user": "C1",
        "object_order": "O1",
        "field_amount": 19.9,
    }


def test_an_empty_reading_gives_nothing_and_keeps_its_shape() -> None:
    found = read()
    assert found.events.num_rows == 0
    assert found.events.column_names[:4] == ["source", "row_key", "line", "name"]
    assert read(batch()).events.num_rows == 0


def test_an_envelope_speaks_for_its_items_and_each_item_comes_first() -> None:
    consent = {"categoryPreferences": {"improve": True, "advertise": True}}
    context = {"consent": consent, "traits": {"email": "outer@parcours.fr"}, "locale": "fr"}
    found = read(
        batch(
            track(),
            track(context={"consent": {"categoryPreferences": {"improve": False}}}),
            track(context={"consent": None, "traits": {"phone": "+33600000000"}}),
            track(context=None),
            sent=SENT,
            context=context,
        )
    )
    told = [(row.get("consent_improve"), row.get("consent_advertise"), row.get("id_mail")) for row in rows(found)]
    assert told == [
        (True, True, "outer@parcours.fr"),
        (False, None, "outer@parcours.fr"),
        (None, None, None),
        (True, True, "outer@parcours.fr"),
    ]
    assert rows(found)[2]["id_phone"] == "+33600000000"


def test_a_member_of_the_context_counts_before_the_envelope_s_even_as_null() -> None:
    fields = {"site": FieldColumn(column="context.locale"), "segment": FieldColumn(column="context.traits.city")}
    items = (track(), track(context={"locale": None}), track(context={"locale": "en", "traits": {"city": "Lyon"}}))
    delivery = batch(*items, context={"locale": "fr", "traits": {"city": "Lille"}})
    found = rows(read(delivery, sources=with_source(fields=fields)))
    assert [row.get("field_site") for row in found] == ["fr", None, "en"]
    assert [row.get("field_segment") for row in found] == ["Lille", "Lille", "Lyon"]


def test_an_item_s_own_sent_time_counts_before_the_envelope_s() -> None:
    found = read(batch(track(sentAt="2026-03-01T11:00:00Z"), track(), sent=SENT))
    assert [row["sent_ms"] - RECEIVED_MS for row in rows(found)] == [3_600_000, 0]
    assert [row["occurred_ms"] - OCCURRED_MS for row in rows(found)] == [-3_600_000, 0]


@pytest.mark.parametrize("type", [..., None, "", "tracks", 3, ["track"], {"a": 1}])
def test_a_type_that_is_missing_or_unknown_is_refused(type) -> None:
    assert refused(track(type=type)) == "unknown_type"


def test_a_type_may_be_written_in_capitals() -> None:
    assert one(track(type="Track"))["name"] == "Order Completed"


def test_the_address_says_what_a_single_event_is() -> None:
    found = read(single("page", {"userId": "C1", "timestamp": AT}), single("identify", track()), single("merge", {}))
    assert [row["name"] for row in rows(found)] == ["Page Viewed", "Identified"]
    assert codes(found) == ["unknown_type"]
    assert found.place.tolist() == [0, 1]


def test_a_source_names_calls_as_it_likes() -> None:
    sources = with_source(options={"names": {"page": "Seite", "alias": "Joined"}})
    found = read(batch({"type": "page", "userId": "1"}, {"type": "screen", "userId": "1"}), sources=sources)
    assert [row["name"] for row in rows(found)] == ["Seite", "Screen Viewed"]


@pytest.mark.parametrize("event", [..., None, "", "  ", {"a": 1}, []])
def test_a_track_without_a_name_is_refused(event) -> None:
    assert refused(track(event)) == "event_name_missing"


@pytest.mark.parametrize(
    ("value", "kept"), [("C1", "C1"), (" C1 ", "C1"), (17, "17"), (17.0, "17"), (1.5, "1.5"), (2**70, str(2**70))]
)
def test_ids_are_texts(value, kept) -> None:
    assert one(track(userId=value))["id_user"] == kept


@pytest.mark.parametrize("value", [True, {"id": 1}, ["C1"]])
def test_what_cannot_be_an_id_is_refused(value) -> None:
    assert refused(track(userId=value)) == "id_unusable"
    assert refused(track(userId="C1", anonymousId=value)) == "id_unusable"
    assert refused(track(properties={}, context={"traits": {"email": value}})) == "id_unusable"


@pytest.mark.parametrize("value", [..., None, "", "   "])
def test_who_names_nobody_is_refused(value) -> None:
    assert refused(track(userId=value)) == "no_id"
    assert one(track(userId=value, anonymousId="a-1"))["id_device"] == "a-1"
    assert one(track(userId=value, context={"traits": {"email": "x@parcours.fr"}}))["id_mail"] == "x@parcours.fr"


def test_an_id_may_stand_where_the_source_says() -> None:
    sources = with_source(ids={"user": "properties.customer.no", "mail": "contact"})
    item = track(
        userId=..., properties={"order_id": "O1", "amount": 1, "customer": {"no": 5}, "contact": "x@parcours.fr"}
    )
    found = read(batch(item), sources=sources)
    assert (rows(found)[0]["id_user"], rows(found)[0]["id_mail"]) == ("5", "x@parcours.fr")


def test_an_alias_joins_an_earlier_id_and_a_group_its_group() -> None:
    alias = {"type": "alias", "userId": "C1", "anonymousId": "other", "previousId": "a-1"}
    found = read(batch(alias, {"type": "group", "userId": "C1", "groupId": 12}, track(anonymousId="a-2")))
    assert [row.get("id_device") for row in rows(found)] == ["a-1", None, "a-2"]
    assert [row.get("object_group") for row in rows(found)] == [None, "12", None]
    assert refused({**alias, "previousId": None}) == "previous_id_missing"
    assert refused({"type": "group", "userId": "C1"}) == "group_id_missing"


def test_the_address_of_a_group_is_nobody_s_own() -> None:
    group = {"type": "group", "userId": "C1", "groupId": "G1", "traits": {"email": "all@group.fr", "phone": "+331"}}
    own = {"traits": {"email": "camille@parcours.fr"}}
    found = rows(read(batch(group, {**group, "context": own}, {**group, "type": "identify"})))
    assert [row.get("id_mail") for row in found] == [None, "camille@parcours.fr", "all@group.fr"]
    assert [row.get("id_phone") for row in found] == [None, None, "+331"]
    mapped = rows(read(batch(group), sources=with_source(ids={"mail": "traits.email"})))
    assert mapped[0]["id_mail"] == "all@group.fr"
    assert refused({**group, "userId": None}) == "no_id"


@pytest.mark.parametrize(
    ("properties", "order"),
    [
        ({"order_id": "O1"}, "O1"),
        ({"order": "O2"}, "O2"),
        ({"order_id": 7, "order": "O2"}, "7"),
        ({"order_id": {"no": 1}, "order": "O2"}, "O2"),
        ({"order": {"id": "O3"}}, None),
        ({"order": ["O3"], "order_id": True}, None),
    ],
)
def test_an_object_is_found_under_its_usual_names(properties, order) -> None:
    assert one(track("Order Cancelled", properties=properties)).get("object_order") == order


def test_an_object_that_the_source_names_must_be_one() -> None:
    sources = with_source(objects={"order": "properties.cart.no"})
    found = read(
        batch(*(track("Order Cancelled", properties={"cart": cart}) for cart in ({"no": "O1"}, {"no": []}, "x"))),
        sources=sources,
    )
    assert [row.get("object_order") for row in rows(found)] == ["O1", None]
    assert codes(found) == ["wrong_type"]


def test_fields_are_read_as_what_they_are() -> None:
    def kept(**properties: object) -> object:
        row = one(track("Order Cancelled", properties=properties))
        return next((value for name, value in row.items() if name.startswith("field_")), None)

    assert [kept(quantity=value) for value in (3, 2.5, "12.50", " 7 ", "1e3", "", None)] == [
        3,
        2.5,
        12.5,
        7,
        1000,
        None,
        None,
    ]
    assert [kept(site=value) for value in ("Lyon ", 7, 7.0, True, " ")] == ["Lyon", "7", "7", "true", None]
    assert kept(comment=" Très bien ") == "Très bien"
    for name, value in (
        ("quantity", True),
        ("quantity", "1,5"),
        ("quantity", "NaN"),
        ("quantity", "inf"),
        ("quantity", 10**400),
        ("quantity", [1]),
        ("quantity", "0x10"),
        ("site", ["Lyon"]),
        ("site", {"a": 1}),
        ("comment", 5),
        ("comment", False),
    ):
        assert refused(track("Order Cancelled", properties={name: value})) == "wrong_type"


def test_a_field_is_a_property_else_a_trait() -> None:
    def segment(**members: object) -> object:
        return one({"type": "identify", "userId": "C1", **members}).get("field_segment")

    assert segment(properties={"segment": "a"}, traits={"segment": "b"}) == "a"
    assert segment(traits={"segment": "b"}, context={"traits": {"segment": "c"}}) == "b"
    assert segment(context={"traits": {"segment": "c"}}) == "c"


def test_a_field_may_stand_where_the_source_says_in_another_unit() -> None:
    fields = {
        "amount": FieldColumn(column="properties.total.cents", unit="cents", to="eur"),
        "site": FieldColumn(column="context.page.path"),
        "page_kind": FieldColumn(column="name"),
        "quantity": FieldColumn(column="properties.a.b"),
    }
    item = track(
        properties={"total": {"cents": 1990}, "a.b": 4},
        context={"page": {"path": "/cart"}},
        name="product",
        type="page",
    )
    (row,) = rows(read(batch(item), sources=with_source(fields=fields)))
    told = (row["field_amount"], row["field_site"], row["field_page_kind"], row["field_quantity"])
    assert told == (19.9, "/cart", "product", 4)


def test_a_choice_is_yes_no_or_nothing() -> None:
    def told(consent: object) -> tuple[object, object, dict[str, int]]:
        found = read(batch(track(context={"consent": consent})))
        (row,) = rows(found)
        return (
            row.get("consent_improve"),
            row.get("consent_advertise"),
            {code: n for (_, code), n in found.counts.items()},
        )

    def of(**choices: object) -> dict[str, object]:
        return {"categoryPreferences": choices}

    absent, unreadable = {"consent_absent": 1}, {"consent_unreadable": 1}
    assert told(of(improve=True, advertise=False)) == (True, False, {})
    assert told(of(improve=True)) == (True, None, {})
    for nothing in (None, {}, of(), of(other=True)):
        assert told(nothing) == (None, None, absent)
    for garbage in ("yes", [True], {"categoryPreferences": "all"}, of(improve="true"), of(improve=1)):
        assert told(garbage) == (None, None, unreadable)
    assert told(of(improve="true", advertise=True)) == (None, True, unreadable)


def test_a_choice_may_stand_under_another_category_or_elsewhere() -> None:
    consent = {
        "improve": Choice(column="C0002", yes=("1", "Oui")),
        "advertise": Choice(column="traits.optin", yes=("yes",)),
    }
    prefs = [{"C0002": "oui"}, {"C0002": True}, {"C0002": 1}, {"C0002": "non"}, {"improve": True}]
    items = [track(context={"consent": {"categoryPreferences": one}}, traits={"optin": "YES"}) for one in prefs]
    found = rows(read(batch(*items), sources=with_source(consent=consent)))
    assert [row.get("consent_improve") for row in found] == [True, True, True, False, None]
    assert {row["consent_advertise"] for row in found} == {True}


def test_a_choice_may_stand_in_a_consent_object_of_one_s_own() -> None:
    consent = {
        "improve": Choice(column="context.consent.optin", yes=("yes",)),
        "advertise": Choice(column="context.consent.categoryPreferences.ads.given", yes=()),
    }
    sources = with_source(consent=consent)
    given = {"optin": "yes", "categoryPreferences": {"ads": {"given": True}}}
    odd = {"optin": "yes", "categoryPreferences": "all"}
    found = read(batch(*(track(context={"consent": one}) for one in (given, {"optin": "no"}, odd))), sources=sources)
    told = [(row.get("consent_improve"), row.get("consent_advertise")) for row in rows(found)]
    assert told == [(True, True), (False, None), (None, None)]
    assert found.counts["web", "consent_unreadable"] == 1


def test_nul_is_refused_where_it_would_be_kept_and_ignored_elsewhere() -> None:
    assert refused(track(userId="C\0")) == "nul_character"
    assert refused(track("Order\0 Completed")) == "nul_character"
    assert refused(track(properties={"amount": 1, "site": "a\0"})) == "nul_character"
    assert refused(track(messageId="0f8fad5b\0d9cb")) == "nul_character"
    assert one(track(properties={"amount": 1, "undeclared": "a\0"}))["field_amount"] == 1


@pytest.mark.parametrize("member", ["properties", "traits", "context"])
def test_a_member_must_be_an_object_and_php_writes_an_empty_one_as_an_array(member) -> None:
    item = track("Order Cancelled", properties={})
    for wrong in ("x", 1, True, [1]):
        assert refused({**item, member: wrong}) == "member_not_an_object"
    for nothing in ([], {}, None):
        assert one({**item, member: nothing})["id_user"] == "C1"
    assert refused(json.dumps(item)[:-1] + f',"{member}": [ ] , "userId":true}}') == "id_unusable"


def test_an_event_over_32_kb_waits_alone_save_from_rudderstack() -> None:
    large = track(messageId="a-large-one-1", extra="x" * 33_000)
    found = read(batch(track(), large, track()), batch(large, source="jitsu"), batch(large, source="rudder"))
    assert codes(found) == ["event_too_large", "event_too_large"]
    assert (found.place.tolist(), [bad.place for bad in found.bad]) == ([0, 2, 4], [1, 3])
    exact = json.dumps(track(extra=""))
    padded = json.dumps(track(extra="x" * (32 * 1024 - len(exact))))
    assert codes(read(batch(padded))) == []
    assert codes(read(batch(padded.replace("xx", "xxx", 1)))) == ["event_too_large"]


def test_what_an_envelope_holds_beyond_2500_events_waits_in_lots_that_replay_as_they_are() -> None:
    items = [track(messageId=f"message-{number:05d}") for number in range(5_003)]
    found = read(batch(*items), batch(track()), batch(*items, source="rudder"))
    assert [(bad.code, bad.place, bad.events) for bad in found.bad] == [
        ("too_many_events", 2_500, 2_500),
        ("too_many_events", 5_000, 3),
    ]
    assert found.events.num_rows == 2_500 + 1 + 5_003
    assert found.place[2_500] == 5_003
    replayed = read(*(bad.delivery for bad in found.bad))
    assert (replayed.events.num_rows, replayed.bad) == (2_503, [])
    whole = found.id_hash[found.events.column("source").to_numpy() == "rudder"]
    assert [*found.id_hash[:2_500], *replayed.id_hash] == whole.tolist()


def test_events_of_a_source_that_is_no_longer_described_wait() -> None:
    found = read(batch(track(), track(), source="gone"), single("track", track(), source="gone"), batch(track()))
    assert codes(found) == ["unknown_source"] * 3
    assert [bad.source for bad in found.bad] == ["gone"] * 3
    assert found.place.tolist() == [3]
    again = read(
        *(bad.delivery for bad in found.bad), sources={**SOURCES, "gone": Source(source="gone", connector="http")}
    )
    assert (again.events.num_rows, again.bad) == (3, [])


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"batch":{}}', b'{"batch":null}', b'{"batch":[', b"\xff\xfe", b'{"batch":[{}}'],
)
def test_an_envelope_that_cannot_be_taken_apart_waits_whole(body) -> None:
    whole = Delivery("web", "batch", RECEIVED_MS, "", body)
    found = read(batch(track()), whole, batch(track()))
    assert codes(found) == ["envelope_unreadable"]
    assert found.bad[0].delivery == whole
    assert found.place.tolist() == [0, 2]


def test_a_reason_never_quotes_a_value() -> None:
    secret = "Camille Secrète"
    items = [
        track(userId={"name": secret}),
        track(properties={"amount": secret}),
        track(properties={"site": [secret]}),
        track(timestamp=secret),
        track(properties=secret),
        track(type=secret),
        track(f"{secret}@parcours.fr"),
        track(messageId=secret * 10),
    ]
    found = read(batch(*items))
    assert len(found.bad) == len(items)
    assert not [bad for bad in found.bad if secret in bad.reason.fr + bad.reason.en]
