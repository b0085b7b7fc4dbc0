"""Links: they say what they were given, name nobody in the address, and open in one spelling alone."""

from __future__ import annotations

import base64
import string

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.collect.survey.asking import DAY_MS, KEY, KEYS, MINUTE_MS, NOW_MS, make_token

from parcours.collect.survey.links import (
    MOST_CHARACTERS,
    STRONGEST,
    ExpiredLinkError,
    Link,
    UnknownLinkError,
    derive_keys,
    name_answer,
    open_link,
    seal_link,
)

ALPHABET = string.ascii_letters + string.digits + "-_"
START_MS = NOW_MS - NOW_MS % MINUTE_MS
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
LINKS = st.builds(
    Link,
    touchpoint=TEXTS,
    who=st.dictionaries(st.sampled_from(STRONGEST), TEXTS, min_size=1),
    objects=st.dictionaries(TEXTS, TEXTS, max_size=3),
    language=st.sampled_from(["fr", "en"]),
    issued_ms=st.integers(-(10**6), 10**7).map(lambda minutes: START_MS + minutes * MINUTE_MS),
    expires_ms=st.just(0),
    salt=st.binary(max_size=8),
).map(lambda link: msgspec.structs.replace(link, expires_ms=link.issued_ms + 30 * DAY_MS))
LINK = Link(
    touchpoint="delivery",
    who={"user": "C-1042"},
    objects={"order": "O-7781"},
    language="fr",
    issued_ms=START_MS,
    expires_ms=START_MS + 30 * DAY_MS,
)
TOKEN = seal_link(LINK, KEYS)


@given(LINKS)
def test_a_link_says_what_it_was_given(link: Link) -> None:
    assert open_link(seal_link(link, KEYS), KEYS, link.issued_ms) == link


@given(LINKS)
def test_a_token_is_safe_in_any_address_and_never_much_longer_than_what_it_says(link: Link) -> None:
    token = seal_link(link, KEYS)
    assert set(token) <= set(ALPHABET)
    said = msgspec.msgpack.encode((link.touchpoint, dict(link.who), link.objects, link.salt))
    assert len(token) <= (len(said) + 16 + 15) * 4 / 3 + 2


@settings(max_examples=60)
@given(LINKS, st.data())
def test_any_character_changed_is_refused(link: Link, data: st.DataObject) -> None:
    token = seal_link(link, KEYS)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from([char for char in ALPHABET if char != token[place]]))
    with pytest.raises(UnknownLinkError):
        open_link(token[:place] + other + token[place + 1 :], KEYS, link.issued_ms)


def test_every_single_bit_flipped_is_refused() -> None:
    for place in range(len(TOKEN)):
        for bit in range(7):
            other = chr(ord(TOKEN[place]) ^ 1 << bit)
            with pytest.raises(UnknownLinkError):
                open_link(TOKEN[:place] + other + TOKEN[place + 1 :], KEYS, START_MS)


def test_every_bit_of_the_sealed_bytes_flipped_is_refused() -> None:
    sealed = base64.urlsafe_b64decode(TOKEN[1:] + "=" * (-len(TOKEN[1:]) % 4))
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            spelt = base64.urlsafe_b64encode(bytes(changed)).rstrip(b"=").decode()
            with pytest.raises(UnknownLinkError):
                open_link("1" + spelt, KEYS, START_MS)


def test_one_link_has_one_spelling() -> None:
    token = next(token for length in range(1, 5) if len(token := _sealed_with_user("C" * length)) % 4 != 1)
    last = ALPHABET_IN_ORDER.index(token[-1])
    spare = {2: 4, 3: 2}[len(token[1:]) % 4]
    for bits in range(1, 1 << spare):
        other = token[:-1] + ALPHABET_IN_ORDER[last ^ bits]
        # Plain base64 would read the same bytes from it.
        assert base64.urlsafe_b64decode(other[1:] + "==") == base64.urlsafe_b64decode(token[1:] + "==")
        with pytest.raises(UnknownLinkError):
            open_link(other, KEYS, START_MS)


ALPHABET_IN_ORDER = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def _sealed_with_user(user: str) -> str:
    return seal_link(msgspec.structs.replace(LINK, who={"user": user}), KEYS)


@pytest.mark.parametrize("cut", range(1, len(TOKEN) + 1))
def test_a_cut_link_is_refused(cut: int) -> None:
    with pytest.raises(UnknownLinkError):
        open_link(TOKEN[:-cut], KEYS, START_MS)


