"""Whose every identifier is, which devices and households are whose, and what is rubbish: truths of identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.simulate.calendar import NEVER
from parcours.simulate.life import Life
from parcours.simulate.muddle import RUBBISH, TILL_MAIL, Muddle
from parcours.simulate.people import SITES, People, name_devices, name_ids, name_mails, name_phones

FILE = "truth-identifiers.parquet"


def write_owners(folder: Path, people: People, muddle: Muddle) -> None:
    """Write ``kind``, ``value`` and ``person`` of every identifier that is one person's; not all need ever be seen.

    A device that two people use is nobody's. A second account, its mail and its device are those of the same person.
    """
    everyone, extra = np.arange(len(people), dtype=np.int64), np.arange(len(muddle.second), dtype=np.int64)
    account, owner = np.concatenate((everyone, len(people) + extra)), np.concatenate((everyone, muddle.second))
    lent = np.isin(everyone, np.union1d(people.shared, people.shared - 1))
    first, second = everyone[~lent], np.flatnonzero(people.second_device >= 0)
    phones = np.flatnonzero(people.has_phone)
    devices = np.concatenate((people.device[first], people.second_device[second], 2 * len(people) + extra))
    parts = (
        ("user", name_ids("C", account), owner),
        ("mail", name_mails(account), owner),
        ("phone", name_phones(phones), phones),
        ("device", name_devices(devices), np.concatenate((first, second, muddle.second))),
    )
    table = {
        "kind": pa.concat_arrays([pa.array([kind] * len(values), pa.string()) for kind, values, _ in parts]),
        "value": pa.concat_arrays([values for _, values, _ in parts]),
        "person": pa.array(np.concatenate([whose for *_, whose in parts])),
    }
    pq.write_table(pa.table(table), folder / FILE, compression="zstd", store_schema=False)


def list_tablets(people: People, muddle: Muddle) -> list[dict[str, Any]]:
    """Return the tablets of the stores, and how many customers signed in on each."""
    tablets, place = np.unique(muddle.tablet, return_inverse=True)
    pairs = np.unique(np.column_stack((place, muddle.visitor)), axis=0)
    users = np.bincount(pairs[:, 0], minlength=len(tablets)).tolist()
    sites = [SITES[one] for one in (tablets - 3 * len(people)).tolist()]
    told = zip(name_devices(tablets).to_pylist(), sites, users, strict=True)
    return [{"device": device, "site": site, "customers": count} for device, site, count in told]


def list_rubbish() -> list[dict[str, str]]:
    """Return what is written where no id is known, and by which system."""
    till = {"file": "data/customers.csv.gz", "column": "email", "value": TILL_MAIL}
    found = (
        {"file": f"data/{file}", "column": column, "value": value} for (file, column), (value, _) in RUBBISH.items()
    )
    return [*found, till]


def list_second(people: People, muddle: Muddle) -> list[dict[str, Any]]:
    """Return who has two accounts, and whether the phone of both is the same."""
    again = name_ids("C", len(people) + np.arange(len(muddle.second), dtype=np.int64)).to_pylist()
    told = zip(name_ids("C", muddle.second).to_pylist(), again, muddle.second_phone.tolist(), strict=True)
    return [{"customer": one, "again": other, "same_phone": phone} for one, other, phone in told]


def list_households(life: Life, muddle: Muddle) -> list[list[str]]:
    """Return the customers of every household of which at least two have an account."""
    held = np.flatnonzero((muddle.household >= 0) & (life.account_s != NEVER))
    held = held[np.argsort(muddle.household[held], kind="stable")]
    names = name_ids("C", held).to_pylist()
    found: dict[int, list[str]] = {}
    for household, name in zip(muddle.household[held].tolist(), names, strict=True):
        found.setdefault(household, []).append(name)
    return [members for members in found.values() if len(members) > 1]
