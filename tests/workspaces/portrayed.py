"""A firm that knows one customer as a whole and has compared people: fixed figures (synthetic), without any engine."""

from __future__ import annotations

import math
from typing import Any

import msgspec
from firm import FIRST, Firm

from parcours.blueprint.records import Comparison, Field, Layer, Link
from parcours.know import Deed, Explanation, Identifier, Linkage, Linked, Membership, Portrait, Verdict, Weight
from parcours.know import Link as Edge
from parcours.words import Words

PROFILE = "3fa9c01d77b2e640"
DAY = 86_400_000
PERSONAL = {"last_name": "Martin", "first_name": "Zoé", "birth_date": "1984-02-29", "postcode": "69001"}
FIELDS = tuple(
    Field(id=id, kind="personal", label=Words(fr=fr, en=en))
    for id, fr, en in (
        ("last_name", "nom", "last name"),
        ("first_name", "prénom", "first name"),
        ("birth_date", "date de naissance", "birth date"),
        ("postcode", "code postal", "postcode"),
    )
)
LAYERS = (
    Layer(id="household", label=Words(fr="Foyer", en="Household"), object="order", same=("last_name", "postcode")),
    Layer(id="company", label=Words(fr="Entreprise", en="Company"), object="ticket"),
)
COMPARE = tuple(
    Comparison(field=id, compare=kind)
    for id, kind in (("last_name", "name"), ("first_name", "name"), ("birth_date", "date"), ("postcode", "postcode"))
)
LIVED: tuple[tuple[float, str | None, str | None, str, tuple[tuple[str, int], ...], dict[str, Any]], ...] = (
    (0, "inspiration", None, "Idea Viewed", (), {}),
    (0.2, "product_page", None, "Product Viewed", (), {"category": "lamps"}),
    (1, "checkout", None, "Order Completed", (("order", 1),), {"amount": 84.5}),
    (1.1, None, "stock_gaps", "Stock Reserved", (("order", 1),), {}),
    (1.6, None, "packing_errors", "Parcel Packed", (("order", 1), ("parcel", 1)), {"packing": "wrong_item"}),
    (4.2, None, "carrier_delay", "Parcel Scanned", (("parcel", 1),), {"delay_h": 51.0}),
    (4.4, "delivery", None, "Parcel Delivered", (("order", 1), ("parcel", 1)), {}),
    (4.9, "call_centre", None, "Call Answered", (("order", 1), ("ticket", 1)), {"wait_min": 14.0}),
    (5.0, None, "ticket_backlog", "Ticket Opened", (("ticket", 1),), {"open": 412.0}),
    (6.3, "refund", None, "Refund Paid", (("order", 1), ("ticket", 1)), {"amount": 84.5}),
    (6.2, None, "refund_delay", "Refund Approved", (("order", 1), ("ticket", 1)), {"delay_d": 6.0}),
    (31, "newsletter", None, "Email Opened", (), {}),
    (33, "store_visit", None, "Store Entered", (), {"store": "Lyon 2"}),
)


WEIGHTS = (
    ("last_name", "same", 0.91, 0.0011),
    ("last_name", "close", 0.06, 0.0009),
    ("last_name", "near", 0.01, 0.02),
    ("last_name", "other", 0.02, 0.978),
    ("first_name", "same", 0.88, 0.009),
    ("first_name", "close", 0.05, 0.004),
    ("first_name", "near", 0.02, 0.03),
    ("first_name", "other", 0.05, 0.957),
    ("birth_date", "same", 0.93, 0.0001),
    ("birth_date", "typo", 0.05, 0.0012),
    ("birth_date", "typos", 0.01, 0.012),
    ("birth_date", "other", 0.01, 0.986),
    ("postcode", "same", 0.74, 0.0008),
    ("postcode", "typo", 0.03, 0.004),
    ("postcode", "area", 0.08, 0.03),
    ("postcode", "other", 0.15, 0.965),
)


class PortrayedFirm(Firm):
    """The firm, with one customer and one model of linking."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        fields = (*self.blueprint.fields, *FIELDS)
        link = Link(purpose=self.blueprint.purposes[0].id, compare=COMPARE)
        self.blueprint = msgspec.structs.replace(self.blueprint, fields=fields, layers=LAYERS, link=link)
        self.masked_for: list[bool] = []

    def find_profiles(self, identifier: str) -> tuple[str, ...]:
        return (PROFILE,) if identifier == "mail:zoe.martin@maison.fr" else ()

    def portray(self, profile: str) -> Portrait | None:
        if profile != PROFILE:
            return None
        deeds = sorted(map(_write, LIVED), key=lambda deed: -deed.occurred_ms)
        purpose = self.blueprint.purposes[0].id
        memberships = (
            Membership("household", 0x51A0 << 44, FIRST + DAY, FIRST + 33 * DAY, 4, True),
            Membership("company", 0x7C3D << 44, FIRST, FIRST + 2 * DAY, 2, False),
        )
        times = deeds[-1].occurred_ms, deeds[0].occurred_ms
        return Portrait(purpose, True, 4, tuple(deeds), len(deeds), *times, memberships)

    def explain_profile(self, profile: str, unmasked: bool = False) -> Explanation | None:
        self.masked_for.append(not unmasked)
        raw = ("C10427", "zoe.martin@maison.fr", "z.m@travail.fr", "d-77")
        shown = raw if unmasked else ("C1•••", "z•••@m•••.fr", "z•••@t•••.fr", "d•••")
        kinds = ("user", "mail", "mail", "device")
        told = zip((*kinds, "device"), (*shown, "k•••"), strict=True)
        people = [Identifier(kind, text, f"{place:016x}", PROFILE, place) for place, (kind, text) in enumerate(told)]
        edges = [
            Edge(0, 1, 17, "web", "seen", "merged"),
            Edge(1, 2, 40, "", "scored", "merged", "", 18_400),
            Edge(0, 3, 52, "web", "seen", "merged"),
            Edge(0, 4, 61, "store", "seen", "shared"),
        ]
        return Explanation(PROFILE, 4, tuple(people), tuple(edges[:3]), tuple(edges[3:]), 0, 5, "r1", 120)

    def allowed_of(self, profile: str) -> tuple[Verdict, ...]:
        codes = {True: "refused", False: "basis_holds"}
        asked = ((one, one.basis == "consent") for one in self.blueprint.purposes)
        return tuple(Verdict(one.id, one.basis, not no, codes[no], 4, FIRST) for one, no in asked)

    def personal_of(self, profile: str) -> dict[str, str]:
        return PERSONAL

    def linkage(self) -> Linkage:
        weights = tuple(
            Weight(field, level, same, strangers, math.log2(same / strangers))
            for field, level, same, strangers in WEIGHTS
        )
        last = Linked(FIRST + 33 * DAY, 48_211, 612, False, 1, 41, 1_204, 87, 3)
        return Linkage(last, FIRST, 46_002, weights)


def _write(
    lived: tuple[float, str | None, str | None, str, tuple[tuple[str, int], ...], dict[str, Any]],
) -> Deed:
    days, touchpoint, operation, name, objects, fields = lived
    behind = operation is not None
    return Deed(FIRST + int(days * DAY), behind, touchpoint, operation, name, "web", objects, fields, False)
