"""OpenDSR: requests about people that programs send, in the shape of the OpenDSR 2.0 specification, and what they hear.

Source: the OpenDSR specification (opengdpr/OpenDSR, 2020): its fields, statuses and headers. Answers and callbacks are
signed with the company's Ed25519 key (RFC 8032) where the specification has RSA certificates.
"""

from __future__ import annotations

import base64
import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from parcours.engine.store.sqlite import Database
from parcours.know.keys import Keys
from parcours.know.rights.callbacks import Callbacks
from parcours.know.rights.dsr_keys import DsrKey, DsrKeys
from parcours.know.rights.receipts import public_key_of, sign_bytes
from parcours.know.rights.requests import Request, Requests, State

VERSION, ACTOR = "2.0", "opendsr"
MOST_BYTES = 32 * 1024
IDENTITIES = {
    "controller_customer_id": "user",
    "user_id": "user",
    "email": "mail",
    "phone_number": "phone",
    "phone": "phone",
    "anonymous_id": "device",
    "device_id": "device",
}
"""The identity types that are known, and which identifier each is."""

KINDS = ("access", "portability", "erasure", "rectification")
STATUSES: dict[State, str] = {
    "received": "pending",
    "checked": "pending",
    "started": "in_progress",
    "done": "completed",
    "refused": "cancelled",
    "cancelled": "cancelled",
}
CANCELLABLE: tuple[State, ...] = ("received", "checked")

_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{7,63}$")]
_Url = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Identity(msgspec.Struct, frozen=True):
    """One identifier of the person: its type, its value, and how it is written (``raw`` alone)."""

    identity_type: _Short
    identity_value: _Short
    identity_format: _Short = "raw"


class Body(msgspec.Struct, frozen=True):
    """A request as it is sent; fields that are not here are passed over, as the specification has extensions."""

    subject_request_id: _Id
    subject_request_type: Literal["access", "portability", "erasure", "rectification"]
    submitted_time: datetime
    subject_identities: Annotated[tuple[Identity, ...], msgspec.Meta(min_length=1, max_length=25)]
    regulation: Literal["gdpr", "ccpa"] = "gdpr"
    status_callback_urls: Annotated[tuple[_Url, ...], msgspec.Meta(max_length=5)] = ()


class Answer(NamedTuple):
    """What goes back: a status and a JSON body, which the caller signs with `OpenDsr.sign`."""

    status: int
    body: bytes


