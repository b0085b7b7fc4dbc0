"""Signatures by the Standard Webhooks scheme, against a value worked out by hand and its own parts."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from parcours.collect.connectors.signing import read_secret, sign, signed_headers

KEY = bytes(range(24))
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def test_the_signature_is_of_id_timestamp_and_body() -> None:
    wanted = base64.b64encode(hmac.digest(KEY, b'msg_1.1700000000.{"a":1}', hashlib.sha256)).decode()
    assert sign(KEY, "msg_1", 1_700_000_000, b'{"a":1}') == f"v1,{wanted}"


def test_a_signature_worked_out_with_another_tool() -> None:
    """It was made by ``openssl dgst -sha256 -mac HMAC -macopt hexkey:000102… -binary``, then base64."""
    assert sign(KEY, "msg_1", 1_700_000_000, b'{"a":1}') == "v1,YOREwC5BRUvI4ezImQEgEteB7JbPr/Iy2YCZe049/5g="


def test_two_keys_sign_side_by_side_while_one_replaces_the_other() -> None:
    headers = signed_headers((KEY, KEY[::-1]), "msg_1", 1, b"{}")
    assert set(headers) == {"webhook-id", "webhook-timestamp", "webhook-signature"}
    assert headers["webhook-signature"].split(" ") == [sign(KEY, "msg_1", 1, b"{}"), sign(KEY[::-1], "msg_1", 1, b"{}")]


def test_a_secret_is_read_with_its_prefix_and_without() -> None:
    assert read_secret(SECRET) == read_secret(SECRET.removeprefix("whsec_")) == KEY


@pytest.mark.parametrize(
    "text",
    ["", "whsec_", "whsec_%%%%", "whsec_" + base64.b64encode(b"x" * 23).decode(), base64.b64encode(b"x" * 65).decode()],
)
def test_what_is_no_secret_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"base64|length"):
        read_secret(text)
