"""Passwords: length and nothing else is asked, what is tried first is refused, and guessing nobody takes as long."""

from __future__ import annotations

import statistics
import time

import argon2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.errors import ParcoursError
from parcours.know.access import passwords
from parcours.know.access.passwords import LONGEST, check_password, hash_password, is_outdated, is_password

PHRASE = "le train part à midi pile"


def refused(password: str, *told: str) -> str:
    """Return the code of the refusal, empty when the password may be used."""
    try:
        check_password(password, *told)
    except ParcoursError as fault:
        return fault.code if str(fault.faults[0].remedy) else "no remedy"
    return ""


@pytest.mark.parametrize(
    "password", [PHRASE, "correct horse battery staple", "猫は窓の外を見ている、夜中まで", "x7$Kq!vT2#mB"]
)
def test_a_phrase_of_any_letters_may_be_used(password: str) -> None:
    assert refused(password, "ada@example.com") == ""


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "password_too_short"),
        ("ｆｕｌｌｗｉｄｔｈ１", "password_too_short"),
        ("x" * (LONGEST + 1), "password_too_long"),
        ("passwordpassword", "password_too_common"),
        ("MotDePasse2026!", "password_too_common"),
        ("aaaaaaaaaaaaaaaa", "password_too_common"),
        ("abababababababab", "password_too_common"),
        ("123456789012345", "password_too_common"),
        ("abcdefghijklmnop", "password_too_common"),
        ("azertyazerty123", "password_too_common"),
        ("ada.lovelace2026", "password_too_common"),
        ("Parcours-parcours-1", "password_too_common"),
    ],
)
def test_what_is_tried_first_is_refused(password: str, code: str) -> None:
    assert refused(password, "ada.lovelace@example.com") == code


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.text(max_size=40))
def test_any_text_is_judged(password: str, login: str) -> None:
    assert refused(password, login) in ("", "password_too_short", "password_too_long", "password_too_common")


def test_a_password_is_kept_as_argon2id_of_its_own_salt() -> None:
    kept = hash_password(PHRASE)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert kept != hash_password(PHRASE)
    assert is_password(kept, PHRASE)
    assert is_password(kept, PHRASE.replace("à", "a\u0300"))  # the same text, composed otherwise
    assert not is_password(kept, PHRASE + " ")
    assert not is_outdated(kept)
    assert is_outdated(argon2.PasswordHasher(time_cost=1).hash(PHRASE))


@pytest.mark.parametrize("kept", ["", "garbage", "$argon2id$v=19$m=65536", "$2b$12$" + "a" * 53])
def test_nothing_that_is_kept_wrongly_opens(kept: str) -> None:
    assert not is_password(kept, PHRASE)
    assert not is_password(kept, "")


def test_nobody_is_asked_with_the_parameters_of_everybody() -> None:
    assert not is_outdated(passwords._NOBODY)
    kept = hash_password(PHRASE)

    def time_it(one: str) -> float:
        started = time.process_time()
        is_password(one, "something else entirely")
        return time.process_time() - started

    nobody, somebody = (statistics.median(time_it(one) for _ in range(3)) for one in ("", kept))
    assert 0.5 < nobody / somebody < 2


def test_a_password_that_is_far_too_long_costs_no_more() -> None:
    started = time.process_time()
    assert not is_password(hash_password(PHRASE), "x" * 50_000_000)
    assert time.process_time() - started < 5
