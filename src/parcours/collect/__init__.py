"""What happened: files and messages become events, once, with what cannot be read kept aside."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parcours.collect.compaction.compact import Compacted, compact
    from parcours.collect.compaction.expiry import expire
    from parcours.collect.connectors.destinations import check_destinations
    from parcours.collect.reading import check_sources, read_sources
    from parcours.collect.report import Counts, LoadReport, SourceReport
    from parcours.engine.store.lock import company_lock, find_pages, pages_told, serving_lock

__all__ = [
    "Compacted",
    "Counts",
    "LoadReport",
    "SourceReport",
    "check_destinations",
    "check_sources",
    "compact",
    "company_lock",
    "expire",
    "find_pages",
    "pages_told",
    "read_sources",
    "serving_lock",
]

_HOMES = {
    "Compacted": "parcours.collect.compaction.compact",
    "compact": "parcours.collect.compaction.compact",
    "expire": "parcours.collect.compaction.expiry",
    "check_destinations": "parcours.collect.connectors.destinations",
    "Counts": "parcours.collect.report",
    "LoadReport": "parcours.collect.report",
    "SourceReport": "parcours.collect.report",
    "check_sources": "parcours.collect.reading",
    "company_lock": "parcours.engine.store.lock",
    "find_pages": "parcours.engine.store.lock",
    "pages_told": "parcours.engine.store.lock",
    "read_sources": "parcours.collect.reading",
    "serving_lock": "parcours.engine.store.lock",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: a worker of `serve` must not load what reads files."""
    if name not in _HOMES:
        raise AttributeError(f"module 'parcours.collect' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
