"""The fresh look-up: may this purpose see these people at this moment, and why."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.blueprint.records import Basis, Purpose
from parcours.know.consent.ledger import GRANTED, NOTHING, REFUSED, Choices, Ledger, state_lines
from parcours.know.gate.versions import Numbered, with_older
from parcours.know.identity.people import People
from parcours.know.live import Live
from parcours.know.pseudonyms import NOBODY, Numbers
from parcours.know.waiting import Stated
from parcours.words import Words

Code = Literal[
    "consented",
    "basis_holds",
    "about_nobody",
    "no_choice",
    "refused",
    "expired",
    "objected",
    "restricted",
    "weighed",
    "erased",
]
Mask = npt.NDArray[np.bool_]

_REASONS: dict[Code, Words] = {
    "consented": Words(
        fr="Cette personne y a consenti, et aucun de ses identifiants ne dit le contraire.",
        en="This person consented, and none of their identifiers says otherwise.",
    ),
    "basis_holds": Words(
        fr="La base légale de cette finalité n'est pas le consentement, et cette personne ne s'y est pas opposée.",
        en="The legal basis of this purpose is not consent, and this person has not objected.",
    ),
    "about_nobody": Words(fr="Cela ne concerne personne.", en="This is about nobody."),
    "no_choice": Words(
        fr="Cette finalité demande un consentement, et aucun n'est enregistré.",
        en="This purpose needs consent, and none is recorded.",
    ),
    "refused": Words(
        fr="L'un de ses identifiants a refusé, ou retiré son consentement.",
        en="One of their identifiers refused, or withdrew consent.",
    ),
    "expired": Words(
        fr="Son consentement a expiré : il avait été donné il y a trop longtemps.",
        en="Their consent has expired: it was given too long ago.",
    ),
    "objected": Words(
        fr="L'un de ses identifiants s'est opposé à cette finalité.",
        en="One of their identifiers objected to this purpose.",
    ),
    "restricted": Words(
        fr="L'usage des données de cette personne est limité à sa demande : elles sont gardées, et ne servent à rien.",
        en="The use of this person's data is restricted as they asked: they are kept, and serve nothing.",
    ),
    "weighed": Words(
        fr="Cette personne s'est opposée à cette finalité ; tant que son opposition est examinée, ses données n'y "
        "servent pas.",
        en="This person objected to this purpose; while that is being weighed, it does not use their data.",
    ),
    "erased": Words(
        fr="Cette personne a demandé son effacement, et n'est pas revenue depuis.",
        en="This person asked to be erased, and has not come back since.",
    ),
}


class Verdict(msgspec.Struct, frozen=True):
    """Whether a purpose may see somebody at this moment, and why.

    Attributes:
        purpose: The purpose that was named, and its ``basis``.
        allowed: The answer.
        code: The reason for programs; ``reason`` says it.
        identifiers: How many identifiers that are one person were asked about.
        at_ms: When the ledger was looked at, in epoch milliseconds.
    """

    purpose: str
    basis: Basis
    allowed: bool
    code: Code
    identifiers: int
    at_ms: int

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def reason(self) -> Words:
        """The reason in a sentence."""
        return _REASONS[self.code]


def permits(basis: str, recorded: Sequence[Choices]) -> Mask:
    """Return who a purpose may see, the strictest recorded choice deciding.

    Consent needs a choice that grants it and none that refuses it (GDPR art. 6(1)(a), 7); any other basis holds
    unless somebody objected (art. 21). No record takes nothing away and gives nothing.
    """
    refused = np.logical_or.reduce([choices == REFUSED for choices in recorded])
    if basis != "consent":
        allowed: Mask = ~refused
        return allowed
    granted: Mask = np.logical_or.reduce([choices == GRANTED for choices in recorded]) & ~refused
    return granted


def look_up(
    purpose: Purpose,
    numbered: Numbered,
    named: Sequence[Numbers],
    people: People,
    ledger: Ledger,
    live: Live | None,
) -> list[Verdict]:
    """Return one verdict for each of ``named``: the pseudonyms of somebody, as far as they are known.

    Whoever is the same person as one of them counts with them. What is recorded is read anew, and with ``live`` what
    was accepted a moment ago counts as well.

    Raises:
        ParcoursError: ``state_damaged``, ``database_damaged`` …: then nobody may.
    """
    place, principals = _gather(named, people)
    stated = live.look(principals, purpose.id)[1] if live and len(principals) else None
    ledger.catch_up()
    at_ms = time.time_ns() // 1_000_000
    strictest = np.full((2, len(named)), NOTHING, np.int8)
    choices = read_choices_of(ledger, principals, numbered, stated)
    strictest[0, place[choices == REFUSED]] = REFUSED
    strictest[1, place[choices == GRANTED]] = GRANTED
    expired = (choices == REFUSED) & ledger.expired(principals, numbered.number)
    ended = np.zeros(len(named), bool)
    ended[place[expired]] = True
    ended[place[(choices == REFUSED) & ~expired]] = False
    restricted, weighed = np.zeros((2, len(named)), bool)
    restricted[place[ledger.restrictions.covers(principals, ())]] = True
    weighed[place[ledger.restrictions.covers(principals, (numbered.number, *numbered.before))]] = True
    allowed = permits(purpose.basis, list(strictest)) if len(named) else np.zeros(0, bool)
    counts = np.bincount(place, minlength=len(named))
    return [
        _judge(purpose, bool(ok), int(count), bool(refused == REFUSED), bool(over), bool(held), bool(open), at_ms)
        for ok, count, refused, over, held, open in zip(
            allowed, counts, strictest[0], ended, restricted, weighed, strict=True
        )
    ]


def read_choices_of(ledger: Ledger, principals: Numbers, purpose: Numbered, stated: Stated | None) -> Choices:
    """Return the choice of each of ``principals``, with what was ``stated`` and waits to be taken over."""
    if stated is None or not len(stated.principal):
        return with_older(ledger.recorded(principals, purpose.number), ledger, principals, purpose)
    counts = (stated.granted != GRANTED) | (stated.occurred_ms >= purpose.since_ms)
    stated = stated.pick(counts)
    none = np.zeros(len(stated.principal), np.int64)
    lines = state_lines(purpose.number, stated.principal, stated.granted, stated.occurred_ms, none)
    return with_older(ledger.recorded_with(principals, purpose.number, lines), ledger, principals, purpose)


def _gather(named: Sequence[Numbers], people: People) -> tuple[npt.NDArray[np.intp], Numbers]:
    """Return pairs (place in ``named``, pseudonym): those named, and whatever else is the same person."""
    place = np.repeat(np.arange(len(named)), [len(own) for own in named])
    own = np.concatenate([np.empty(0, np.int64), *named])
    found = np.minimum(np.searchsorted(people.pseudonyms, own), max(len(people.pseudonyms) - 1, 0))
    known = people.pseudonyms[found] == own if len(people.pseudonyms) else np.zeros(len(own), bool)
    pairs = np.unique(np.column_stack((people.person[found[known]], place[known])), axis=0)
    theirs = np.flatnonzero(np.isin(people.person, pairs[:, 0]))
    theirs = theirs[np.argsort(people.person[theirs], kind="stable")]
    first = np.searchsorted(people.person[theirs], pairs[:, 0], "left")
    counts = np.searchsorted(people.person[theirs], pairs[:, 0], "right") - first
    steps = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    others = people.pseudonyms[theirs[np.repeat(first, counts) + steps]]
    both = np.column_stack(
        (np.append(place, np.repeat(pairs[:, 1], counts)), np.append(own, others)),
    )
    both = np.unique(both[both[:, 1] > NOBODY], axis=0)
    return both[:, 0].astype(np.intp), both[:, 1].astype(np.int64)


def _judge(
    purpose: Purpose,
    allowed: bool,
    count: int,
    refused: bool,
    expired: bool,
    restricted: bool,
    weighed: bool,
    at_ms: int,
) -> Verdict:
    code: Code
    if allowed:
        code = "consented" if purpose.basis == "consent" else "basis_holds"
    elif restricted:
        code = "restricted"
    elif weighed:
        code = "weighed"
    elif expired:
        code = "expired"
    elif refused:
        code = "refused" if purpose.basis == "consent" else "objected"
    else:
        code = "no_choice"
    return Verdict(purpose.id, purpose.basis, allowed, code, count, at_ms)