@given(st.text(max_size=200))
def test_what_was_never_a_link_is_refused(text: str) -> None:
    with pytest.raises(UnknownLinkError):
        open_link(text, KEYS, START_MS)


@pytest.mark.parametrize(
    "token",
    ["", "1", "2" + TOKEN[1:], "0" + TOKEN[1:], TOKEN[1:], TOKEN + "A", TOKEN + "=", " " + TOKEN, TOKEN + "\n",
     "1" + "A" * MOST_CHARACTERS, "1" + "é" * 40, TOKEN.upper(), "1" + "A" * 22],
)  # fmt: skip
def test_odd_spellings_are_refused(token: str) -> None:
    with pytest.raises(UnknownLinkError):
        open_link(token, KEYS, START_MS)


def test_the_link_of_another_company_is_refused() -> None:
    with pytest.raises(UnknownLinkError):
        open_link(TOKEN, derive_keys(bytes(32)), START_MS)


def test_what_is_sealed_for_something_else_is_refused() -> None:
    for plain, bound in ((b"\x97", b"parcours survey link 1"), (msgspec.msgpack.encode([1, 2]), b"other")):
        sealed = KEYS.links.encrypt(plain, [bound])
        with pytest.raises(UnknownLinkError):
            open_link("1" + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode(), KEYS, START_MS)


def test_a_link_ends_at_its_minute() -> None:
    assert open_link(TOKEN, KEYS, LINK.expires_ms - 1) == LINK
    with pytest.raises(ExpiredLinkError) as ended:
        open_link(TOKEN, KEYS, LINK.expires_ms)
    assert ended.value.link == LINK


def test_nobody_can_be_read_in_an_address() -> None:
    token = seal_link(msgspec.structs.replace(LINK, who={"mail": "ada@lovelace.fr"}), KEYS)
    sealed = base64.urlsafe_b64decode(token[1:] + "==")
    for hidden in (b"ada", b"lovelace", b"O-7781", b"delivery", b"order"):
        assert hidden not in sealed
        assert base64.urlsafe_b64encode(hidden).rstrip(b"=").decode() not in token


def test_an_ordinary_link_stays_short() -> None:
    assert len(TOKEN) <= 85


def test_a_reminder_about_the_same_order_names_the_same_answer() -> None:
    first = open_link(make_token(), KEYS, NOW_MS)
    later = open_link(make_token(now_ms=NOW_MS + 5 * DAY_MS, language="en"), KEYS, NOW_MS)
    assert name_answer(first, KEYS) == name_answer(later, KEYS)
    others = [make_token(user="C-2"), make_token(objects={"order": "O-2"}), make_token("click_collect")]
    named = {name_answer(open_link(token, KEYS, NOW_MS), KEYS) for token in others}
    assert len(named | {name_answer(first, KEYS)}) == 4


def test_without_an_object_each_link_names_its_own_answer() -> None:
    links = [open_link(make_token("loyalty", objects={}), KEYS, NOW_MS) for _ in range(20)]
    assert len({name_answer(link, KEYS) for link in links}) == 20


def test_the_strongest_identifier_names_the_answer() -> None:
    both = msgspec.structs.replace(LINK, who={"mail": "ada@lovelace.fr", "user": "C-1042"})
    assert name_answer(both, KEYS) == name_answer(LINK, KEYS)


def test_identifiers_of_different_types_do_not_meet() -> None:
    mail = msgspec.structs.replace(LINK, who={"mail": "C-1042"})
    assert name_answer(mail, KEYS) != name_answer(LINK, KEYS)


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"x"])
def test_a_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_keys(key)


def test_links_that_are_out_stay_good() -> None:
    """Customers hold links made by an earlier version: what one says and names must never change by itself."""
    token = "1c3cvbrNjE_ZdXKUHc3oCoERsZ5Qh7g0GWn-2x-r4xmMslq6vJNt8ofh8Q79bMy8Mm2o4AHL2pXTL3wT5zQ"
    assert token == TOKEN
    assert open_link(token, KEYS, START_MS) == LINK
    assert name_answer(LINK, KEYS).hex() == "b3773a4f956dad7bb3289e90b6c234c1"


def test_each_use_has_its_own_key() -> None:
    assert len({KEY, KEYS.answers, KEYS.register}) == 3
