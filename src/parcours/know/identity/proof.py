"""The proof that some identifiers are one person: the fewest edges that hold them together, and what did not join."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.people import NO_WEIGHT, Codes, People, write_profile_id
from parcours.know.identity.verdicts import ACCEPTED, APPROVED, SCORED, name_verdict
from parcours.know.pseudonyms import Numbers, types_of

Places = npt.NDArray[np.intp]

MOST_TOLD = 200
"""How many edges that joined nothing are told at most: a kiosk has thousands."""

_ORIGINS = {SCORED: "scored", APPROVED: "approved"}


class Identifier(msgspec.Struct, frozen=True):
    """An identifier: its type, how it is shown (masked unless it was asked for otherwise; empty once its key is gone),
    its pseudonym, its profile's id, and the event that first showed it."""

    kind: str
    shown: str
    pseudonym: str
    profile: str
    event_no: int


class Link(msgspec.Struct, frozen=True):
    """An edge between two of the `Explanation.identifiers`, by their places.

    Attributes:
        event_no: The event that first showed it; for what a person approved, the place in the order of approvals.
        source: Which source that event came from; empty where that is not known.
        origin: ``seen``, ``scored`` or ``approved``.
        verdict: ``merged``, ``redundant``, ``refused``, ``shared``, ``blocked`` or ``never_link``.
        limit: The type of identifier of which there would be too many, where it was refused.
        weight_milli: The match weight of a scored one, in thousandths of a bit.
    """

    one: int
    other: int
    event_no: int
    source: str
    origin: str
    verdict: str
    limit: str = ""
    weight_milli: int | None = None


class Explanation(msgspec.Struct, frozen=True):
    """Why some identifiers are one person.

    Attributes:
        profile: The profile's id, 16 hexadecimal digits.
        identifiers: Those of the profile (the first ``count``, the one that was asked for first), then those that
            edges which joined nothing lead to.
        proof: The fewest accepted edges that lead from the asked identifier to each other one, nearest first.
        turned_down: Edges of the profile that did not join, by event number; ``left_out`` more are not listed.
        also: How many further accepted edges say the same again.
        rules: The version of the rules that gave these verdicts.
        as_of: The events before this number have been looked at.
    """

    profile: str
    count: int
    identifiers: tuple[Identifier, ...]
    proof: tuple[Link, ...]
    turned_down: tuple[Link, ...]
    left_out: int
    also: int
    rules: str
    as_of: int


def explain(
    people: People,
    pseudonym: int,
    show: Callable[[Sequence[int]], list[str]],
    find_sources: Callable[[Numbers], list[str]],
) -> Explanation | None:
    """Return why the profile of ``pseudonym`` is one person, or nothing when it is not known.

    Args:
        people: Who is who.
        pseudonym: The identifier that was asked for.
        show: Returns how each of some identifiers is shown.
        find_sources: Returns the source of each of some event numbers.
    """
    place = int(people.places(np.array([pseudonym], np.int64))[0])
    if place < 0:
        return None
    mine = people.person == people.person[place]
    members = np.flatnonzero(mine)
    rows = np.flatnonzero(mine[people.ends].any(axis=1))
    accepted = np.isin(people.verdicts[rows], ACCEPTED)
    proof = rows[accepted][_find_shortest(people.ends[rows[accepted]], place)]
    away = rows[~accepted]
    told = away[:MOST_TOLD]
    others = np.setdiff1d(people.ends[told], members)
    places = np.concatenate(([place], members[members != place], others)).astype(np.intp)
    edges = np.concatenate((proof, told))
    links = _write_links(people, edges, {one: number for number, one in enumerate(places.tolist())}, find_sources)
    return Explanation(
        profile=write_profile_id(int(people.profile_ids[people.person[place]])),
        count=len(members),
        identifiers=_write_identifiers(people, places, show(people.pseudonyms[places].tolist())),
        proof=tuple(links[: len(proof)]),
        turned_down=tuple(links[len(proof) :]),
        left_out=len(away) - len(told),
        also=int(accepted.sum()) - len(proof),
        rules=people.rules,
        as_of=people.as_of,
    )


def _find_shortest(ends: Codes, start: int) -> Places:
    """Return the edges of the tree of shortest ways from ``start``, nearest first (breadth first; Moore 1959).

    Of several ways of one length the one counts whose edges were seen first.
    """
    beside: dict[int, list[tuple[int, int]]] = {}
    for row, (one, other) in enumerate(ends.tolist()):
        beside.setdefault(one, []).append((row, other))
        beside.setdefault(other, []).append((row, one))
    reached, queue, found = {start}, [start], []
    for node in queue:
        for row, other in beside.get(node, ()):
            if other not in reached:
                reached.add(other)
                queue.append(other)
                found.append(row)
    return np.array(found, np.intp)


def _write_identifiers(people: People, places: Places, shown: Sequence[str]) -> tuple[Identifier, ...]:
    pseudonyms = people.pseudonyms[places]
    profiles = people.profile_ids[people.person[places]].tolist()
    kinds = types_of(pseudonyms).tolist()
    event_nos = people.first_seen[places].tolist()
    return tuple(
        Identifier(IDENTIFIERS[kind], text, f"{one:016x}", write_profile_id(profile), event_no)
        for one, kind, text, profile, event_no in zip(
            pseudonyms.tolist(), kinds, shown, profiles, event_nos, strict=True
        )
    )


def _write_links(
    people: People, rows: Places, order: dict[int, int], find_sources: Callable[[Numbers], list[str]]
) -> list[Link]:
    sources = find_sources(people.event_nos[rows])
    links = []
    for row, source in zip(rows.tolist(), sources, strict=True):
        one, other = people.ends[row].tolist()
        verdict, limit = name_verdict(int(people.verdicts[row]))
        origin, weight = int(people.origins[row]), int(people.weights_milli[row])
        links.append(
            Link(
                one=order[one],
                other=order[other],
                event_no=int(people.event_nos[row]),
                source="" if origin else source,
                origin=_ORIGINS.get(origin, "seen"),
                verdict=verdict,
                limit=limit,
                weight_milli=None if weight == NO_WEIGHT else weight,
            )
        )
    return links
