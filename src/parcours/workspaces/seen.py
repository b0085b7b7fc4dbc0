"""A company as one person sees it: the same pages, with the part of every result that their role lets them see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parcours.blueprint.records import Blueprint
from parcours.errors import ParcoursError
from parcours.know import Caller, Thing, decide
from parcours.measure import measure_named
from parcours.measure.contract import Result
from parcours.measure.lattice import HIDDEN
from parcours.measure.sight import list_offered
from parcours.settings import Settings
from parcours.words import Words
from parcours.workspaces.readable import Comment, Readable, Run


class Seen:
    """What pages read for one caller; whatever is no result and no comment is the company's own.

    Args:
        company: The company.
        caller: Who asks.
    """

    def __init__(self, company: Readable, caller: Caller) -> None:
        self._company = company
        self._caller = caller
        self.notice = company.notice
        """What the reader must know of the company's own files."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)

    @property
    def folder(self) -> Path:
        """Where the company lies."""
        return self._company.folder

    @property
    def blueprint(self) -> Blueprint:
        """What it promises."""
        return self._company.blueprint

    @property
    def settings(self) -> Settings:
        """Its languages, zone and ports."""
        return self._company.settings

    @property
    def labels(self) -> Mapping[str, Words]:
        """The label of every id that a result may name."""
        return self._company.labels

    @property
    def report(self) -> Run | None:
        """What the latest run did."""
        return self._company.report

    def result(self, name: str, by: str | None = None) -> Result:
        """Answer a measure as the caller may see it; ``not_permitted`` where they may not."""
        return self._company.seen_by(self._caller, name, by)

    def seen_by(self, caller: Caller, name: str, by: str | None = None) -> Result:
        """Answer a measure as somebody else may see it."""
        return self._company.seen_by(caller, name, by)

    def offered(self, name: str) -> tuple[str | None, ...]:
        """Return the splits of a measure that the caller may see, ``None`` for the whole."""
        return list_offered(measure_named(name), self.blueprint, self._caller)

    def verbatims(self, touchpoint: str, limit: int = 8) -> Sequence[Comment]:
        """Return the latest comments given at a touchpoint, where the caller may read them."""
        owners = tuple(one.owner for one in self.blueprint.touchpoints if one.id == touchpoint)
        if not decide(self._caller, "see_verbatims", Thing("touchpoint", touchpoint, teams=owners)).allowed:
            return ()
        return () if self._is_hidden(touchpoint) else self._company.verbatims(touchpoint, limit)

    def _is_hidden(self, touchpoint: str) -> bool:
        """Return whether so few answered at a touchpoint that its comments would tell of who they are."""
        try:
            rows = self.result("experience").rows
        except ParcoursError:
            return True
        return any(row["touchpoint"] == touchpoint and row.get("seen") == HIDDEN for row in rows)


def see_as(company: Readable, caller: Caller | None) -> Readable:
    """Return ``company`` as ``caller`` sees it; without anybody, as it is."""
    return company if caller is None else Seen(company, caller)
