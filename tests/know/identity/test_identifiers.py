"""Tests of identifiers: what is the same person written differently, what names nobody, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.identifiers import Spelling, UnusableError, normaliser, region_of, spell

FRENCH = Spelling("FR")
NOBODY = [
    "anonymous", "Guest", "distinct_id", "not_authenticated", "email", "undefined", "true", "[object Object]", "NaN",
    "None", "null", "0", "-1", "invalid", "", "  ", "'null'", '"undefined"', "00000000-0000-0000-0000-000000000000",
    "aaaa", "xxx", "9999999999", "guest", "distinctid", "id", "false", "empty", "00-00", "0-0-0", "000",
]  # fmt: skip


@pytest.mark.parametrize("value", NOBODY)
@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_what_names_nobody_is_absent(kind: str, value: str) -> None:
    assert normaliser(kind, FRENCH)(value) is None


@pytest.mark.parametrize("value", ["1", "11", "111", "2222", "u", "ab", "C000123", "id-7"])
def test_short_customer_numbers_are_people(value: str) -> None:
    assert normaliser("user", FRENCH)(value) == value


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        (" Claire.Martin@Maison.FR ", "claire.martin@maison.fr"),
        ("ｃlaire@maison.fr", "claire@maison.fr"),
        ("claire@maison", None),
        ("claire maison.fr", None),
        ("a@b@c.fr", None),
        ("x@example.com", None),
        ("x@example.net", None),
        ("x@example.org", None),
        ("x@test.com", None),
        ("x@shop.test", None),
        ("x@shop.invalid", None),
        ("x@shop.localhost", None),
        ("null@maison.fr", None),
        ("claire@mail.example", "claire@mail.example"),
    ],
)
def test_mails(written: str, normal: str | None) -> None:
    assert normaliser("mail", FRENCH)(written) == normal


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
    assert normaliser("phone", Spelling(region))(written) == normal


@pytest.mark.parametrize("value", ["a" * 256, "a\x00b", "a\nb", "a\x7fb", "a\x85b", "\ufdfa" * 15])
@pytest.mark.parametrize("kind", IDENTIFIERS)
def test_what_cannot_be_a_value_is_refused(kind: str, value: str) -> None:
    with pytest.raises(UnusableError):
        normaliser(kind, FRENCH)(value)


@given(st.text(max_size=300), st.sampled_from(IDENTIFIERS))
def test_a_normal_form_is_its_own_normal_form(value: str, kind: str) -> None:
    normalise = normaliser(kind, FRENCH)
    try:
        normal = normalise(value)
    except UnusableError:
        return
    assert normal is None or normalise(normal) in (normal, None)


def test_the_region_of_a_zone() -> None:
    assert region_of("Europe/Paris") == "FR"
    assert region_of("America/Montreal") in ("CA", None)
    assert region_of("UTC") is None


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("2 95 10 99 126 111 93", "295109912611193"),
        ("295109912611193", "295109912611193"),
        ("2 95 10 99 126 111 94", "2 95 10 99 126 111 94"),
        ("756.9217.0769.85", "7569217076985"),
        ("85.07.30-033 28", "85073003328"),
        ("54362315-k", "54362315K"),
        ("x-2482300w", "X2482300W"),
        ("rcc mnl 83s18 d969h", "RCCMNL83S18D969H"),
        ("C-000 123-45", "C-000 123-45"),
    ],
)
def test_national_ids_are_written_one_way_where_form_and_check_digits_say_so(written: str, normal: str) -> None:
    assert normaliser("user", FRENCH)(written) == normal


@pytest.mark.parametrize(
    ("kind", "written", "normal"),
    [
        ("device", "6D92078A-8246-4BA4-AE5B-76104861E7DC", "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
        ("user", "6D92078A-8246-4BA4-AE5B-76104861E7DC", "6d92078a-8246-4ba4-ae5b-76104861e7dc"),
        ("device", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", None),
        ("device", "9774d56d682e549c", None),
        ("device", "GA1.2.ABC", "GA1.2.ABC"),
    ],
)
def test_devices(kind: str, written: str, normal: str | None) -> None:
    assert normaliser(kind, FRENCH)(written) == normal


def test_what_a_company_blocks_names_nobody() -> None:
    spelling = spell("Europe/Paris", [" Kiosque ", '"Caisse@Maison.fr"', "+33 1 23 45 67 89", "+33123456789"])
    assert normaliser("user", spelling)("kiosque") is None
    assert normaliser("user", spelling)("\u00ab Kiosque \u00bb") is None
    assert normaliser("mail", spelling)("caisse@maison.FR") is None
    assert normaliser("phone", spelling)("01 23 45 67 89") is None
    assert normaliser("user", spelling)("kiosque2") == "kiosque2"
    assert spelling.version != spell("Europe/Paris").version != spell("Europe/London").version
