"""Customer experience as code: from one service blueprint and a company's files to what hurts customers, and why."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parcours.company import Company, open
    from parcours.errors import Fault, ParcoursError
    from parcours.words import Words, speak

__all__ = ["Company", "Fault", "ParcoursError", "Words", "open", "speak"]
__version__ = "0.1.0"

_HOMES = {
    "Company": "parcours.company",
    "open": "parcours.company",
    "Fault": "parcours.errors",
    "ParcoursError": "parcours.errors",
    "Words": "parcours.words",
    "speak": "parcours.words",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: `parcours --help` must not load an engine."""
    if name not in _HOMES:
        raise AttributeError(f"module 'parcours' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
