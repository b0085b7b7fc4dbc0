"""Identity: which identifiers are one person, by a fold over the edges in the order in which they were seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.accounts import Accounts, join_accounts
from parcours.know.identity.devices import attach_devices
from parcours.know.identity.people import NO_WEIGHT, Codes, Marks, People, ProfileIds
from parcours.know.identity.shared import DEVICE
from parcours.know.identity.verdicts import APPROVED, BLOCKED, SCORED, SEEN
from parcours.know.pseudonyms import NOBODY, Numbers, types_of

LIMITS: dict[str, int] = {"user": 1, "mail": 2, "phone": 2, "device": 20}
"""The most identifiers of a type that one person may have."""

RULES = 2
"""The version of these rules: a change of them folds everything again."""

_APPROVALS = 1 << 62

Places = npt.NDArray[np.intp]


def _none(width: int) -> Numbers:
    return np.empty((0, width), np.int64)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that a fold rests on, in any order, repeated or not.

    Attributes:
        pseudonyms, first_seen: Every identifier, ascending, and the number of the event that first showed it; others
            that edges name are left out.
        seen: Edges as seen (n × 3: event number, strongest, weaker).
        scored: Scored edges that were accepted (n × 4: event number, one, other, weight in thousandths of a bit).
        never: Pairs that must never be one person (n × 2).
        approved: Pairs that a person said are one (n × 3: number of the act, one, other).
        shared: Devices that are shared for good, whatever edges are left.
        renamed: Identifiers that the rules of now write otherwise (n × 2: old, new), or that name nobody (`NOBODY`).
        limits: The most identifiers by type, where they differ from `LIMITS`.
    """

    pseudonyms: Numbers
    first_seen: Numbers
    seen: Numbers = msgspec.field(default_factory=lambda: _none(3))
    scored: Numbers = msgspec.field(default_factory=lambda: _none(4))
    never: Numbers = msgspec.field(default_factory=lambda: _none(2))
    approved: Numbers = msgspec.field(default_factory=lambda: _none(3))
    shared: Numbers = msgspec.field(default_factory=lambda: np.empty(0, np.int64))
    renamed: Numbers = msgspec.field(default_factory=lambda: _none(2))
    limits: Mapping[str, int] = {}


class Edges(msgspec.Struct, frozen=True):
    """Distinct edges in the order of the fold: what a person approved first, then by event number."""

    event_nos: Numbers
    ends: Places
    origins: Marks
    weights_milli: Codes


class Answer(msgspec.Struct, frozen=True):
    """A fold: the distinct edges with their verdicts, the person and the component of every identifier, and the place
    of each person's earliest identifier."""

    edges: Edges
    person: Codes
    earliest: Codes
    component: Codes
    verdicts: Marks


class Folded(msgspec.Struct, frozen=True):
    """The answer of `fold_coded`: the group of every node, its component, and the verdict on every edge."""

    groups: Places
    component: Codes
    verdicts: Marks


def fold(evidence: Evidence, key: bytes, rules: str = "") -> People:
    """Fold edges into people.

    The devices that are shared for certain are set apart first: those noted for good, and those beside more users,
    mails or phones than one person may have. Then accounts: what a person approved, then one edge between users,
    mails and phones after the other, by event number, joins two profiles, unless their union would pass a limit or
    hold a pair that must never be one. Then devices: one that stood beside a single profile belongs to it, up to the
    limit; one that stood beside several joins nobody. The answer is a function of the evidence alone, so that batches,
    redelivery and rebuilding change nothing.

    Args:
        evidence: What it rests on.
        key: Keys profile ids; 16 bytes of it count.
        rules: The version to note with the answer.
    """
    return describe(evidence, fold_evidence(evidence), key, rules)


def describe(evidence: Evidence, answer: Answer, key: bytes, rules: str) -> People:
    """Return a fold's answer as `People`."""
    pseudonyms, edges = evidence.pseudonyms, answer.edges
    return People(
        pseudonyms=pseudonyms,
        first_seen=evidence.first_seen,
        person=answer.person,
        component=answer.component,
        profile_ids=ProfileIds(key).all(pseudonyms[answer.earliest]),
        event_nos=edges.event_nos,
        ends=edges.ends.astype(np.int32),
        verdicts=answer.verdicts,
        origins=edges.origins,
        weights_milli=edges.weights_milli,
        rules=rules,
    )


def fold_evidence(evidence: Evidence) -> Answer:
    """Fold ``evidence``; see `fold`."""
    pseudonyms = evidence.pseudonyms
    stands_for, blocked = _rename(pseudonyms, evidence.renamed)
    edges = _list_edges(evidence, stands_for)
    folded = fold_coded(
        types_of(pseudonyms),
        edges.ends,
        edges.origins,
        [evidence.limits.get(kind, LIMITS[kind]) for kind in IDENTIFIERS],
        never=_code_pairs(pseudonyms, evidence.never, stands_for),
        shared=np.isin(pseudonyms, evidence.shared) if len(evidence.shared) else None,
        blocked=blocked,
    )
    groups = folded.groups if stands_for is None else folded.groups[stands_for]
    person, earliest = number_people(groups, evidence.first_seen)
    return Answer(edges, person, earliest, folded.component, folded.verdicts)


