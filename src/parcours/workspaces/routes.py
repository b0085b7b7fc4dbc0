"""The one route table: addresses, and the query that reads what each page shows."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from parcours.workspaces.pages.journey import read_journey
from parcours.workspaces.pages.map import read_map
from parcours.workspaces.pages.measure import read_measure
from parcours.workspaces.pages.measures import read_measures
from parcours.workspaces.pages.patterns import read_patterns
from parcours.workspaces.pages.sources import read_sources
from parcours.workspaces.pages.touchpoint import read_touchpoint

Query = Callable[..., msgspec.Struct]


class Page(NamedTuple):
    """A page: its address under the language, its query, and the query parameters it understands.

    ``longest_s`` is how long it may be kept; ``forms`` says that it has forms, which its policy must let through.
    """

    path: str
    query: Query
    parameters: tuple[str, ...] = ()
    longest_s: float = math.inf
    forms: bool = False

    def read(self, company: Any, language: str, path: dict[str, str], query: dict[str, str]) -> msgspec.Struct:
        """Read the page's record; parameters it does not know are ignored."""
        known = {name: query[name] for name in self.parameters if query.get(name)}
        return self.query(company, language, **path, **known)


PAGES: tuple[Page, ...] = (
    Page("map", read_map),
    Page("touchpoint/{id}", read_touchpoint),
    Page("journey", read_journey),
    Page("measures", read_measures),
    Page("measure/{id}", read_measure, ("by",)),
    Page("sources", read_sources, ("put_back", "proof"), longest_s=1.0, forms=True),
    Page("patterns", read_patterns),
)
