"""Identity: which identifiers are one person, by a fold over the edges in the order in which they were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from parcours.collect.door import IDENTIFIERS
from parcours.know.pseudonyms import Numbers, types_of

LIMITS: dict[str, int] = {"user": 1, "mail": 2, "phone": 2, "device": 20}
"""The most identifiers of a type that one person may have."""

RULES = 1
"""The version of these rules: a change of them folds everything again."""

LINKED, SHARED, REFUSED = 0, 1, 2
"""What becomes of an edge: it joins; its device is shared, so that it only observes; or a limit refuses it."""

_DEVICE = IDENTIFIERS.index("device")


class People(msgspec.Struct, frozen=True):
    """Who is who: ``person[i]`` is the profile of ``pseudonyms[i]`` (ascending), numbered by earliest identifier.

    ``edges`` are the distinct ones in the order of their first sight (n × 3: event number, strongest, weaker),
    with their ``verdicts``. The edges of every event before number ``as_of`` have been looked at.
    """

    pseudonyms: Numbers
    person: npt.NDArray[np.int32]
    edges: Numbers
    verdicts: npt.NDArray[np.int8]
    as_of: int = 0

    @property
    def count(self) -> int:
        """How many people there are."""
        return int(self.person.max(initial=-1)) + 1


AS_OF = "as_of.json"
_EDGE = ("event_no", "strongest", "weaker")


def write_people(people: People, draft: Path) -> None:
    """Keep who is who and the verdict on every edge, for whoever asks why."""
    table = pa.table({"pseudonym": people.pseudonyms, "person": people.person})
    pq.write_table(table, draft / "people.parquet")
    columns = {name: people.edges[:, place] for place, name in enumerate(_EDGE)}
    pq.write_table(pa.table({**columns, "verdict": people.verdicts}), draft / "edges.parquet")
    (draft / AS_OF).write_bytes(msgspec.json.encode(people.as_of))


def read_people(place: Path) -> People:
    """Return what `write_people` kept."""
    people, edges = pq.read_table(place / "people.parquet"), pq.read_table(place / "edges.parquet")
    return People(
        np.asarray(people.column("pseudonym")),
        np.asarray(people.column("person")),
        np.column_stack([np.asarray(edges.column(name)) for name in _EDGE]),
        np.asarray(edges.column("verdict")),
        msgspec.json.decode((place / AS_OF).read_bytes(), type=int) if (place / AS_OF).exists() else 0,
    )


def without(people: People, gone: npt.NDArray[np.bool_]) -> People:
    """Return ``people`` without some of their identifiers; who the others are stays as it is."""
    if not gone.any():
        return people
    lost = people.pseudonyms[gone]
    stays = ~np.isin(people.edges[:, 1:], lost).any(axis=1)
    return msgspec.structs.replace(
        people,
        pseudonyms=people.pseudonyms[~gone],
        person=people.person[~gone],
        edges=people.edges[stays],
        verdicts=people.verdicts[stays],
    )


def fold(pseudonyms: Numbers, first_seen: Numbers, seen: Numbers, limits: Mapping[str, int]) -> People:
    """Fold edges into people.

    Accounts first: one edge between users, mails and phones after the other, by event number, joins two profiles,
    unless their union would pass a limit. Then devices: one that stood beside a single profile belongs to it, up to
    the limit; one that stood beside several is shared, and none of its edges joins. The answer is a function of the
    edges alone, so that batches, redelivery and rebuilding change nothing.

    Args:
        pseudonyms: Every identifier, ascending; others that edges name are left out.
        first_seen: The event number that first showed each of them.
        seen: Edges as seen (n × 3: event number, strongest, weaker), in any order, repeated or not.
        limits: The most identifiers by type, where they differ from `LIMITS`.
    """
    edges, ends = _distinct(pseudonyms, seen)
    kinds = types_of(pseudonyms)
    most = [limits.get(kind, LIMITS[kind]) for kind in IDENTIFIERS]
    verdicts = np.full(len(edges), LINKED, np.int8)
    devices = kinds[ends[:, 1]] == _DEVICE
    accounts = np.flatnonzero(~devices)
    groups, accepted = _join_accounts(ends[accounts], kinds, most)
    verdicts[accounts[~accepted]] = REFUSED
    beside = np.flatnonzero(devices)
    verdicts[beside] = _attach_devices(ends[beside], groups, most[_DEVICE])
    return People(pseudonyms, _number_people(groups, first_seen), edges, verdicts)


def _distinct(pseudonyms: Numbers, seen: Numbers) -> tuple[Numbers, npt.NDArray[np.intp]]:
    """Return each edge once, at its first sight and in that order, and the places of its two ends."""
    size = len(pseudonyms)
    if not size or not len(seen):
        return np.empty((0, 3), np.int64), np.empty((0, 2), np.intp)
    ends = np.minimum(np.searchsorted(pseudonyms, seen[:, 1:]), size - 1)
    known = (pseudonyms[ends] == seen[:, 1:]).all(axis=1)
    seen, ends = seen[known], ends[known]
    # Edges that one event showed together keep an order of their own, whatever order they come in.
    order = np.lexsort((ends[:, 1], ends[:, 0], seen[:, 0]))
    first = np.sort(np.unique((ends[:, 0] * size + ends[:, 1])[order], return_index=True)[1])
    return seen[order[first]], ends[order[first]]


def _join_accounts(
    ends: npt.NDArray[np.intp], kinds: npt.NDArray[np.int8], most: Sequence[int]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Return the group of every identifier after the account edges, and which of them were accepted.

    Where a whole component stays within the limits no order of folding can refuse anything, and almost all do: only
    the others are folded one edge at a time.
    """
    groups = _components(len(kinds), ends)
    doubtful = np.flatnonzero(_pass_limits(groups, kinds, most)[groups[ends[:, 0]]])
    accepted = np.ones(len(ends), bool)
    if doubtful.size:
        parent, accepted[doubtful] = _fold_one_by_one(ends[doubtful], kinds, most)
        nodes = np.fromiter(parent, np.intp, len(parent))
        roots = np.fromiter((_root(parent, node) for node in parent), np.intp, len(parent))
        groups[nodes] = groups.max() + 1 + roots
    return groups, accepted


