"""What a load did, source by source; the totals always add up."""

from __future__ import annotations

import msgspec

from parcours.words import Words


class Counts(msgspec.Struct):
    """Rows by what became of them: read = new + replaced + unchanged + quarantined; events are counted apart.

    ``events`` are those that were added, ``discarded`` those with no basis for any purpose.
    """

    rows_read: int = 0
    new: int = 0
    replaced: int = 0
    unchanged: int = 0
    quarantined: int = 0
    events: int = 0
    discarded: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__})


class SourceReport(msgspec.Struct, frozen=True):
    """One source: how many files it has and how many were read, its rows, the events it holds now, its warnings.

    ``undeclared`` are the columns of the files that were read which its description does not name: they stay outside.
    """

    source: str
    files: int
    files_read: int
    counts: Counts
    held: int
    warnings: tuple[Words, ...] = ()
    undeclared: tuple[str, ...] = ()


class LoadReport(msgspec.Struct, frozen=True):
    """A whole load; ``warnings`` are those that concern no single source.

    ``held_otherwise`` are the events of sources without a file: what was delivered live, and what is no longer
    described but stays.
    """

    sources: tuple[SourceReport, ...]
    warnings: tuple[Words, ...] = ()
    held_otherwise: int = 0

    @property
    def counts(self) -> Counts:
        """The sum over all sources."""
        return sum((source.counts for source in self.sources), Counts())

    @property
    def held(self) -> int:
        """The events that stand in the parts of all sources, those without a file too."""
        return sum(source.held for source in self.sources) + self.held_otherwise

    def all_warnings(self) -> tuple[Words, ...]:
        """Return every warning, those of a source opening with its name."""
        told = [
            Words(f"{source.source} : {warning.fr}", f"{source.source}: {warning.en}")
            for source in self.sources
            for warning in source.warnings
        ]
        return (*self.warnings, *told)
