"""An OpenID Connect provider on the loopback that keeps to the standard, until a test tells it where not to.

Authorization code flow with PKCE (RFC 6749, 7636), discovery, a key set that may rotate, ID tokens (OpenID Connect Core
1.0). Whoever is sent there is signed in at once as ``person``.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

SECRET = "of the client, and long enough"
CLIENT = "parcours"
Claims = dict[str, Any]
Keys = dict[str, RSAKey | ECKey]


def _code(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@cache
def _make_keys(name: str) -> Keys:
    return {
        "RS256": RSAKey.generate_key(2048, {"kid": f"{name}-rsa", "use": "sig"}),
        "ES256": ECKey.generate_key("P-256", {"kid": f"{name}-ec", "use": "sig"}),
    }


class OidcProvider:
    """One provider. What it does otherwise than the standard says is set between two sign-ins.

    Attributes:
        person: The claims about whoever is signed in.
        alter: Changes the claims of an ID token before it is signed.
        algorithm: With which it signs; ``none`` leaves the signature out.
        asked: The queries with which people were sent here.
    """

    def __init__(self, redirects: Callable[[], set[str]], public: bool = False) -> None:
        self._redirects, self._public = redirects, public
        self.person: Claims = {"sub": "248289761001", "email": "ada@example.com", "email_verified": True}
        self.alter: Callable[[Claims], object] = lambda claims: None
        self.algorithm = "RS256"
        self.asked: list[dict[str, str]] = []
        self.configuration: Claims = {}
        self.down = False
        self._codes: dict[str, dict[str, str]] = {}
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def rotate(self) -> None:
        """Sign with other keys from now on."""
        self.keys = _make_keys("first" if not hasattr(self, "keys") else secrets.token_hex(4))

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def describe(self) -> Claims:
        """Return the configuration (OpenID Connect Discovery 1.0, 3)."""
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return told | self.configuration

    def authorize(self, query: dict[str, str]) -> str:
        """Return where the browser is sent back to; anything wrong raises."""
        self.asked.append(query)
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] in self._redirects(), query["redirect_uri"]
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        assert query["nonce"]
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state'], 'iss': self.issuer})}"

    def exchange(self, fields: dict[str, str], authorization: str) -> Claims | None:
        """Return tokens for a code, once; nothing when anything about it is wrong."""
        query = self._codes.pop(fields.get("code", ""), None)
        challenge = _code(sha256(fields.get("code_verifier", "").encode()).digest())
        if query is None or query["code_challenge"] != challenge.decode():
            return None
        if query["redirect_uri"] != fields.get("redirect_uri") or fields.get("grant_type") != "authorization_code":
            return None
        if not self._knows(fields, authorization):
            return None
        return {
            "access_token": secrets.token_urlsafe(16),
            "token_type": "Bearer",
            "id_token": self.sign(query["nonce"]),
        }

    def sign(self, nonce: str) -> str:
        """Return an ID token."""
        now_s = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now_s, "exp": now_s + 300, "nonce": nonce, **self.person}
        self.alter(claims)
        if self.algorithm == "none":
            return b".".join(_code(json.dumps(part).encode()) for part in ({"alg": "none"}, claims)).decode() + "."
        if self.algorithm == "HS256":  # as if the public key were a secret
            parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": self.keys["RS256"].kid}, claims)]
            signed = b".".join(map(_code, parts))
            public = self.keys["RS256"].as_pem(private=False)
            return (signed + b"." + _code(hmac.new(public, signed, sha256).digest())).decode()
        key = self.keys[self.algorithm]
        return jwt.encode({"alg": self.algorithm, "kid": key.kid}, claims, key)

    def _knows(self, fields: dict[str, str], authorization: str) -> bool:
        if self._public:
            return fields.get("client_id") == CLIENT and not authorization
        if "client_secret_post" in self.configuration.get("token_endpoint_auth_methods_supported", ()):
            return (fields.get("client_id"), fields.get("client_secret")) == (CLIENT, SECRET)
        name, _, secret = base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")
        return (unquote(name), unquote(secret)) == (CLIENT, SECRET)

    def _handler(provider) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                if parts.path == "/authorize":
                    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                    self.send_response(302)
                    self.send_header("Location", provider.authorize(query))
                    self.end_headers()
                elif parts.path == "/keys":
                    self.answer(KeySet(list(provider.keys.values())).as_dict(private=False))
                else:
                    self.answer(provider.describe())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = {name: values[0] for name, values in parse_qs(body).items()}
                told = provider.exchange(fields, self.headers.get("Authorization", ""))
                self.answer(told or {"error": "invalid_grant"}, 200 if told else 400)

            def answer(self, told: object, status: int = 200) -> None:
                body = json.dumps(told).encode()
                self.send_response(500 if provider.down else status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler
