"""Whom a request is about: the identifiers of one person at one moment, and what stays because it is others' too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq

from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.parts import Part, verified
from parcours.errors import ParcoursError
from parcours.know.identity.people import People
from parcours.know.identity.verdicts import REFUSED, SHARED
from parcours.know.pseudonyms import Numbers, buckets_of, types_of
from parcours.words import Words

NOBODY_THERE = ("nobody_found", "device_shared")
"""The codes that say that an identifier names nobody."""

_DEVICE = IDENTIFIERS.index("device")


class Subject(msgspec.Struct, frozen=True):
    """One person as requests see them.

    Attributes:
        asked: The pseudonyms of the identifier that was named.
        pseudonyms: Every identifier that is this person, shared devices left out.
        shared: Devices that stood beside this person and beside others; they are nobody's.
        refused: Identifiers that stood beside this person and were not joined: other people's, for all one knows.
        profile_ids: The ids of this person's profile.
        event_no: What events before this number say.
    """

    asked: Numbers
    pseudonyms: Numbers
    shared: Numbers
    refused: Numbers
    profile_ids: Numbers
    event_no: int

    def kinds(self) -> dict[str, int]:
        """Return how many identifiers of each type this person has."""
        kinds = types_of(self.pseudonyms)
        return {name: int((kinds == place).sum()) for place, name in enumerate(IDENTIFIERS) if (kinds == place).any()}


class Held(msgspec.Struct, frozen=True):
    """One identifier: its type, its value, masked or in full (nothing when its key is gone), and the events it has."""

    kind: str
    value: str | None
    events: int


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What an erasure would do; nothing is changed.

    Attributes:
        profile: The id of the person's profile, in hex.
        identifiers: Every identifier that would be erased: whatever was merged into this person is among them.
        shared: Shared devices that stay, with the events that are theirs alone.
        refused: Identifiers that stay because they were not joined to this person.
        events: How many events would go, by source.
        beside: How many events of other people lose an identifier that stands beside a stronger one.
        retained: What the blueprint says that the law keeps: events of these kinds are sealed apart; and
            ``consent_proof`` where proofs of used consents are.
        recipients: Destinations; those that got some of the events are told.
        event_no: What events before this number say.
    """

    profile: str
    identifiers: tuple[Held, ...]
    shared: tuple[Held, ...]
    refused: tuple[Held, ...]
    events: dict[str, int]
    beside: int
    retained: tuple[str, ...]
    recipients: tuple[str, ...]
    event_no: int


def resolve(people: People, asked: Numbers, shared: Numbers) -> Subject:
    """Return who is named by ``asked``.

    Args:
        people: Who is who.
        asked: The pseudonyms that a written identifier may have.
        shared: Devices that are known to be shared, whatever the edges say by now.

    Raises:
        ParcoursError: ``nobody_found``, or ``device_shared`` when what is named is a shared device.
    """
    observed = people.edges[people.verdicts == SHARED]
    shared = np.union1d(shared, observed[:, 2][types_of(observed[:, 2]) == _DEVICE])
    known = np.isin(people.pseudonyms, asked)
    if not known.any():
        raise _nobody_found()
    own = people.pseudonyms[known]
    if np.isin(own, shared).all():
        raise _device_shared()
    person = np.unique(people.person[known & ~np.isin(people.pseudonyms, shared)])
    mine = people.pseudonyms[np.isin(people.person, person)]
    mine = mine[~np.isin(mine, shared)]
    beside = people.edges[np.isin(people.edges[:, 1], mine)][:, 2]
    refused = people.edges[people.verdicts >= REFUSED]
    ends = refused[np.isin(refused[:, 1:], mine).any(axis=1)][:, 1:].ravel()
    return Subject(
        asked=asked,
        pseudonyms=mine,
        shared=np.intersect1d(beside, shared),
        refused=np.setdiff1d(ends, np.concatenate((mine, shared))),
        profile_ids=people.profile_ids[person],
        event_no=people.as_of,
    )


def count_events(folder: Path, parts: Sequence[Part], pseudonyms: Numbers) -> dict[tuple[int, str], int]:
    """Return how many events stand in ``parts``, by subject (of ``pseudonyms`` alone) and source.

    Raises:
        ParcoursError: ``part_damaged``.
    """
    counts: dict[tuple[int, str], int] = {}
    buckets = set(buckets_of(pseudonyms).tolist())
    mine = [part for part in parts if part.bucket in buckets]
    for part, path in zip(mine, verified(folder, mine), strict=True):
        subject = np.asarray(pq.ParquetFile(path).read(columns=["subject"]).column(0).fill_null(-1))
        places = np.minimum(np.searchsorted(pseudonyms, subject), len(pseudonyms) - 1)
        found, times = np.unique(subject[pseudonyms[places] == subject], return_counts=True)
        for pseudonym, count in zip(found.tolist(), times.tolist(), strict=True):
            counts[pseudonym, part.source] = counts.get((pseudonym, part.source), 0) + count
    return counts


def _nobody_found() -> ParcoursError:
    return ParcoursError(
        "nobody_found",
        Words(
            fr="Personne n'est connu sous cet identifiant, ou ce qui l'était est déjà effacé.",
            en="Nobody is known by this identifier, or whoever was is erased already.",
        ),
        Words(
            fr="Essayez un autre identifiant de la même personne, ou écrivez son type : mail:a@b.fr, user:42.",
            en="Try another identifier of the same person, or write its type: mail:a@b.fr, user:42.",
        ),
    )


def _device_shared() -> ParcoursError:
    return ParcoursError(
        "device_shared",
        Words(
            fr="Cet appareil est partagé : plusieurs personnes s'en sont servies, il n'est à aucune d'elles.",
            en="This device is shared: several people used it, and it belongs to none of them.",
        ),
        Words(
            fr="Nommez la personne par son compte, son adresse ou son téléphone.",
            en="Name the person by their account, mail address or phone.",
        ),
    )