def _attach_devices(ends: npt.NDArray[np.intp], groups: npt.NDArray[np.intp], limit: int) -> npt.NDArray[np.int8]:
    """Give each device the group of the one profile it stood beside; return the verdict of each edge."""
    owner = groups[ends[:, 0]]
    devices, first, places = np.unique(ends[:, 1], return_index=True, return_inverse=True)
    alone = np.ones(len(devices), bool)
    alone[places[owner != owner[first][places]]] = False
    # In the order of first sight, the devices past a profile's limit are refused.
    queue = np.flatnonzero(alone)[np.argsort(first[alone], kind="stable")]
    owners = owner[first[queue]]
    refused = queue[_rank_within(owners) >= limit]
    verdict = np.where(alone, LINKED, SHARED).astype(np.int8)
    verdict[refused] = REFUSED
    linked = verdict == LINKED
    groups[devices[linked]] = owner[first[linked]]
    return verdict[places]


def _rank_within(owners: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return how many earlier entries have the same owner."""
    order = np.argsort(owners, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(owners[order]) != 0)[: len(owners)])
    rank = np.empty(len(owners), np.intp)
    rank[order] = np.arange(len(owners)) - np.repeat(starts, np.diff(np.append(starts, len(owners))))
    return rank


def _components(nodes: int, ends: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    matrix = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
    groups: npt.NDArray[np.intp] = connected_components(matrix, directed=False)[1].astype(np.intp)
    return groups


def _pass_limits(
    groups: npt.NDArray[np.intp], kinds: npt.NDArray[np.int8], most: Sequence[int]
) -> npt.NDArray[np.bool_]:
    size = int(groups.max(initial=-1)) + 1
    crowded = np.zeros(size, bool)
    for kind, limit in enumerate(most):
        crowded |= np.bincount(groups[kinds == kind], minlength=size) > limit
    return crowded


def _fold_one_by_one(
    ends: npt.NDArray[np.intp], kinds: npt.NDArray[np.int8], most: Sequence[int]
) -> tuple[dict[int, int], npt.NDArray[np.bool_]]:
    """Fold edges in their order; return the forest of parents and which edges were accepted."""
    parent: dict[int, int] = {node: node for node in np.unique(ends).tolist()}
    held = {node: [int(kind == kinds[node]) for kind in range(len(most))] for node in parent}
    accepted = np.ones(len(ends), bool)
    for place, (one, other) in enumerate(ends.tolist()):
        left, right = _root(parent, one), _root(parent, other)
        if left == right:
            continue
        union = [a + b for a, b in zip(held[left], held[right], strict=True)]
        if any(count > limit for count, limit in zip(union, most, strict=True)):
            accepted[place] = False
            continue
        parent[right] = left
        held[left] = union
    return parent, accepted


def _root(parent: dict[int, int], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


def _number_people(groups: npt.NDArray[np.intp], first_seen: Numbers) -> npt.NDArray[np.int32]:
    """Number the groups by their earliest identifier: the event that first showed it, then its own place."""
    order = np.argsort(first_seen, kind="stable")
    _, earliest, places = np.unique(groups[order], return_index=True, return_inverse=True)
    rank = np.empty(len(earliest), np.int32)
    rank[np.argsort(earliest)] = np.arange(len(earliest), dtype=np.int32)
    person = np.empty(len(groups), np.int32)
    person[order] = rank[places.reshape(-1)]
    return person