class OpenDsr:
    """The interface of one company, without HTTP.

    Args:
        company: The id of the company, which is the controller.
        state, keys: What it keeps.
        requests: The register, into which requests go; people decide and answer them.
    """

    def __init__(self, company: str, state: Database, keys: Keys, requests: Requests) -> None:
        self._company, self._keys, self._requests = company, keys, requests
        self.keys = DsrKeys(state, keys)
        self.callbacks = Callbacks(state, keys)

    def sign(self, body: bytes) -> str:
        """Return the company's signature over what is sent, in Base64."""
        return base64.b64encode(bytes.fromhex(sign_bytes(body, self._keys))).decode()

    def discover(self) -> Answer:
        """Return what is understood here."""
        identities = [{"identity_type": name, "identity_format": "raw"} for name in IDENTITIES]
        told = {
            "api_version": VERSION,
            "supported_identities": identities,
            "supported_subject_request_types": list(KINDS),
            "signature_algorithm": "Ed25519",
            "public_key": public_key_of(self._keys),
        }
        return _write(200, told)

    def enter(self, sent: bytes, key: DsrKey) -> Answer:
        """Enter a request into the register; the same one again is answered again, and entered once.

        Whoever holds the key has checked that it is the person who asks.
        """
        if len(sent) > MOST_BYTES:
            return refuse(413, "too_large", f"A request has at most {MOST_BYTES} bytes.")
        try:
            body = msgspec.json.decode(sent, type=Body)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as fault:
            # What was sent may name somebody: the place of the fault is told, and nothing of the value.
            return refuse(400, "bad_request", f"The body is no OpenDSR request: {_place_of(fault)}.")
        why = _find_fault(body, key)
        if why is not None:
            return refuse(*why)
        identifiers = tuple(f"{IDENTITIES[one.identity_type]}:{one.identity_value}" for one in body.subject_identities)
        with self._requests.together():
            held = self.find(body.subject_request_id)
            if held is not None and not self._is_same(held, body, identifiers):
                return refuse(409, "request_id_used", "This subject_request_id stands for another request.")
            if held is None:
                held = self._open(body, identifiers)
        return self._acknowledge(held, sent)

    def tell(self, request_id: str) -> Answer:
        """Return how a request stands."""
        held = self.find(request_id)
        return _unknown() if held is None else _write(200, self.describe(held))

    def cancel(self, request_id: str) -> Answer:
        """Cancel a request that nobody has begun to answer."""
        with self._requests.together():
            held = self.find(request_id)
            if held is None:
                return _unknown()
            if held.state == "cancelled":
                return _write(202, self.describe(held))
            if held.state not in CANCELLABLE:
                return refuse(409, "too_late", "This request is being answered, or was answered.")
            self._requests.close(held.number, "cancelled", ACTOR, "by the program that sent it")
        return _write(202, self.describe(self._requests.find(held.number)))

    def find(self, request_id: str) -> Request | None:
        """Return the request that whoever sent it calls ``request_id``."""
        sent = (one for one in self._requests.list_requests() if one.channel == ACTOR)
        return next((one for one in sent if one.outside == request_id), None)

    def describe(self, held: Request) -> dict[str, Any]:
        """Return how a request stands, as answers and callbacks say it."""
        told = {
            "controller_id": self._company,
            "subject_request_id": held.outside,
            "subject_request_type": held.kind,
            "request_status": STATUSES[held.state],
            "expected_completion_time": _time(held.due_ms),
            "received_time": _time(held.received_ms),
            "api_version": VERSION,
            "results_url": None,
        }
        return told | ({"status_reason": "refused"} if held.state == "refused" else {})

    def send_due(self) -> int:
        """Tell one address what changed of a request, if any is due; return how many were told."""
        sent = [one for one in self._requests.list_requests() if one.channel == ACTOR and one.callbacks]
        told = {one.number: msgspec.json.encode(self.describe(one)) for one in sent}
        wanted = {one.number: (STATUSES[one.state], one.callbacks) for one in sent}
        allowed = self.keys.live()
        due = self.callbacks.find_due(wanted, lambda url: any(key.lets_call(url) for key in allowed))
        if due is None:
            return 0
        number, url = due
        headers = {
            "content-type": "application/json",
            "x-opendsr-processor-domain": self._company,
            "x-opendsr-signature": self.sign(told[number]),
        }
        return int(self.callbacks.send(number, url, wanted[number][0], told[number], headers))

    def _open(self, body: Body, identifiers: tuple[str, ...]) -> Request:
        number = self._requests.open(
            body.subject_request_type,
            identifiers,
            ACTOR,
            ACTOR,
            # The month runs from when the person asked, and nobody asks tomorrow.
            min(int(body.submitted_time.timestamp() * 1000), _now_ms()),
            body.subject_request_id,
            body.status_callback_urls,
        )
        self._requests.check_identity(number, "by the program that sent it", ACTOR)
        return self._requests.find(number)

    def _is_same(self, held: Request, body: Body, identifiers: tuple[str, ...]) -> bool:
        told = self._requests.identifiers_of(held.number)
        # Once somebody is erased nothing says whom it was about.
        return held.kind == body.subject_request_type and told in (identifiers, ())

    def _acknowledge(self, held: Request, sent: bytes) -> Answer:
        told = {
            "controller_id": self._company,
            "subject_request_id": held.outside,
            "received_time": _time(held.received_ms),
            "expected_completion_time": _time(held.due_ms),
            "encoded_request": base64.b64encode(sent).decode(),
            "api_version": VERSION,
        }
        return _write(201, told)


def refuse(status: int, code: str, message: str) -> Answer:
    """Return a refusal as the specification writes it."""
    return _write(status, {"error": {"code": status, "errors": [{"reason": code}], "message": message}})


def _find_fault(body: Body, key: DsrKey) -> tuple[int, str, str] | None:
    for one in body.subject_identities:
        if one.identity_type not in IDENTITIES:
            return 400, "unknown_identity_type", f"Identity types are {', '.join(IDENTITIES)}."
        if one.identity_format != "raw":
            return 400, "unknown_identity_format", "Identities are sent raw: this company knows no digests of them."
    if not all(map(key.lets_call, body.status_callback_urls)):
        return 403, "callback_not_declared", "A callback goes to an address that was declared with the key."
    if body.submitted_time.tzinfo is None:
        return 400, "bad_request", "submitted_time has a time zone."
    return None


def _place_of(fault: Exception) -> str:
    place = str(fault).rpartition(" - at `")[2].rstrip("`")
    return f"see {place}" if isinstance(fault, msgspec.ValidationError) and place.startswith("$") else "see its JSON"


def _unknown() -> Answer:
    return refuse(404, "unknown_request", "There is no request of this id.")


def _write(status: int, told: object) -> Answer:
    return Answer(status, msgspec.json.encode(told))


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
