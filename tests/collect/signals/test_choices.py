"""Tests of signals as choices: the strictest counts, what cannot be decoded refuses, and the raw string is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.collect.compaction.shop import BLUEPRINT, batch, read, track

from parcours.blueprint.records import Blueprint, Purpose, Signals
from parcours.collect.mapping import Mapping
from parcours.collect.rows import RawRows
from parcours.collect.signals.choices import SignalReader, combine, require_all
from parcours.collect.source import Choice, EventName, Source, SourceEvent, Time
from parcours.words import Words

from .test_tcf import GOOD, change
from .writing import write_tcf

CLEAN = write_tcf(GOOD)
NO = write_tcf(change(GOOD, consents=frozenset()))
THREE = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=3)


def blueprint(**signals: Any) -> Blueprint:
    """Return the shop's blueprint, its purpose `improve` read from signals."""
    one = Purpose(id="improve", label=Words(fr="a", en="a"), basis="consent", signals=Signals(**signals))
    other = Purpose(id="advertise", label=Words(fr="b", en="b"), basis="consent")
    return msgspec.structs.replace(BLUEPRINT, purposes=(one, other))


@given(st.lists(THREE, min_size=1, max_size=4).filter(lambda rows: len({len(row) for row in rows}) == 1))
def test_of_several_columns_the_strictest_counts(columns: list[list[bool | None]]) -> None:
    found = combine([pa.array(column, pa.bool_()) for column in columns]).to_pylist()
    for row, said in zip(found, zip(*columns, strict=True), strict=True):
        told = [one for one in said if one is not None]
        assert row == (all(told) if told else None)
    every = require_all([pa.array(column, pa.bool_()) for column in columns]).to_pylist()
    for row, said in zip(every, zip(*columns, strict=True), strict=True):
        assert row == (None if set(said) == {None} else all(said))


def test_strings_are_read_once_and_spread() -> None:
    reader = SignalReader(blueprint(tcf=(1, 3), tcf_vendor=755))
    said = reader.read([CLEAN, None, "AAAA", NO, CLEAN, ""], None, 6)
    assert said.choices["improve"].to_pylist() == [True, None, False, False, True, False]
    assert said.evidence.to_pylist() == [
        f"tcf/read {CLEAN}", None, "tcf/unknown_version AAAA", f"tcf/read {NO}", f"tcf/read {CLEAN}", "tcf/empty ",
    ]  # fmt: skip
    assert said.made_ms.tolist() == [GOOD.updated_ms, 0, 0, GOOD.updated_ms, GOOD.updated_ms, 0]
    assert dict(said.faults) == {"unknown_version": 1, "empty": 1}


def test_both_kinds_of_signal_count_together() -> None:
    reader = SignalReader(blueprint(tcf=(1,), tcf_vendor=755, consent_mode=("ad_storage", "ad_user_data")))
    both = {"ad_storage": "granted", "ad_user_data": "granted"}
    modes = [both, both, {"ad_storage": "granted"}, None, ["odd"]]
    said = reader.read([CLEAN, NO, CLEAN, CLEAN, CLEAN], modes, 5)
    assert said.choices["improve"].to_pylist() == [True, False, False, True, False]
    assert (
        said.evidence.to_pylist()[0]
        == f'tcf/read {CLEAN}\nconsent_mode/read {{"ad_storage":"granted","ad_user_data":"granted"}}'
    )
    assert said.evidence.to_pylist()[3] == f"tcf/read {CLEAN}"
    assert said.evidence.to_pylist()[4].endswith('consent_mode/wrong_type ["odd"]')


def test_a_legitimate_interest_is_read_from_its_own_bits() -> None:
    one = blueprint(tcf=(2,), tcf_vendor=755)
    interest = msgspec.structs.replace(one.purposes[0], basis="legitimate_interest")
    reader = SignalReader(msgspec.structs.replace(one, purposes=(interest,)))
    objected = write_tcf(change(GOOD, interests=frozenset()))
    assert reader.read([CLEAN, objected], None, 2).choices["improve"].to_pylist() == [True, False]


