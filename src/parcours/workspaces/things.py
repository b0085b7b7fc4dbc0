"""What a page shows, as a decision needs to know it: whose team's, or which account's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parcours.know import Thing
from parcours.workspaces.readable import KnowsAccounts, Readable

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


def find_map(company: Readable, path: Mapping[str, str]) -> Thing:
    """Return all touchpoints together: whoever owns one sees their own of it, whoever owns accounts does not."""
    del path
    return Thing("map", teams=tuple(touchpoint.owner for touchpoint in company.blueprint.touchpoints))


def find_whole(company: Readable, path: Mapping[str, str]) -> Thing:
    """Return the whole company: a page that shows no part of it alone is closed to whoever sees their own alone."""
    del company, path
    return Thing("company")


def find_profile(company: Readable, path: Mapping[str, str]) -> Thing:
    """Return the customer of a page, by profile id, with the accounts that they belong to as far as anybody knows."""
    id = path.get("id", "")
    accounts = company.accounts_of(id) if isinstance(company, KnowsAccounts) else ()
    return Thing("profile", id, accounts=tuple(accounts))


def find_thing(company: Readable, kind: str, id: str) -> Thing:
    """Return a thing that a form names; one of a kind that nobody owns is nobody's."""
    finder = _FINDERS.get(kind)
    return finder(company, {"id": id}) if finder else Thing(kind, id)


_FINDERS: Mapping[str, FindThing] = {"touchpoint": find_touchpoint, "profile": find_profile}
