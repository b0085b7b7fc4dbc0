"""The address under test, taken apart; what is not the address of a server is refused with a remedy."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from parcours.errors import ParcoursError
from parcours.words import Words


class Target(msgspec.Struct, frozen=True):
    """Where requests go: ``base`` is what stands before every route, empty or ``/prefix``."""

    scheme: str
    host: str
    port: int
    base: str = ""

    @property
    def authority(self) -> str:
        """``host:port`` as a ``Host`` header says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"http": 80, "https": 443}[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address as a person writes it."""
        return f"{self.scheme}://{self.authority}{self.base}"


def read_target(url: str) -> Target:
    """Take a base address apart: `http` or `https`, a host, perhaps a port and a path before ``/v1``."""
    found, query = split_url(url)
    if query:
        raise _unusable(url)
    target = Target(found.scheme, found.host, found.port, found.base.rstrip("/"))
    if target.base.endswith("/v1"):
        raise ParcoursError(
            "url_with_v1",
            Words(f"L'adresse « {url} » contient déjà /v1.", f"The address “{url}” already holds /v1."),
            Words(
                f"Donnez ce qui précède : {target.url.removesuffix('/v1')}",
                f"Give what comes before: {target.url.removesuffix('/v1')}",
            ),
        )
    return target


def split_url(url: str) -> tuple[Target, str]:
    """Take any `http` or `https` address apart into its target and its query."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as fault:
        raise _unusable(url) from fault
    host = parts.hostname
    known = parts.scheme in ("http", "https") and host is not None and host.isascii()
    plain = not parts.fragment and parts.username is None and url.isprintable() and " " not in url.strip()
    if not known or not plain or host is None or port == 0:
        raise _unusable(url)
    default = 443 if parts.scheme == "https" else 80
    return Target(parts.scheme, host, port or default, parts.path), parts.query


def _unusable(url: str) -> ParcoursError:
    return ParcoursError(
        "unusable_url",
        Words(f"« {url} » n'est pas l'adresse d'un serveur.", f"“{url}” is not the address of a server."),
        Words(
            "Écrivez par exemple http://127.0.0.1:8601 : http ou https, un hôte, et ni clé, ni « ? », ni « # ».",
            "Write for example http://127.0.0.1:8601: http or https, a host, and neither key nor “?” nor “#”.",
        ),
    )
