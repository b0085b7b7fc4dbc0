"""`truth.json`: everything that is planted in the firm, written beside it for whoever checks what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from parcours.simulate.design import MEETINGS
from parcours.simulate.exports import Export
from parcours.simulate.life import (
    BAD_FEELING,
    LEAVE_AFTER_BAD,
    LEAVE_OTHERWISE,
    OFFER_LIFT,
    OFFER_WEEKS,
    Life,
    last_feeling,
)
from parcours.simulate.muddle import Muddle
from parcours.simulate.owners import list_households, list_rubbish, list_second, list_tablets, write_owners
from parcours.simulate.panel import Draw
from parcours.simulate.people import People, name_devices, name_ids

FILE = "truth.json"


def write_truth(folder: Path, draw: Draw, people: People, life: Life, muddle: Muddle, exports: list[Export]) -> None:
    """Write ``folder/truth.json``, and whose every identifier is beside it; nothing of the product reads them."""
    truth = {
        "synthetic": True,
        "seed": draw.seed,
        "customers": len(people),
        "causes": _list_causes(draw),
        "uneven_channels": _compare_channels(life),
        "defections": _describe_defections(life, len(people)),
        "treatment_effects": _describe_offer(people, life),
        "shared_devices": _list_shared(people),
        "store_tablets": list_tablets(people, muddle),
        "rubbish": list_rubbish(),
        "second_accounts": list_second(people, muddle),
        "households": list_households(life, muddle),
        "erasures": name_ids("C", muddle.forgotten).to_pylist(),
        "withdrawals": _list_withdrawals(exports),
        "bad_rows": _list_flaws(exports),
    }
    (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=2) + b"\n")
    write_owners(folder, people, muddle)


def _list_causes(draw: Draw) -> list[dict[str, Any]]:
    width = {meeting.id: meeting.scale[1] - meeting.scale[0] for meeting in MEETINGS}
    return [
        {
            "touchpoint": planted.touchpoint,
            "operation": planted.operation,
            "effect": planted.effect,
            "unit": planted.unit,
            "effect_natural": planted.effect_natural,
        }
        for planted in sorted(draw.truth, key=lambda p: -abs(p.effect) / width[p.touchpoint])
    ]


def _compare_channels(life: Life) -> list[dict[str, Any]]:
    """Return the mean feeling of the touchpoints that ask the same question, those who said nothing included."""
    means = {name: float(life.occasions[name].visits.feeling.mean()) for name in ("store_visit", "call_centre")}
    return [
        {
            "question": "satisfaction (0–10)",
            "better": {"touchpoint": "store_visit", "channel": "store", "mean": means["store_visit"]},
            "worse": {"touchpoint": "call_centre", "channel": "phone", "mean": means["call_centre"]},
            "gap": means["store_visit"] - means["call_centre"],
        }
    ]


def _describe_defections(life: Life, customers: int) -> dict[str, Any]:
    felt = last_feeling(life.occasions["delivery"], customers)
    bad = life.settled & (felt <= BAD_FEELING)
    return {
        "after": "delivery",
        "bad_from": 0,
        "bad_to": BAD_FEELING,
        "chance_after_bad": LEAVE_AFTER_BAD,
        "chance_otherwise": LEAVE_OTHERWISE,
        "settled": int(life.settled.sum()),
        "after_bad": int(bad.sum()),
        "left": int(life.left.sum()),
        "left_after_bad": int((life.left & bad).sum()),
    }


def _describe_offer(people: People, life: Life) -> list[dict[str, Any]]:
    orders = life.occasions["checkout"]
    week = orders.visits.week
    during = (week >= OFFER_WEEKS[0]) & (week < OFFER_WEEKS[1])
    bought = np.bincount(orders.person[during], minlength=len(people))
    rates = {arm: float(bought[people.arm == code].mean()) for arm, code in (("treated", 1), ("held_out", 0))}
    return [
        {
            "treatment": "spring_offer",
            "outcome": "online orders a customer",
            "from_week": OFFER_WEEKS[0],
            "before_week": OFFER_WEEKS[1],
            "rate_ratio": OFFER_LIFT,
            "treated": int((people.arm == 1).sum()),
            "held_out": int((people.arm == 0).sum()),
            "realised": rates,
        }
    ]


def _list_shared(people: People) -> list[dict[str, Any]]:
    owners = zip(
        name_devices(people.device[people.shared]).to_pylist(),
        name_ids("C", people.shared - 1).to_pylist(),
        name_ids("C", people.shared).to_pylist(),
        strict=True,
    )
    return [{"device": device, "customers": [one, other]} for device, one, other in owners]


def _list_withdrawals(exports: list[Export]) -> list[dict[str, Any]]:
    """Return the customers who had consented when they opened their account, and withdrew when they closed it."""
    by_file = {export.file: export.columns for export in exports}
    accounts, departures = by_file["customers.csv.gz"], by_file["departures.csv.gz"]
    told = zip(accounts["client"].to_pylist(), accounts["accord_personnalisation"].to_pylist(), strict=True)
    consented = {client for client, choice in told if choice == "oui"}
    gone = departures["client"].to_pylist()
    return [{"purpose": "personalise", "customer": client} for client in gone if client in consented]


def _list_flaws(exports: list[Export]) -> list[dict[str, Any]]:
    return [
        {"file": f"data/{export.file}", "column": flaw.column, "value": flaw.value, "reason": flaw.reason}
        for export in exports
        for flaw in export.flaws
        if len(next(iter(export.columns.values())))
    ]
