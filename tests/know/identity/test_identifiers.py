"""Tests of identifiers: what is the same person written differently, what names nobody, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.identifiers import UnusableError, normaliser, region_of

NOBODY = [
    "anonymous", "Guest", "distinct_id", "not_authenticated", "email", "undefined", "true", "[object Object]", "NaN",
    "None", "null", "0", "-1", "invalid", "", "  ", "'null'", '"undefined"', "00000000-0000-0000-0000-000000000000",
    "aaaa", "xxx", "9999999999",
]  # fmt: skip


@pytest.mark.parametrize("value", NOBODY)
@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_what_names_nobody_is_absent(kind: str, value: str) -> None:
    assert normaliser(kind, "FR")(value) is None


@pytest.mark.parametrize("value", ["1", "11", "111", "2222", "u", "ab", "C000123", "id-7"])
def test_short_customer_numbers_are_people(value: str) -> None:
    assert normaliser("user", "FR")(value) == value


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Claire.Martin@Maison.FR ", "claire.martin@maison.fr"),
        ("ｃlaire@maison.fr", "claire@maison.fr"),
        ("claire@maison", None),
        ("claire maison.fr", None),
        ("a@b@c.fr", None),
        ("x@example.com", None),
        ("x@shop.test", None),
        ("null@maison.fr", None),
        ("claire@mail.example", "claire@mail.example"),
    ],
)
def test_mails(written: str, normal: str | None) -> None:
    assert normaliser("mail", "FR")(written) == normal


@pytest.mark.parametrize(
    ("written", "region", "normal"),
    [
        ("+33612345678", None, "+33612345678"),
        ("06 12 34 56 78", "FR", "+33612345678"),
        ("06.12.34.56.78", "FR", "+33612345678"),
        ("0033 6 12 34 56 78", "FR", "+33612345678"),
        ("06 12 34 56 78", None, None),
        ("020 7946 0958", "GB", "+442079460958"),
        ("12", "FR", None),
        ("call me", "FR", None),
    ],
)
def test_phones(written: str, region: str | None, normal: str | None) -> None:
    assert normaliser("phone", region)(written) == normal


@pytest.mark.parametrize("value", ["a" * 256, "a\x00b", "a\nb", "a\x7fb", "a\x85b"])
@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_what_cannot_be_a_value_is_refused(kind: str, value: str) -> None:
    with pytest.raises(UnusableError):
        normaliser(kind, "FR")(value)


@given(st.text(max_size=300), st.sampled_from(IDENTIFIERS))
def test_a_normal_form_is_its_own_normal_form(value: str, kind: str) -> None:
    normalise = normaliser(kind, "FR")
    try:
        normal = normalise(value)
    except UnusableError:
        return
    assert normal is None or normalise(normal) in (normal, None)


def test_the_region_of_a_zone() -> None:
    assert region_of("Europe/Paris") == "FR"
    assert region_of("America/Montreal") in ("CA", None)
    assert region_of("UTC") is None