def fold_coded(
    kinds: Marks,
    ends: Places,
    origins: Marks,
    most: Sequence[int],
    never: Places | None = None,
    shared: npt.NDArray[np.bool_] | None = None,
    blocked: npt.NDArray[np.bool_] | None = None,
) -> Folded:
    """Fold edges whose ends are places of identifiers; see `fold`.

    Args:
        kinds: The type of every identifier, rising: accounts first, then devices.
        ends: Distinct edges in the order of the fold (n × 2); a device is the second end.
        origins: Where each came from.
        most: The limit of each type.
        never: Pairs of places that must never be in one group.
        shared: Which identifiers are devices that are shared for good.
        blocked: Which identifiers name nobody.
    """
    accounts = int(np.searchsorted(kinds, DEVICE))
    between = ends[:, 1] < accounts
    verdicts = np.zeros(len(ends), np.int8)
    wrong = blocked[ends].any(axis=1) if blocked is not None else None
    if wrong is not None:
        verdicts[wrong] = BLOCKED
        between &= ~wrong
    joins = np.flatnonzero(between)
    pairs = never if never is not None else np.empty((0, 2), np.intp)
    joined = join_accounts(
        Accounts(kinds[:accounts], ends[joins], origins[joins] == APPROVED, most, pairs[(pairs < accounts).all(axis=1)])
    )
    verdicts[joins] = joined.verdicts
    beside = np.flatnonzero(~between if wrong is None else ~between & ~wrong)
    groups = np.arange(len(kinds), dtype=np.intp)
    groups[:accounts] = joined.groups
    # Groups of accounts are named by one of their places, so that those of lone devices are other ones.
    verdicts[beside] = attach_devices(kinds, ends[beside], groups, most, pairs, shared)
    component = np.full(len(kinds), -1, np.int32)
    component[:accounts] = joined.components
    return Folded(groups, component, verdicts)


def number_people(groups: Places, first_seen: Numbers) -> tuple[Codes, Codes]:
    """Number the groups by their earliest identifier: the event that first showed it, then its own place.

    Returns the number of each identifier's group, and the place of each group's earliest identifier.
    """
    size = int(groups.max(initial=-1)) + 1
    soonest = np.full(size, np.iinfo(np.int64).max)
    np.minimum.at(soonest, groups, first_seen)
    candidates = np.flatnonzero(first_seen == soonest[groups])[::-1]
    earliest = np.full(size, -1, np.int32)
    # Of several writes to one place the last one stays: the lowest.
    earliest[groups[candidates]] = candidates
    used = np.flatnonzero(earliest >= 0)
    used = used[np.lexsort((earliest[used], soonest[used]))]
    number = np.empty(size, np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return number[groups], earliest[used]


def _list_edges(evidence: Evidence, stands_for: Places | None) -> Edges:
    """Return each edge once, at its first sight, and the places of its two ends, in the order of the fold."""
    scored, approved = evidence.scored, evidence.approved
    rows = np.concatenate((evidence.seen, scored[:, :3], approved))
    lengths = (len(evidence.seen), len(scored), len(approved))
    origins = np.repeat(np.array([SEEN, SCORED, APPROVED], np.int8), lengths)
    weights = np.full(len(rows), NO_WEIGHT, np.int32)
    weights[origins == SCORED] = scored[:, 3]
    size = len(evidence.pseudonyms)
    ends = _code_pairs(evidence.pseudonyms, rows[:, 1:], stands_for, drop=False)
    # The strongest first; pseudonyms are sorted by type.
    ends.sort(axis=1)
    known = (ends[:, 0] >= 0) & (ends[:, 0] != ends[:, 1])
    first_device = int(np.searchsorted(evidence.pseudonyms, DEVICE << 61))
    known &= ends[:, 0] < first_device
    rows, ends, origins, weights = rows[known], ends[known], origins[known], weights[known]
    pair = (ends[:, 0] * size + ends[:, 1]) * 3 + origins
    # Edges that one event showed together keep an order of their own, whatever order they come in.
    order = np.lexsort((pair, turn_of(rows[:, 0], origins)))
    order = order[np.sort(np.unique(pair[order], return_index=True)[1])]
    return Edges(rows[order, 0], ends[order], origins[order], weights[order])


def turn_of(event_nos: Numbers, origins: Marks) -> Numbers:
    """Return by what edges are folded: what a person approved first, then by event number."""
    return np.where(origins == APPROVED, event_nos - _APPROVALS, event_nos)


def _code_pairs(pseudonyms: Numbers, pairs: Numbers, stands_for: Places | None, drop: bool = True) -> Places:
    """Return the places of both ends of each pair; of pairs with an unknown end none (``drop``), or -1 for it."""
    if not len(pseudonyms) or not len(pairs):
        return np.full((0 if drop else len(pairs), 2), -1, np.intp)
    places = np.minimum(np.searchsorted(pseudonyms, pairs), len(pseudonyms) - 1)
    unknown = pseudonyms[places] != pairs
    if stands_for is not None:
        places = stands_for[places]
    places[unknown] = -1
    return places[~unknown.any(axis=1)] if drop else places


def _rename(pseudonyms: Numbers, renamed: Numbers) -> tuple[Places | None, npt.NDArray[np.bool_] | None]:
    """Return the place that stands for each identifier, and which ones name nobody, if anything is renamed."""
    if not len(renamed) or not len(pseudonyms):
        return None, None
    stands_for = np.arange(len(pseudonyms))
    old = np.minimum(np.searchsorted(pseudonyms, renamed[:, 0]), len(pseudonyms) - 1)
    new = np.minimum(np.searchsorted(pseudonyms, renamed[:, 1]), len(pseudonyms) - 1)
    known = pseudonyms[old] == renamed[:, 0]
    named = known & (pseudonyms[new] == renamed[:, 1])
    stands_for[old[named]] = new[named]
    blocked = np.zeros(len(pseudonyms), bool)
    blocked[old[known & (renamed[:, 1] == NOBODY)]] = True
    return stands_for, blocked
