"""What protects the pages: only names that were asked for, and headers that let nothing foreign run."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from parcours.words import Words

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


def write_policy(scripts: bool = False, forms: bool = False) -> str:
    """Return what a page may load and send: its own styles and pictures, and only where needed scripts and forms."""
    own = ["style-src 'self'", "img-src 'self'"]
    if scripts:
        own += ["script-src 'self'", "connect-src 'self'"]
    target = "'self'" if forms else "'none'"
    ends = ["base-uri 'none'", f"form-action {target}", "frame-ancestors 'none'"]
    return "; ".join(("default-src 'none'", *own, *ends))


POLICY = write_policy()
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
REFUSED = Words(
    fr="Ce nom d’hôte n’est pas servi. Ouvrez http://127.0.0.1, ou déclarez l’hôte sous [serve] dans parcours.toml.",
    en="This host name is not served. Open http://127.0.0.1, or set the host under [serve] in parcours.toml.",
)


def name_of(host: str) -> str:
    """Return the name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


class HostCheck:
    """Refuse requests under a name that nobody configured.

    A page elsewhere can point its own name at 127.0.0.1 and read what is served there (DNS rebinding); it can't
    choose the Host header that the browser then sends.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self.app = app
        self.hosts = LOOPBACK | {name_of(host) for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421."""
        if scope["type"] == "http" and name_of(Headers(scope=scope).get("host", "")) not in self.hosts:
            await PlainTextResponse(f"{REFUSED.fr}\n{REFUSED.en}\n", status_code=421)(scope, receive, send)
            return
        await self.app(scope, receive, send)


class SafeHeaders:
    """Put the protecting headers on every answer, save those that it brings itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add headers to what comes back."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, add if scope["type"] == "http" else send)
