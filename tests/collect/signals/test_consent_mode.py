"""Tests of Google Consent Mode: objects, JSON and pairs read alike, and nothing but granted or denied is taken."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.signals.bits import UndecodableError
from parcours.collect.signals.consent_mode import SIGNALS, decode_consent_mode

STATES = st.dictionaries(st.sampled_from(SIGNALS), st.booleans(), min_size=1)


@given(STATES)
def test_all_three_forms_say_the_same(state: dict[str, bool]) -> None:
    said = {name: "granted" if granted else "denied" for name, granted in state.items()}
    forms: list[object] = [said, json.dumps(said), said | {"security_storage": "granted", "wait_for_update": 500}]
    forms += [between.join(f"{name}={value}" for name, value in said.items()) for between in (",", "; ", " ", ", ")]
    for form in forms:
        assert decode_consent_mode(form) == state


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("granted", "not_pairs"),
        ("ad_storage", "not_pairs"),
        ("G111", "not_pairs"),
        ("ad_storage=yes", "unknown_value"),
        ("ad_storage=Granted", "unknown_value"),
        ("ad_storage=granted,ad_storage=denied", "said_twice"),
        ({"ad_storage": True}, "unknown_value"),
        ({"ad_storage": None}, "unknown_value"),
        ({}, "no_signal"),
        ({"functionality_storage": "granted"}, "no_signal"),
        ("{", "not_json"),
        ('{"ad_storage": "granted"', "not_json"),
        ("[]", "not_pairs"),
        ("{" + '"a":' * 3000, "too_long"),
        (7, "wrong_type"),
        (True, "wrong_type"),
        (["ad_storage"], "wrong_type"),
    ],
)
def test_anything_else_is_refused(said: object, reason: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode_consent_mode(said)
    assert caught.value.reason == reason
