"""Identifiers as they are shown: enough to tell one from another, not enough to write to anybody."""

from __future__ import annotations

STARS = "•••"


def mask_identifier(kind: str, value: str) -> str:
    """Return ``value`` masked: of a mail the first letter and the domain, of anything else its last two characters."""
    if kind == "mail" and "@" in value:
        name, domain = value.rsplit("@", 1)
        return f"{name[:1]}{STARS}@{domain}"
    return f"{STARS}{value[-2:]}" if len(value) > 4 else STARS
