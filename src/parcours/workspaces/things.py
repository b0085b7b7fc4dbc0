"""What a page shows, as a decision needs to know it: whose team's, or which account's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parcours.know import Thing
from parcours.workspaces.readable import Readable

FindThing = Callable[[Readable, Mapping[str, str]], Thing]


def find_touchpoint(company: Readable, path: Mapping[str, str]) -> Thing:
    """Return the touchpoint of a page with the team that owns it; one that is not there belongs to nobody."""
    id = path.get("id", "")
    owners = tuple(touchpoint.owner for touchpoint in company.blueprint.touchpoints if touchpoint.id == id)
    return Thing("touchpoint", id, teams=owners)


def find_measure(company: Readable, path: Mapping[str, str]) -> Thing:
    """Return the measure of a page: it is nobody's own, so that its reader gets the part that is theirs."""
    del company
    return Thing("measure", path.get("id", ""))
