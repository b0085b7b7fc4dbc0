"""A signed webhook out: each event is one HTTPS POST, in order, tried again until it is taken or refused for good."""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

from parcours.collect.connectors.contract import Inlet, Kind, Options, Outcome, Outlet, Parcel, Role, Where
from parcours.collect.connectors.faults import one_way
from parcours.collect.connectors.posting import Endpoint, is_loopback, read_retry_after
from parcours.collect.connectors.reading import check_shape, read_options
from parcours.collect.connectors.secrets import Secrets
from parcours.collect.connectors.signing import read_secret, signed_headers
from parcours.collect.source import Source
from parcours.errors import Fault, ParcoursError
from parcours.settings import Settings
from parcours.words import Words

RETRIED: Final = (408, 425, 429)
"""The client errors that pass; every other one refuses the parcel for good."""


_NOT_IN_URLS = re.compile(r"[^\x21-\x7e]")
_HEADER_SAFE = re.compile(r"[\x21-\x7e]{1,256}")


class WebhookOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a webhook goes and how it is signed.

    Attributes:
        url: An ``https`` URL, or ``http`` on the loopback.
        secret: ``${NAME}`` of a Standard Webhooks secret, ``whsec_…``.
        old_secret: The one that it replaces; as long as it stands, both sign.
        timeout_ms: How long one attempt may take as a whole.
        authorities: A file of certificates to trust instead of the system's, from the company folder.
    """

    url: str
    secret: str
    old_secret: str | None = None
    timeout_ms: int = 15_000
    authorities: str | None = None


class WebhookOutlet:
    """One URL that events are posted to."""

    def __init__(self, url: str, keys: tuple[bytes, ...], timeout_s: float, authorities: Path | None) -> None:
        self._endpoint = Endpoint(url, timeout_s, authorities)
        self._keys = keys

    def send(self, parcels: Sequence[Parcel]) -> Outcome:
        """Post parcels one after the other, until one is not taken."""
        for index, parcel in enumerate(parcels):
            outcome = self._send_one(index, parcel)
            if outcome is not None:
                return outcome
        return Outcome(len(parcels))

    def close(self) -> None:
        """End the connection."""
        self._endpoint.close()

    def _send_one(self, index: int, parcel: Parcel) -> Outcome | None:
        now_s = time.time()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Parcours",
            **signed_headers(self._keys, _header_id(parcel.message_id), int(now_s), parcel.body),
        }
        try:
            reply = self._endpoint.post(parcel.body, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Outcome.later(index, _unreachable(self._endpoint.host, error))
        if 200 <= reply.status < 300:
            return None
        asked_s = read_retry_after(reply.retry_after, now_s)
        if 400 <= reply.status < 500 and reply.status not in RETRIED:
            return Outcome.refused(index, _refused(self._endpoint.host, reply.status))
        return Outcome.later(index, _not_taken(self._endpoint.host, reply.status), asked_s)


class WebhookConnector:
    """The connector ``webhook``: out only."""

    name = "webhook"
    roles: frozenset[Role] = frozenset({"out"})
    secrets = ("url", "secret", "old_secret")

    def check(self, options: Options, where: Where) -> list[Fault]:
        """Return every fault of the options."""
        read, faults = check_shape(options, where, WebhookOptions)
        return [*faults, *_check_url(read.url, where), *_check_timeout(read.timeout_ms, where)]

    def kind(self, options: Options) -> Kind:
        """Nothing comes in."""
        return "rows"

    def open_inlet(self, source: Source, options: Options, settings: Settings, folder: Path) -> Inlet:
        """Refuse: what others post is taken by the connector ``http``."""
        raise one_way(self.name, "in")

    def open_outlet(self, destination: str, options: Options, settings: Settings, folder: Path) -> Outlet:
        """Return the outlet; it connects with the first parcel.

        Raises:
            ParcoursError: ``secret_not_set``, ``secret_unreadable``, ``not_https`` or ``file_unreadable``.
        """
        read = read_options(options, WebhookOptions)
        secrets = Secrets()
        url = secrets.fill(read.url)
        if not _is_safe(url):
            raise ParcoursError("not_https", *_NOT_HTTPS)
        texts = [secrets.fill(text) for text in (read.secret, read.old_secret) if text is not None]
        keys = tuple(_key(text, destination) for text in texts)
        authorities = settings.locate(read.authorities, folder) if read.authorities else None
        try:
            return WebhookOutlet(url, keys, read.timeout_ms / 1000, authorities)
        except OSError as error:
            raise _no_authorities(authorities, error) from None


WEBHOOK = WebhookConnector()

_NOT_HTTPS = (
    Words("L'adresse du webhook n'est pas une adresse https.", "The webhook's URL is no https URL."),
    Words(
        "Écrivez https://… ; http ne vaut que sur cette machine.", "Write https://…; http is for this machine alone."
    ),
)


def _check_url(url: str, where: Where) -> Iterator[Fault]:
    if url and "://" in url and not _is_safe(url):
        yield where.fault("not_https", ("url",), *_NOT_HTTPS)


def _check_timeout(timeout_ms: int, where: Where) -> Iterator[Fault]:
    if timeout_ms < 100 or timeout_ms > 120_000:
        sentence = Words("timeout: doit être entre 100ms et 2min.", "timeout: must be between 100ms and 2min.")
        yield where.fault("out_of_range", ("timeout",), sentence, Words("Par exemple 15s.", "For instance 15s."))


def _is_safe(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if _NOT_IN_URLS.search(url):
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or "")))


def _header_id(message_id: str) -> str:
    """Return an id that may stand in a header: clients choose theirs freely, and one must not block the queue."""
    if _HEADER_SAFE.fullmatch(message_id):
        return message_id
    return "msg_" + hashlib.sha256(message_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _key(text: str, destination: str) -> bytes:
    try:
        return read_secret(text)
    except ValueError:
        raise ParcoursError(
            "secret_unreadable",
            Words(
                f"Le secret de la destination « {destination} » n'est pas de la forme whsec_….",
                f"The secret of the destination “{destination}” is not of the form whsec_….",
            ),
            Words(
                "Il lui faut 24 à 64 octets en base64 : openssl rand -base64 32, précédé de whsec_.",
                "It needs 24 to 64 bytes in base64: openssl rand -base64 32, with whsec_ before it.",
            ),
        ) from None


def _no_authorities(path: Path | None, error: OSError) -> ParcoursError:
    reason = error.strerror or type(error).__name__
    return ParcoursError(
        "file_unreadable",
        Words(f"Les certificats ne se lisent pas : {reason}.", f"The certificates cannot be read: {reason}."),
        Words("Corrigez authorities: ; il faut un fichier PEM.", "Mend authorities:; it must be a PEM file."),
        path,
    )


def _unreachable(host: str, error: Exception) -> Fault:
    kind = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = error.verify_message
    elif isinstance(error, OSError) and error.strerror:
        kind = error.strerror
    return Fault(
        "webhook_unreachable",
        Words(f"{host} ne répond pas : {kind}.", f"{host} does not answer: {kind}."),
        Words(
            "Vérifiez l'adresse, le réseau et le certificat ; l'envoi est repris tout seul, dans l'ordre.",
            "Check the URL, the network and the certificate; sending resumes by itself, in order.",
        ),
    )


def _refused(host: str, status: int) -> Fault:
    return Fault(
        "webhook_refused",
        Words(f"{host} refuse l'événement ({status}).", f"{host} refuses the event ({status})."),
        Words(
            "Cet événement est mis de côté et les suivants continuent ; voyez avec ceux qui le reçoivent.",
            "This event is set aside and the next ones go on; ask those who receive it.",
        ),
    )


def _not_taken(host: str, status: int) -> Fault:
    redirect = Words(" : une redirection n'est pas suivie", ": a redirect is not followed") if status < 400 else Words()
    return Fault(
        "webhook_not_taken",
        Words(
            f"{host} n'a pas pris l'événement ({status}{redirect.fr}).",
            f"{host} did not take it ({status}{redirect.en}).",
        ),
        Words(
            "L'envoi est repris tout seul, dans l'ordre ; vérifiez l'adresse si cela dure.",
            "Sending resumes by itself, in order; check the URL if it lasts.",
        ),
    )
