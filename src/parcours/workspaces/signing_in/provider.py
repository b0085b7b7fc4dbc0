"""The OpenID Connect provider of a company: where it asks people who they are, and what it says of them, checked."""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from parcours.errors import ParcoursError
from parcours.settings import ProviderSettings
from parcours.words import Words
from parcours.workspaces.signing_in.fetching import AwayError, fetch, is_loopback
from parcours.workspaces.signing_in.ways import Way

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
"""Signatures with a key of the provider's own; neither ``none`` nor one that our secret could make."""
LEEWAY_S: Final = 60
KNOWN_S: Final = 3_600.0
AGAIN_S: Final = 60.0
"""How often the keys are asked for again at most, because of a token that none of them signed."""
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class Identity(msgspec.Struct, frozen=True):
    """Who a provider says somebody is; ``mail`` is empty unless it says that the address is verified."""

    subject: str
    mail: str


class UntrueError(Exception):
    """What came back is not what the provider would say to this question."""


class Provider:
    """One provider, whose configuration and keys are kept for an hour.

    Args:
        settings: Where it is, and what we are called there.
        clock: Seconds that never go back.

    Raises:
        ParcoursError: ``secret_not_set``, ``secret_in_clear``.
    """

    def __init__(self, settings: ProviderSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._secret = read_secret(settings.client_secret)
        # A provider elsewhere must not have us ask what only this machine can reach.
        self._fetch = partial(fetch, loopback=is_loopback(urlsplit(settings.issuer).hostname or ""))
        self._clock = clock
        self._known: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, KeySet] | None = None

    def ask(self, way: Way, back: str) -> str:
        """Return the address that asks somebody who they are; the answer comes to ``back``.

        Raises:
            AwayError: The provider does not say where it asks.
        """
        known = self._configuration()
        challenge = create_s256_code_challenge(way.verifier)
        return str(
            prepare_grant_uri(
                _read_url(known, "authorization_endpoint"),
                self.settings.client_id,
                "code",
                back,
                "openid email",
                way.state,
                nonce=way.nonce,
                code_challenge=challenge,
                code_challenge_method="S256",
            )
        )

    def identify(self, way: Way, code: str, back: str, now_s: float) -> Identity:
        """Exchange ``code`` for an ID token, and return who it says somebody is.

        Raises:
            AwayError: The provider does not answer as it should.
            UntrueError: The token is of another issuer, audience, time or question, or nobody signed it.
        """
        known = self._configuration()
        told = self._fetch(_read_url(known, "token_endpoint"), *self._write_request(known, way, code, back))
        token = told.get("id_token")
        if not isinstance(token, str):
            raise UntrueError("no ID token")
        try:
            return self._read_token(token, way, now_s)
        except (JoseError, ValueError, TypeError, KeyError) as fault:
            # Its words may repeat what was sent.
            raise UntrueError(type(fault).__name__) from None

    def is_of(self, issuer: str) -> bool:
        """Return whether an answer that names its issuer (RFC 9207) names this one."""
        return not issuer or issuer == self.settings.issuer

    def _read_token(self, token: str, way: Way, now_s: float) -> Identity:
        decoded = self._decode(token)
        options: Any = {
            "iss": {"essential": True, "value": self.settings.issuer},
            "aud": {"essential": True, "value": self.settings.client_id},
            "sub": {"essential": True},
        }
        claims = CodeIDToken(
            decoded.claims, decoded.header, options, {"nonce": way.nonce, "client_id": self.settings.client_id}
        )
        claims.validate(int(now_s), LEEWAY_S)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise UntrueError("no subject")
        mail = claims.get("email")
        verified = isinstance(mail, str) and claims.get("email_verified") is True
        return Identity(f"{self.settings.issuer}\n{subject}", str(mail) if verified else "")

    def _decode(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, self._key_set(), list(ALGORITHMS))
        except (JoseError, ValueError):
            # The provider may have changed its keys since.
            if self._keys is None or self._clock() - self._keys[0] < AGAIN_S:
                raise
            self._keys = None
            return jwt.decode(token, self._key_set(), list(ALGORITHMS))

    def _write_request(self, known: dict[str, Any], way: Way, code: str, back: str) -> tuple[bytes, dict[str, str]]:
        secret, client = self._secret, self.settings.client_id
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        more: dict[str, str] = {"code": code, "code_verifier": way.verifier}
        methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if secret and "client_secret_basic" in methods:
            pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            more |= {"client_id": client} | ({"client_secret": secret} if secret else {})
        return prepare_token_request("authorization_code", "", back, **more).encode(), headers

    def _configuration(self) -> dict[str, Any]:
        if self._known is None or self._clock() - self._known[0] > KNOWN_S:
            place = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
            known = self._fetch(place)
            if known.get("issuer") != self.settings.issuer:
                raise AwayError("the configuration is of another issuer")
            self._known = self._clock(), known
        return self._known[1]

    def _key_set(self) -> KeySet:
        if self._keys is None or self._clock() - self._keys[0] > KNOWN_S:
            told = self._fetch(_read_url(self._configuration(), "jwks_uri"))
            try:
                self._keys = self._clock(), KeySet.import_key_set(told)  # type: ignore[arg-type]
            except (JoseError, ValueError, TypeError, KeyError) as fault:
                raise AwayError("no keys") from fault
        return self._keys[1]


def read_secret(reference: str) -> str:
    """Return the secret that ``${NAME}`` stands for, nothing where there is none to have.

    Raises:
        ParcoursError: ``secret_not_set``, ``secret_in_clear``.
    """
    found = _REFERENCE.fullmatch(reference)
    if found and (value := os.environ.get(found.group(1))):
        return value
    if not reference:
        return ""
    remedy = Words(
        fr='Écrivez client_secret = "${NOM}" sous [sign_in.provider], et définissez NOM dans l\'environnement.',
        en='Write client_secret = "${NAME}" under [sign_in.provider], and set NAME in the environment.',
    )
    if found:
        name = found.group(1)
        told = Words(fr=f"La variable d'environnement {name} n'est pas définie.", en=f"The variable {name} is not set.")
        raise ParcoursError("secret_not_set", told, remedy)
    told = Words(fr="Le secret du fournisseur est écrit en clair.", en="The provider's secret is written in the clear.")
    raise ParcoursError("secret_in_clear", told, remedy)


def _read_url(known: dict[str, Any], name: str) -> str:
    url = known.get(name)
    if not isinstance(url, str):
        raise AwayError(f"no {name}")
    return url
