"""What pages may read of a company: results and comments already made, never rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from parcours.blueprint.records import Blueprint
from parcours.errors import Fault
from parcours.know import (
    Caller,
    ConsentOverview,
    Doubt,
    Explanation,
    Linkage,
    Portrait,
    Request,
    Ruling,
    Verdict,
)
from parcours.measure.contract import Result
from parcours.settings import Settings
from parcours.words import Words


class Comment(Protocol):
    """What a customer wrote with a score, masked, without saying who."""

    @property
    def score(self) -> float:
        """The score that was given with it."""

    @property
    def text(self) -> str:
        """What was written."""

    @property
    def occurred_ms(self) -> int:
        """When, in epoch milliseconds."""


class Run(Protocol):
    """What the latest run did; ``sources`` hold each source's ``counts``."""

    @property
    def events(self) -> int:
        """The events that are kept."""

    @property
    def customers(self) -> int:
        """The customers they are of."""

    @property
    def sources(self) -> Sequence[Mapping[str, Any]]:
        """One record a source, with the ``counts`` of the rows that this run read."""

    @property
    def warnings(self) -> Sequence[Words]:
        """What the load warned of."""

    @property
    def finished_ms(self) -> int:
        """When it ended, in epoch milliseconds."""


class Readable(Protocol):
    """A company as pages see it; `parcours.company.Company` is one."""

    notice: Words | None
    """What the reader must know of the company's own files, such as a fault since they were read."""

    @property
    def folder(self) -> Path:
        """Where the company lies."""

    @property
    def blueprint(self) -> Blueprint:
        """What it promises."""

    @property
    def settings(self) -> Settings:
        """Its languages, zone and ports."""

    @property
    def labels(self) -> Mapping[str, Words]:
        """The label of every id that a result may name."""

    @property
    def report(self) -> Run | None:
        """What the latest run did, or ``None`` before the first."""

    def result(self, name: str, by: str | None = None) -> Result:
        """Answer a measure; raises `ParcoursError` where no purpose covers it."""

    def seen_by(self, caller: Caller, name: str, by: str | None = None) -> Result:
        """Answer a measure as ``caller`` may see it; raises `ParcoursError` ``not_permitted`` where they may not."""

    def offered(self, name: str) -> tuple[str | None, ...]:
        """Return the splits of a measure that may be asked for, ``None`` for the whole."""

    def verbatims(self, touchpoint: str, limit: int = 8) -> Sequence[Comment]:
        """Return the latest comments given at a touchpoint."""


@runtime_checkable
class KnowsAccounts(Protocol):
    """A company that knows to which accounts a customer belongs, so that somebody may look at their own."""

    def accounts_of(self, profile: str) -> Sequence[str]:
        """Return the accounts of a profile (its id in 16 hexadecimal digits), each as ``GROUP:LABEL``."""


@runtime_checkable
class Portrays(Protocol):
    """A company that knows its customers one by one; a profile is named by its id in 16 hexadecimal digits."""

    def find_profiles(self, identifier: str) -> Sequence[str]:
        """Return the profiles that have ``identifier`` (``KIND:VALUE``)."""

    def portray(self, profile: str) -> Portrait | None:
        """Return what may be seen of a customer now; nothing when there is no such profile."""

    def explain_profile(self, profile: str, unmasked: bool = False) -> Explanation | None:
        """Return why a customer's identifiers are one person, masked unless ``unmasked``."""

    def allowed_of(self, profile: str) -> Sequence[Verdict]:
        """Return whether each purpose may see a customer, and why."""

    def personal_of(self, profile: str) -> dict[str, str]:
        """Return the latest personal values of a customer, as they are, by field."""


@runtime_checkable
class Records(Protocol):
    """A company with a ledger in which somebody may record what a customer chose and told them."""

    def record_choice(self, profile: str, purpose: str, granted: bool, actor: str, reason: str) -> object:
        """Record it for a profile: noted in the audit log first, and in force at the next look.

        Raises:
            ParcoursError: ``unknown_purpose``, ``unknown_customer``; nothing was recorded.
        """


@runtime_checkable
class Links(Protocol):
    """A company that compares people's own data to find who is one person."""

    def linkage(self) -> Linkage:
        """Return the last batch and its model; raises `ParcoursError` where none is declared."""


@runtime_checkable
class Troubled(Protocol):
    """A company that processes work for; pages tell what keeps them from it where the company knows."""

    @property
    def troubles(self) -> Callable[[], Sequence[Fault]]:
        """Returns what keeps any of them from its work at this moment."""


class MaskedCounts(Protocol):
    """What was masked in texts on one day, by kind; ``day`` is its number since 1970."""

    @property
    def day(self) -> int:
        """The day."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many of each kind."""


@runtime_checkable
class Masking(Protocol):
    """A company that masks texts at its door; pages show how much where the company is one."""

    def masked(self) -> Sequence[MaskedCounts]:
        """Return the last seven days, latest first."""


@runtime_checkable
class Reviews(Protocol):
    """A company in which people say whether two identifiers are one person."""

    def review(self) -> Sequence[Doubt]:
        """Return the pairs that wait."""

    def decide(self, decision: Ruling, one: int, other: int, actor: str, cause: str) -> int:
        """Say that two identifiers (pseudonyms) are one person or never are; return how many changed profile.

        Raises:
            ParcoursError: nothing was decided; the page says why.
        """

    def show_identifiers(self, pseudonyms: Sequence[int]) -> Sequence[str]:
        """Return identifiers masked."""

    def identity_alarms(self) -> Sequence[Words]:
        """Return what says that identifiers are fusing people."""


@runtime_checkable
class Consenting(Protocol):
    """A company with a ledger of consents and a register of requests."""

    def consent_overview(self) -> ConsentOverview:
        """Return how consent stands: counts and the latest lines, under pseudonyms."""

    def requests(self) -> Sequence[Request]:
        """Return every request for erasure, access and the like; whose it is stays sealed."""

    def restrictions_in_force(self) -> Collection[int]:
        """Return the numbers of the requests because of which somebody's data are not used."""


@runtime_checkable
class Replays(Protocol):
    """A company whose quarantine can be put back; pages offer it where the company is one."""

    def replay(self, source: str | None, code: str | None) -> int:
        """Put the quarantined events of ``source`` with fault ``code`` back (of all, of any); return how many.

        Raises:
            ParcoursError: they wait on; the page says why.
        """
