"""Receipts: what an erasure did, found and left, signed by the company so that nobody can write one afterwards."""

from __future__ import annotations

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from parcours.errors import ParcoursError
from parcours.know.keys import Keys
from parcours.words import Words

FORM = "parcours-erasure-receipt-1"


class Backup(msgspec.Struct, frozen=True):
    """Copies outside that may still hold something, and when they cannot be read any more."""

    what: Words
    until_ms: int


CONSENT_PROOF = "consent_proof"
"""What is kept of consents that were used is called so: it stands in no blueprint (see `parcours.know.consent`)."""


class Kept(msgspec.Struct, frozen=True):
    """Rows that the law keeps (GDPR art. 17(3)): sealed apart, read by no measure, gone at ``until_ms``.

    ``id`` is that of a rule of the blueprint, or `CONSENT_PROOF`.
    """

    id: str
    basis: str
    rows: int
    until_ms: int


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read to see that nothing is left: files, the columns and cells in them, and where something was found.

    ``mentions`` counts, by place, what other people wrote or what a field of their events says that holds one of the
    identifiers: that is theirs, and for a person to judge. ``arriving`` counts deliveries that came in after the
    erasure and wait for the door, which discards what is of the person.
    """

    files: int
    columns: int
    cells: int
    found: dict[str, int]
    mentions: dict[str, int] = {}
    arriving: int = 0


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One erasure from its asking to its proof. Nobody is named in it.

    Attributes:
        company: Whose it is.
        erasure_no, request_no: Which erasure, and which request it answers (0 for none).
        actor: Who asked the program for it.
        asked_ms, done_ms: When nothing returned the person any more, and when it was proved.
        event_no: The profile is what events before this number say.
        identifiers: How many identifiers were erased, by type; ``shared_devices`` stay, for they are several people's.
        gone: How much was taken away, by what it was.
        retained: What the law keeps.
        recipients: The destinations that were told (GDPR art. 19).
        proof: What was read to see that nothing is left.
        backups: Copies that expire later.
        tombstones_until_ms: Until when a second delivery is refused.
    """

    company: str
    erasure_no: int
    request_no: int
    actor: str
    asked_ms: int
    done_ms: int
    event_no: int
    identifiers: dict[str, int]
    shared_devices: int
    gone: dict[str, int]
    retained: tuple[Kept, ...]
    recipients: tuple[str, ...]
    proof: Proof
    backups: tuple[Backup, ...]
    tombstones_until_ms: int


class Signed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receipt with the public key and the Ed25519 signature (RFC 8032) over its JSON with sorted keys, in hex."""

    form: str
    receipt: Receipt
    public_key: str
    signature: str


def sign_receipt(receipt: Receipt, keys: Keys) -> bytes:
    """Return ``receipt`` signed, as JSON."""
    key = _key_of(keys)
    body = _body(receipt)
    public = key.public_key().public_bytes_raw().hex()
    signed = Signed(form=FORM, receipt=receipt, public_key=public, signature=key.sign(body).hex())
    return msgspec.json.format(msgspec.json.encode(signed), indent=2)


def read_receipt(document: bytes, keys: Keys) -> Receipt:
    """Return the receipt in ``document`` when this company signed it and nobody altered it since.

    Raises:
        ParcoursError: ``receipt_unreadable``, ``receipt_foreign`` or ``receipt_altered``.
    """
    try:
        signed = msgspec.json.decode(document, type=Signed)
        signature = bytes.fromhex(signed.signature)
    except (msgspec.DecodeError, ValueError) as fault:
        raise _refuse("receipt_unreadable", "n'est pas un reçu d'effacement", "is no receipt of an erasure") from fault
    if signed.form != FORM or signed.public_key != public_key_of(keys):
        raise _refuse("receipt_foreign", "n'est pas signé par cette entreprise", "is not signed by this company")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed.public_key)).verify(signature, _body(signed.receipt))
    except (InvalidSignature, ValueError) as fault:
        raise _refuse(
            "receipt_altered", "a été altéré depuis sa signature", "was altered after it was signed"
        ) from fault
    return signed.receipt


def public_key_of(keys: Keys) -> str:
    """Return the public key of the company's receipts and callbacks, in hex."""
    return _key_of(keys).public_key().public_bytes_raw().hex()


def sign_bytes(data: bytes, keys: Keys) -> str:
    """Return the company's signature over ``data``, in hex."""
    return _key_of(keys).sign(data).hex()


def _key_of(keys: Keys) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.derive("receipts"))


def _body(receipt: Receipt) -> bytes:
    return msgspec.json.encode(receipt, order="sorted")


def _refuse(code: str, french: str, english: str) -> ParcoursError:
    return ParcoursError(
        code,
        Words(fr=f"Ce fichier {french}.", en=f"This file {english}."),
        Words(
            fr="Le reçu d'origine se relit avec : parcours forget DIR receipt N",
            en="The original receipt can be read again: parcours forget DIR receipt N",
        ),
    )
