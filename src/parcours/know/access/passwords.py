"""Passwords: what is asked of them (NIST SP 800-63B, 3.1.1.2), and how they are kept (Argon2id, RFC 9106)."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import argon2

from parcours.errors import ParcoursError
from parcours.words import Words

SHORTEST, LONGEST = 12, 256

_HASHER = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)
_FEW_LETTERS = 5
_BLOCKED = (
    "password", "passphrase", "motdepasse", "azerty", "qwerty", "qwertz", "letmein", "welcome", "bienvenue",
    "changeme", "administrator", "administrateur", "iloveyou", "123456", "parcours",
)  # fmt: skip
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$vjddWwL9mGLyWVsBu+LLQw$zoOz/9A0jccf+eCe9GNQd8S6d0sNKtlN9FuFeNv7GDs"
"""The hash of 256 random bits that nobody knows: an unknown person costs as much as a wrong password."""


def check_password(password: str, *told: str) -> None:
    """Do nothing if ``password`` may be used; ``told`` are words that whoever guesses would try, such as the login.

    Raises:
        ParcoursError: ``password_too_short``, ``password_too_long`` or ``password_too_common``.
    """
    plain = _normalise(password)
    if len(plain) < SHORTEST:
        raise _refuse(
            "password_too_short",
            Words(
                fr=f"Un mot de passe a au moins {SHORTEST} caractères.",
                en=f"A password has at least {SHORTEST} characters.",
            ),
        )
    if len(plain) > LONGEST:
        raise _refuse(
            "password_too_long",
            Words(
                fr=f"Un mot de passe a au plus {LONGEST} caractères.",
                en=f"A password has at most {LONGEST} characters.",
            ),
        )
    if _is_common(plain.casefold(), told):
        raise _refuse(
            "password_too_common",
            Words(
                fr="Ce mot de passe est de ceux que l'on essaie en premier.",
                en="This password is one of those that are tried first.",
            ),
        )


def hash_password(password: str) -> str:
    """Return what is kept of a password: an Argon2id hash with its own salt and parameters."""
    return _HASHER.hash(_normalise(password))


def is_password(kept: str, password: str) -> bool:
    """Return whether ``password`` is the one of which ``kept`` was kept; it takes as long where nothing was."""
    told = _normalise(password) if len(password) <= LONGEST else ""
    try:
        return _HASHER.verify(kept or _NOBODY, told) and bool(kept)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Return whether what was kept was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(kept)


def _normalise(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _is_common(plain: str, told: tuple[str, ...]) -> bool:
    """Return whether little is left of ``plain`` without what is tried first, or whether it repeats itself."""
    letters = "".join(filter(str.isalnum, plain))
    if len(set(plain)) < _FEW_LETTERS or _is_run(letters):
        return True
    rest = letters
    for word in (*_BLOCKED, *(part for one in told for part in _split(one))):
        rest = rest.replace(word, "")
    return len(rest) < SHORTEST // 2


def _is_run(letters: str) -> bool:
    """Return whether each letter follows the one before it, up or down: 1234…, abcd…"""
    steps = {ord(after) - ord(before) for before, after in pairwise(letters)}
    return (bool(letters) and steps <= {1, -9}) or steps == {-1}


def _split(text: str) -> list[str]:
    parts = "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
    return [part for part in parts if len(part) > 2]


def _refuse(code: str, sentence: Words) -> ParcoursError:
    return ParcoursError(
        code,
        sentence,
        Words(
            fr="Choisissez une phrase de plusieurs mots que vous seul connaissez ; rien d'autre n'est exigé.",
            en="Choose a phrase of several words that you alone know; nothing else is asked for.",
        ),
    )