def test_a_file_s_columns_are_read_and_the_strictest_counts_with_its_plain_one() -> None:
    source = Source(
        source="shop",
        file="a.csv",
        time=Time(column="at"),
        ids={"user": "who"},
        consent={"improve": Choice(column="agrees", yes=("yes",))},
        signals={"tcf": "tc", "consent_mode": "gcm", "notice": "banner"},
        events=(SourceEvent(name=EventName(text="Order Completed")),),
    )
    rows = {
        "at": ["2026-01-01"] * 5,
        "who": list("abcde"),
        "agrees": ["yes", "yes", "no", "", ""],
        "tc": [CLEAN, "junk", CLEAN, CLEAN, ""],
        "gcm": [""] * 5,
        "banner": ["banner@3/fr", "", "", "", ""],
    }
    columns = {name: pa.array(values) for name, values in rows.items()}
    raw = RawRows(np.arange(5), columns, [], lambda row: b"")
    mapping = Mapping(source, blueprint(tcf=(1,), tcf_vendor=755), "UTC", None, 1_800_000_000_000)
    events = mapping.map_rows(raw, np.arange(5)).events
    assert set(source.columns()) == set(rows)
    assert events.column("consent_improve").to_pylist() == [True, False, False, True, None]
    assert events.column("choice_notice").to_pylist() == ["banner@3/fr", None, None, None, None]
    assert events.column("choice_evidence").to_pylist()[1] == "tcf/unknown_version junk"
    assert events.column("choice_made_ms").to_pylist() == [
        GOOD.updated_ms,
        None,
        GOOD.updated_ms,
        GOOD.updated_ms,
        None,
    ]


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        ({"categoryPreferences": {"Ads": True, "Stats": True}}, True),
        ({"categoryPreferences": {"Ads": True, "Stats": False}}, False),
        ({"categoryPreferences": {"Ads": True}}, False),
        ({"categoryPreferences": {"improve": True}}, None),
        ({"categoryPreferences": {"Ads": "true", "Stats": True}}, False),
        ({}, None),
    ],
)
def test_segment_s_categories_must_all_be_granted(consent: dict[str, Any], expected: bool | None) -> None:
    found = delivered(blueprint(segment=("Ads", "Stats")), consent)
    assert found["consent_improve"] is expected


def test_signals_stand_in_the_consent_object_of_live_events() -> None:
    said = {"ad_storage": "granted"}
    firm = blueprint(tcf=(1,), tcf_vendor=755, consent_mode=("ad_storage",))
    found = delivered(firm, {"tcf": CLEAN, "consent_mode": said, "categoryPreferences": {"advertise": False}})
    assert (found["consent_improve"], found["consent_advertise"]) == (True, False)
    assert found["choice_made_ms"] == GOOD.updated_ms
    assert found["choice_evidence"].startswith("tcf/read C")
    for refused in ({"tcf": ""}, {"tcf": 7}, {"tcf": "AAAA"}, {"consent_mode": "granted"}, {"tcf": {"a": 1}}):
        found = delivered(firm, {"tcf": CLEAN, "consent_mode": said} | refused)
        assert found["consent_improve"] is False, refused
        assert found["counts"] == {"consent_undecodable": 1}
    # What no purpose is read from is not looked at.
    found = delivered(blueprint(segment=("Ads",)), {"tcf": "AAAA"})
    assert (found["consent_improve"], found["choice_evidence"]) == (None, None)


def delivered(firm: Blueprint, consent: dict[str, Any]) -> dict[str, Any]:
    """Return a live event of ``firm`` with this consent object, as the door will see it."""
    found = read(batch(track(context={"consent": consent})), blueprint=firm)
    (row,) = found.events.to_pylist()
    return row | {"counts": {code: n for (_, code), n in found.counts.items() if code.startswith("consent_und")}}
