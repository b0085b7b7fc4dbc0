"""Signatures of webhooks by the Standard Webhooks scheme: the secret, the signed content, the three headers.

Source: the Standard Webhooks specification, version 1 (symmetric signatures, ``v1``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST_BYTES: Final = 24
LONGEST_BYTES: Final = 64


def read_secret(text: str) -> bytes:
    """Return the key of a secret such as ``whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw``.

    Raises:
        ValueError: it is not base64, or does not hold 24 to 64 bytes.
    """
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("base64") from None
    if not SHORTEST_BYTES <= len(key) <= LONGEST_BYTES:
        raise ValueError("length")
    return key


def sign(key: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return ``v1,`` and the base64 of the HMAC-SHA256 of ``id.timestamp.body``."""
    content = f"{message_id}.{timestamp_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def signed_headers(keys: tuple[bytes, ...], message_id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """Return the three headers; with several keys, while one replaces another, a signature each."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(sign(key, message_id, timestamp_s, body) for key in keys),
    }
