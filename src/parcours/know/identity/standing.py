"""Who is who, brought up to date: what came since is folded on, and no more is folded again than it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.appending import Around, append, join_components
from parcours.know.identity.fold import LIMITS, Answer, Evidence, fold_evidence, number_people, turn_of
from parcours.know.identity.news import Moved, News, Rulings, among, find_changed, join_moved
from parcours.know.identity.people import NO_WEIGHT, Codes, People, ProfileIds
from parcours.know.identity.shared import DEVICE
from parcours.know.identity.verdicts import ACCEPTED, APPROVED, MERGED, SEEN, SHARED
from parcours.know.pseudonyms import Numbers, types_of

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class _Fresh(NamedTuple):
    """Distinct edges by their places, the strongest first, in the order of the fold; which are between accounts; and
    the row of those that are known and were seen earlier than was thought, else -1."""

    event_nos: Numbers
    ends: Places
    between: Mask
    rows: Places

    def only(self, which: Mask) -> _Fresh:
        """Return some of them."""
        return _Fresh(self.event_nos[which], self.ends[which], self.between[which], self.rows[which])


class _Column:
    """An array that grows at its end."""

    def __init__(self, values: npt.NDArray[np.generic]) -> None:
        self._held = values[:0].copy()
        self.size = 0
        self.append(values)

    @property
    def all(self) -> npt.NDArray:  # type: ignore[type-arg]
        """What it holds."""
        return self._held[: self.size]

    def append(self, values: npt.NDArray[np.generic]) -> None:
        """Add ``values``."""
        size = self.size + len(values)
        if size > len(self._held):
            held = np.empty(size + size // 8, self._held.dtype)
            held[: self.size] = self.all
            self._held = held
        self._held[self.size : size] = values
        self.size = size


class Standing:
    """Who is who at this moment, in places that stay: an identifier that comes later takes the next one.

    Args:
        people: The answer of a fold (of all identifiers: nobody erased may have been left out since).
        rulings: What it rested on beside edges that were seen.
        limits: The limits of then.
        key: Keys profile ids.
    """

    def __init__(self, people: People, rulings: Rulings, limits: Mapping[str, int], key: bytes) -> None:
        self._sorted = people.pseudonyms
        self._later: dict[int, int] = {}
        self._rulings, self._limits, self._ids = rulings, limits, ProfileIds(key)
        self._pseudonyms, self._first_seen = _Column(people.pseudonyms), _Column(people.first_seen)
        self._leader = _Column(_find_leaders(people))
        self._component = _Column(people.component)
        self._event_no, self._one, self._other = map(_Column, (people.event_nos, *people.ends.T.copy()))
        self._verdict, self._origin = _Column(people.verdicts), _Column(people.origins)
        self._weight = _Column(people.weights_milli)
        self._rules = people.rules
        self._most = [limits.get(kind, LIMITS[kind]) for kind in IDENTIFIERS]
        between = (people.component[people.ends[:, 1]] >= 0) & (people.origins != APPROVED)
        self._latest = int(people.event_nos[between].max(initial=-1))

    def __len__(self) -> int:
        return self._pseudonyms.size

    def profile(self, pseudonym: int) -> int:
        """Return the profile id of one identifier, -1 where it is not known."""
        place = self._later.get(pseudonym, -1)
        if place < 0 and len(self._sorted):
            found = int(self._sorted.searchsorted(pseudonym))
            place = found if found < len(self._sorted) and self._sorted[found] == pseudonym else -1
        if place < 0:
            return -1
        return self._ids.one(int(self._pseudonyms.all[self._leader.all[place]]))

    def take(self, news: News, rulings: Rulings) -> Moved:
        """Take what came since, and what rules now; return whose profiles were looked at again.

        Edges behind all others are folded on from the groups as they stand (`append`). What rules otherwise now, or
        comes before others in the order of the fold, has its components folded again; the rest stays as it is: by the
        definition of a component no edge, limit or never-link in one changes anybody in another.
        """
        self._add(news)
        fresh = self._find_fresh(news.seen)
        ruled = self._places(find_changed(self._rulings, rulings, news.pseudonyms))
        judged = self._places(np.setxor1d(self._rulings.shared, rulings.shared))
        self._rulings = rulings
        self._latest = max(self._latest, int(rulings.scored[:, 0].max(initial=-1)))
        early = fresh.between & (fresh.event_nos <= self._latest)
        done = []
        if early.any() or (ruled >= 0).any() or (judged >= 0).any():
            done.append(self._replay(fresh.only(early), ruled[ruled >= 0], judged[judged >= 0]))
            # Edges that were folded again stand in other rows now.
            fresh = fresh._replace(rows=self._find_rows(fresh.ends))
        if not early.all():
            done.append(self._append(fresh.only(~early)))
        return join_moved(done)

    def _replay(self, early: _Fresh, ruled: Places, judged: Places) -> Moved:
        """Fold the components again that some edges, rulings or ``judged`` devices touch."""
        touched = np.unique(np.concatenate((early.ends.ravel(), ruled, judged)))
        inside, beside, whole = self._surround(touched, judged)
        seen = np.column_stack((early.event_nos, self._pseudonyms.all[early.ends]))
        evidence, nodes = self._gather(inside, beside, whole, seen)
        answer = fold_evidence(evidence)
        before = self._leader.all[nodes]
        self._put(answer, nodes, whole)
        self._latest = max(self._latest, int(early.event_nos.max(initial=-1)))
        return self._tell(nodes, before)

    def _append(self, late: _Fresh) -> Moved:
        """Fold edges on; those between accounts come behind all others, those to devices at any place."""
        rows = self._note(late)
        leader, pseudonyms = self._leader.all, self._pseudonyms.all
        around, nodes, beside = self._look_around(late)
        answer = append(around, self._most)
        before = leader[nodes]
        leader[nodes] = nodes[answer.leader]
        self._verdict.all[rows[late.between]] = answer.joins
        self._verdict.all[beside] = answer.beside
        ends = self._component.all[late.ends[late.between]]
        old, new = join_components(np.unique(ends), ends, pseudonyms)
        if len(old):
            hit = np.zeros(len(self) + 1, bool)
            hit[old] = True
            moved = np.flatnonzero(hit[self._component.all])
            self._component.all[moved] = new[np.searchsorted(old, self._component.all[moved])]
        self._latest = max(self._latest, int(late.event_nos[late.between].max(initial=-1)))
        return self._tell(nodes, before)

    def _tell(self, nodes: Places, before: Codes) -> Moved:
        pseudonyms = self._pseudonyms.all
        leaders = before, self._leader.all[nodes]
        return Moved(pseudonyms[nodes], *(self._ids.all(pseudonyms[leader]) for leader in leaders))

    def people(self) -> People:
        """Return who is who as `fold` would from everything at once."""
        order = np.argsort(self._pseudonyms.all, kind="stable")
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        first_seen = self._first_seen.all[order]
        person, earliest = number_people(rank[self._leader.all[order]].astype(np.intp), first_seen)
        component = self._component.all[order]
        pseudonyms = self._pseudonyms.all[order]
        rows, ends = self._order_edges(rank)
        return People(
            pseudonyms=pseudonyms,
            first_seen=first_seen,
            person=person,
            component=np.where(component < 0, component, rank[component]),
            profile_ids=self._ids.all(pseudonyms[earliest]),
            event_nos=self._event_no.all[rows],
            ends=ends,
            verdicts=self._verdict.all[rows],
            origins=self._origin.all[rows],
            weights_milli=self._weight.all[rows],
            rules=self._rules,
        )

    def _add(self, news: News) -> None:
        fresh = self._places(news.pseudonyms) < 0
        pseudonyms, start = news.pseudonyms[fresh], len(self)
        places = np.arange(start, start + len(pseudonyms), dtype=np.int32)
        self._later.update(zip(pseudonyms.tolist(), places.tolist(), strict=True))
        self._pseudonyms.append(pseudonyms)
        self._first_seen.append(news.first_seen[fresh])
        self._leader.append(places)
        self._component.append(np.where(types_of(pseudonyms) == DEVICE, np.int32(-1), places))

    def _places(self, pseudonyms: Numbers) -> Places:
        places = np.full(pseudonyms.shape, -1, np.intp)
        if len(self._sorted):
            found = np.minimum(np.searchsorted(self._sorted, pseudonyms), len(self._sorted) - 1)
            known = self._sorted[found] == pseudonyms
            places[known] = found[known]
        if self._later:
            rest = np.flatnonzero(places.ravel() < 0)
            asked = pseudonyms.ravel()[rest].tolist()
            places.ravel()[rest] = [self._later.get(pseudonym, -1) for pseudonym in asked]
        return places

    def _find_fresh(self, seen: Numbers) -> _Fresh:
        """Return the edges in ``seen`` that are not known yet, or not from so early an event."""
        names = np.sort(seen[:, 1:], axis=1)
        ends = self._places(names)
        # Pseudonyms are sorted by type: a device comes second, and two devices are no edge.
        usable = np.flatnonzero((ends >= 0).all(axis=1) & (names[:, 0] != names[:, 1]) & (names[:, 0] < DEVICE << 61))
        order = usable[np.lexsort((names[usable, 1], names[usable, 0], seen[usable, 0]))]
        key = ends[order, 0] * len(self) + ends[order, 1]
        order = order[np.sort(np.unique(key, return_index=True)[1])]
        event_nos, ends = seen[order, 0], ends[order]
        between = self._component.all[ends[:, 1]] >= 0
        rows = self._find_rows(ends)
        known = rows >= 0
        known[known] = self._event_no.all[rows[known]] <= event_nos[known]
        return _Fresh(event_nos, ends, between, rows).only(~known)

    def _find_rows(self, ends: Places) -> Places:
        """Return the row of each edge that was seen, -1 where it was not."""
        touched = np.zeros(len(self) + 1, bool)
        touched[ends] = True
        rows = np.flatnonzero(touched[self._other.all])
        rows = rows[touched[self._one.all[rows]] & (self._origin.all[rows] == SEEN)]
        if not len(rows):
            return np.full(len(ends), -1, np.intp)
        known = self._one.all[rows].astype(np.int64) * len(self) + self._other.all[rows]
        order = np.argsort(known)
        asked = ends[:, 0] * len(self) + ends[:, 1]
        found = order[np.minimum(np.searchsorted(known, asked, sorter=order), len(rows) - 1)]
        return np.where(known[found] == asked, rows[found], -1)

    def _note(self, late: _Fresh) -> Places:
        """Write edges down, their verdicts open; return the row of each."""
        known, rows = late.rows >= 0, late.rows.copy()
        self._event_no.all[rows[known]] = late.event_nos[known]
        count = int((~known).sum())
        rows[~known] = np.arange(self._one.size, self._one.size + count)
        self._event_no.append(late.event_nos[~known])
        self._one.append(late.ends[~known, 0].astype(np.int32))
        self._other.append(late.ends[~known, 1].astype(np.int32))
        self._verdict.append(np.full(count, MERGED, np.int8))
        self._origin.append(np.full(count, SEEN, np.int8))
        self._weight.append(np.full(count, NO_WEIGHT, np.int32))
        return rows

    def _look_around(self, late: _Fresh) -> tuple[Around, Places, Places]:
        """Return the groups that edges touch, with the devices beside them; their places, and the rows of the edges to
        these devices."""
        one, other, leader, pseudonyms = self._one.all, self._other.all, self._leader.all, self._pseudonyms.all
        devices = np.zeros(len(self), bool)
        devices[late.ends[~late.between, 1]] = True
        hit = np.zeros(len(self), bool)
        hit[leader[late.ends[:, 0]]] = True
        hit[leader[late.ends[late.between, 1]]] = True
        # Whose own a touched device was so far may lose it.
        near = np.flatnonzero(devices[other])
        near = near[(one[near] >= 0) & (self._verdict.all[near] != SHARED)]
        hit[leader[one[near]]] = True
        inside = np.append(hit[leader] & (self._component.all >= 0), False)
        mine = np.flatnonzero(inside[one])
        to_device = self._component.all[other[mine]] < 0
        beside, agreed = mine[to_device], mine[~to_device]
        agreed = agreed[(self._origin.all[agreed] == APPROVED) & np.isin(self._verdict.all[agreed], ACCEPTED)]
        devices[other[beside]] = True
        far = np.flatnonzero(devices[other])
        # A device that stands beside anybody outside too stood beside several already.
        outside = pseudonyms[other[far[~inside[one[far]] & (one[far] >= 0)]]]
        nodes = np.concatenate((np.flatnonzero(inside), np.flatnonzero(devices)))
        nodes = nodes[np.argsort(pseudonyms[nodes])]
        names = pseudonyms[nodes]

        def find(edges: Places) -> Places:
            found: Places = np.searchsorted(names, pseudonyms[np.column_stack((one[edges], other[edges]))])
            return found

        ends = find(beside)
        pair = (ends[:, 0] * len(nodes) + ends[:, 1]) * 3 + self._origin.all[beside]
        order = np.lexsort((pair, self._event_no.all[beside]))
        around = Around(
            kinds=types_of(names),
            first_seen=self._first_seen.all[nodes],
            group=leader[nodes[: len(nodes) - int(devices.sum())]],
            agreed=find(agreed),
            joins=np.searchsorted(names, pseudonyms[late.ends[late.between]]),
            beside=ends[order],
            never=np.searchsorted(names, among(self._rulings.never, names, 0)),
            shared=np.isin(names, np.concatenate((outside, self._rulings.shared))),
        )
        return around, nodes, beside[order]

    def _surround(self, touched: Places, judged: Places) -> tuple[Mask, Mask, Mask]:
        """Return the accounts (as a mask over identifiers) whose components are touched, the devices beside them, and
        which edges are theirs; of ``judged`` devices all accounts that they stood beside are touched."""
        one, other = self._one.all, self._other.all
        named = np.zeros(len(self) + 1, bool)
        named[touched] = True
        kinds = types_of(self._pseudonyms.all[touched])
        devices = np.zeros(len(self) + 1, bool)
        devices[touched[kinds == DEVICE]] = True
        # Whose own a touched device was so far.
        open_to = self._verdict.all != SHARED
        if len(judged):
            open_to |= np.isin(other, judged)
        named[one[devices[other] & open_to]] = True
        named[touched[kinds == DEVICE]] = False
        hit = np.zeros(len(self) + 1, bool)
        hit[self._component.all[np.flatnonzero(named[:-1])]] = True
        inside = np.append(hit[self._component.all], False)
        inside[:-1] &= self._component.all >= 0
        whole = inside[one]
        devices[other[whole]] = True
        devices &= ~inside
        return inside, devices, whole

    def _gather(self, inside: Mask, beside: Mask, whole: Mask, seen: Numbers) -> tuple[Evidence, Places]:
        """Return what the fold of some accounts and the devices beside them rests on, and their places in its order."""
        one, other, rulings = self._one.all, self._other.all, self._rulings
        # A device that stands beside anybody outside too stood beside several already.
        outside = np.unique(other[beside[other] & ~whole & (one >= 0)])
        nodes = np.flatnonzero((inside | beside)[:-1])
        pseudonyms = self._pseudonyms.all[nodes]
        order = np.argsort(pseudonyms)
        nodes, pseudonyms = nodes[order], pseudonyms[order]
        rows = np.flatnonzero(whole & (self._origin.all == SEEN))
        names = self._pseudonyms.all
        before = np.column_stack((self._event_no.all[rows], names[one[rows]], names[other[rows]]))
        strong = np.minimum(seen[:, 1], seen[:, 2])
        places = self._places(strong)
        mine = seen[(places >= 0) & inside[places]]
        evidence = Evidence(
            pseudonyms=pseudonyms,
            first_seen=self._first_seen.all[nodes],
            seen=np.concatenate((before, mine)),
            scored=among(rulings.scored, pseudonyms),
            never=among(rulings.never, pseudonyms, 0),
            approved=among(rulings.approved, pseudonyms),
            shared=np.union1d(names[outside], rulings.shared[np.isin(rulings.shared, pseudonyms)]),
            limits=self._limits,
        )
        return evidence, nodes

    def _put(self, answer: Answer, nodes: Places, whole: Mask) -> None:
        """Put the answer of a fold over ``nodes`` in the place of what stood there."""
        self._leader.all[nodes] = nodes[answer.earliest[answer.person]]
        self._component.all[nodes] = np.where(answer.component < 0, -1, nodes[answer.component])
        # Edges that are folded again go to the end; their old places name nobody.
        self._one.all[whole] = -1
        ends = nodes[answer.edges.ends].astype(np.int32)
        self._event_no.append(answer.edges.event_nos)
        self._one.append(ends[:, 0])
        self._other.append(ends[:, 1])
        self._verdict.append(answer.verdicts)
        self._origin.append(answer.edges.origins)
        self._weight.append(answer.edges.weights_milli)

    def _order_edges(self, rank: Codes) -> tuple[Places, Codes]:
        """Return the places of the edges in the order of a fold over everything, and their ends by ``rank``."""
        rows = np.flatnonzero(self._one.all >= 0)
        ends = np.column_stack((rank[self._one.all[rows]], rank[self._other.all[rows]]))
        origins = self._origin.all[rows]
        pair = (ends[:, 0].astype(np.int64) * len(self) + ends[:, 1]) * 3 + origins
        order = np.lexsort((pair, turn_of(self._event_no.all[rows], origins)))
        return rows[order], ends[order]


def _find_leaders(people: People) -> Codes:
    """Return the place of the earliest identifier of each one's person."""
    groups = people.person.astype(np.intp)
    _, earliest = number_people(groups, people.first_seen)
    return earliest[groups]
