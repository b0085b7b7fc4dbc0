"""The one route table: addresses, the query that reads what each page shows, and the action that it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from parcours.know import Action, Thing
from parcours.workspaces.pages.journey import read_journey
from parcours.workspaces.pages.map import read_map
from parcours.workspaces.pages.measure import read_measure
from parcours.workspaces.pages.measures import read_measures
from parcours.workspaces.pages.patterns import read_patterns
from parcours.workspaces.pages.sources import read_sources
from parcours.workspaces.pages.touchpoint import read_touchpoint
from parcours.workspaces.readable import Readable
from parcours.workspaces.things import FindThing, find_measure, find_touchpoint

Query = Callable[..., msgspec.Struct]


class Page(NamedTuple):
    """A page: its address under the language, its query, and the query parameters it understands.

    ``action`` is what its reader must be allowed to do, ``actions`` something else for some ids, and ``thing`` finds
    what it is done to. ``longest_s`` is how long it may be kept; ``forms`` says that it has forms, which its policy
    must let through.
    """

    path: str
    query: Query
    action: Action
    parameters: tuple[str, ...] = ()
    longest_s: float = math.inf
    forms: bool = False
    actions: Mapping[str, Action] = {}
    thing: FindThing | None = None

    def asks(self, path: Mapping[str, str]) -> Action:
        """Return the action that the page at these parts of its address takes."""
        return self.actions.get(path.get("id", ""), self.action)

    def find_thing(self, company: Readable, path: Mapping[str, str]) -> Thing | None:
        """Return what the page shows, for a decision; none where it is nobody's own."""
        return self.thing(company, path) if self.thing else None

    def read(self, company: Any, language: str, path: dict[str, str], query: dict[str, str]) -> msgspec.Struct:
        """Read the page's record; parameters it does not know are ignored."""
        known = {name: query[name] for name in self.parameters if query.get(name)}
        return self.query(company, language, **path, **known)


PAGES: tuple[Page, ...] = (
    Page("map", read_map, "see_results"),
    Page("touchpoint/{id}", read_touchpoint, "see_results", thing=find_touchpoint),
    Page("journey", read_journey, "see_results"),
    Page("measures", read_measures, "see_methods"),
    Page("measure/{id}", read_measure, "see_results", ("by",), actions={"stakes": "see_value"}, thing=find_measure),
    Page("sources", read_sources, "see_health", ("put_back", "proof"), longest_s=1.0, forms=True),
    Page("patterns", read_patterns, "see_methods"),
)
