"""The review queue: pairs that may be one person, which nobody but a person may say."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.people import NO_WEIGHT, Codes, People
from parcours.know.identity.scored import ACCEPTED, WAITING, ScoredEdges
from parcours.know.identity.shared import DEVICE
from parcours.know.identity.verdicts import REFUSED
from parcours.know.pseudonyms import Numbers, types_of

Places = npt.NDArray[np.intp]

_USER = IDENTIFIERS.index("user")


class Doubt(msgspec.Struct, frozen=True):
    """Two profiles that may be one: by identifiers that stand for them, and what speaks for it.

    Attributes:
        one, other: The pseudonyms to decide about.
        via: The identifier that both had, where an edge that was seen was refused; nothing where none was.
        limit: The type of which there would be too many, where an edge was refused.
        weight_milli: The match weight in thousandths of a bit, where they were compared too.
        event_no: The event that first showed it.
        times: How many distinct edges say the same.
        profiles: The ids of the two profiles, as those of ``one`` and ``other``.
    """

    one: int
    other: int
    event_no: int
    via: int | None = None
    limit: str = ""
    weight_milli: int | None = None
    times: int = 1
    profiles: tuple[int, int] = (-1, -1)


def find_doubts(people: People, scored: ScoredEdges, decided: Numbers) -> tuple[Doubt, ...]:
    """Return what waits for a person: edges between two identified people that a limit refused, by their first sight,
    then scored pairs that wait, the heaviest first.

    Args:
        people: Who is who.
        scored: Every scored pair.
        decided: Pairs about which a person has decided already (n × 2, the smaller first).
    """
    done = {(one, other) for one, other in decided.tolist()}
    found = (*_find_refused(people), *_find_waiting(people, scored))
    waiting = [doubt for doubt in found if (doubt.one, doubt.other) not in done]
    pairs = np.array([(doubt.one, doubt.other) for doubt in waiting], np.int64).reshape(-1, 2)
    ids = np.column_stack((people.profiles(pairs[:, 0]), people.profiles(pairs[:, 1]))).tolist()
    return tuple(
        msgspec.structs.replace(doubt, profiles=(one, other)) for doubt, (one, other) in zip(waiting, ids, strict=True)
    )


def count_scored(people: People, scored: ScoredEdges, doubts: tuple[Doubt, ...]) -> tuple[int, int, int]:
    """Return how many scored pairs are one person now, how many wait for a person, and how many of these weigh enough
    and wait since a limit refused them."""
    taken = scored.standing == ACCEPTED
    one, other = people.profiles(scored.one[taken]), people.profiles(scored.other[taken])
    compared = [doubt for doubt in doubts if doubt.weight_milli is not None]
    return int(((one == other) & (one >= 0)).sum()), len(compared), sum(bool(doubt.limit) for doubt in compared)


def _find_refused(people: People) -> list[Doubt]:
    kinds = types_of(people.pseudonyms)
    named = _find_users(people, kinds)
    verdicts, ends = people.verdicts, people.ends
    rows = np.flatnonzero((verdicts >= REFUSED) & (verdicts < REFUSED + DEVICE))
    persons = people.person[ends[rows]]
    both = (named[persons] >= 0).all(axis=1) & (persons[:, 0] != persons[:, 1])
    rows, persons = rows[both], np.sort(persons[both], axis=1)
    if not len(rows):
        return []
    pairs, first, group, times = np.unique(persons, axis=0, return_index=True, return_inverse=True, return_counts=True)
    seen, heaviest = _sum_up(people.weights_milli[rows], group.ravel(), len(pairs))
    doubts = []
    for place in np.argsort(first).tolist():
        row = int(rows[first[place]])
        one, other = sorted(people.pseudonyms[named[pairs[place]]].tolist())
        doubts.append(
            Doubt(
                one=one,
                other=other,
                event_no=int(people.event_nos[row]),
                via=int(people.pseudonyms[ends[rows[seen[place]], 1]]) if seen[place] >= 0 else None,
                limit=IDENTIFIERS[int(verdicts[row]) - REFUSED],
                weight_milli=_weight(int(heaviest[place])),
                times=int(times[place]),
            )
        )
    return doubts


def _sum_up(weights: Codes, group: Places, count: int) -> tuple[Places, Codes]:
    """Return by group of edges which was the first that was seen (-1: all were scored), and the heaviest weight."""
    seen, heaviest = np.full(count, -1, np.intp), np.full(count, NO_WEIGHT, np.int32)
    rows = np.flatnonzero(weights == NO_WEIGHT)[::-1]
    seen[group[rows]] = rows
    np.maximum.at(heaviest, group, weights)
    return seen, heaviest


def _find_users(people: People, kinds: npt.NDArray[np.int8]) -> npt.NDArray[np.intp]:
    """Return the place of one user id of each person, -1 where there is none."""
    named = np.full(people.count, -1, np.intp)
    users = np.flatnonzero(kinds == _USER)[::-1]
    named[people.person[users]] = users
    return named


def _find_waiting(people: People, scored: ScoredEdges) -> list[Doubt]:
    waiting = np.flatnonzero(scored.standing == WAITING)
    waiting = waiting[np.argsort(-scored.weight_milli[waiting], kind="stable")]
    places = np.column_stack((people.places(scored.one[waiting]), people.places(scored.other[waiting])))
    doubts = []
    for row, (one, other) in zip(waiting.tolist(), places.tolist(), strict=True):
        pair = (int(scored.one[row]), int(scored.other[row]))
        if one < 0 or other < 0 or people.person[one] == people.person[other]:
            continue
        doubts.append(Doubt(*pair, event_no=int(scored.event_no[row]), weight_milli=int(scored.weight_milli[row])))
    return doubts


def _weight(weight_milli: int) -> int | None:
    return None if weight_milli == NO_WEIGHT else weight_milli
