"""The way to a provider and back: what the browser carries meanwhile, sealed against reading and making."""

from __future__ import annotations

import base64
import binascii
import os
import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VALID_S = 10 * 60
_NONCE = 12
_LONGEST = 4_096


class Way(msgspec.Struct, frozen=True):
    """One question to a provider.

    Attributes:
        state: Ties the answer to the browser that asked.
        nonce: Ties the ID token to this question.
        verifier: Shows that whoever brings the code is who asked (PKCE, RFC 7636).
        language: The reader's.
        place: Where somebody is led afterwards.
        made_s: When it began.
    """

    state: str
    nonce: str
    verifier: str
    language: str
    place: str
    made_s: int


def begin_way(language: str, place: str, now_s: float) -> Way:
    """Return a way of its own: three times 256 random bits."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Way(state, nonce, verifier, language, place, int(now_s))


def seal_way(way: Way, key: bytes) -> str:
    """Return what a browser carries."""
    nonce = os.urandom(_NONCE)
    sealed = nonce + AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(way), b"way")
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def open_way(carried: str, key: bytes, now_s: float) -> Way | None:
    """Return what `seal_way` sealed, a few minutes ago at most; nothing for anything else."""
    if not carried or len(carried) > _LONGEST:
        return None
    try:
        sealed = base64.b64decode(carried + "=" * (-len(carried) % 4), altchars=b"-_", validate=True)
        plain = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], b"way")
        way = msgspec.msgpack.decode(plain, type=Way)
    except (InvalidTag, ValueError, binascii.Error, msgspec.MsgspecError):
        return None
    return way if 0 <= now_s - way.made_s <= VALID_S else None
