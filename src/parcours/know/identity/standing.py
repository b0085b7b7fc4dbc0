"""Who is who, brought up to date: what came since is folded with the components that it touches, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from parcours.know.identity.fold import Answer, Evidence, fold_evidence, number_people, turn_of
from parcours.know.identity.people import Codes, People, ProfileIds
from parcours.know.identity.shared import DEVICE
from parcours.know.identity.verdicts import SEEN, SHARED
from parcours.know.pseudonyms import Numbers, types_of

Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]


class News(NamedTuple):
    """What came since: identifiers with the event that first showed each, and edges as seen (n × 3)."""

    pseudonyms: Numbers
    first_seen: Numbers
    seen: Numbers


NO_NEWS = News(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 3), np.int64))


class Rulings(msgspec.Struct, frozen=True):
    """What else a fold rests on, as it stands now, whole: see `Evidence`."""

    scored: Numbers
    never: Numbers
    approved: Numbers
    shared: Numbers


class Moved(NamedTuple):
    """The identifiers of the components that were folded again, and the profile of each before and after."""

    pseudonyms: Numbers
    old: Numbers
    new: Numbers


class _Column:
    """An array that grows at its end."""

    def __init__(self, values: npt.NDArray[np.generic]) -> None:
        self._held = values
        self.size = len(values)

    @property
    def all(self) -> npt.NDArray:  # type: ignore[type-arg]
        """What it holds."""
        return self._held[: self.size]

    def append(self, values: npt.NDArray[np.generic]) -> None:
        """Add ``values``."""
        size = self.size + len(values)
        if size > len(self._held) or not self._held.flags.writeable:
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

        Components that neither touches stay as they are: by the definition of a component no edge, limit or never-link
        in one changes anybody in another. A device joins no components, for it joins no accounts; but one that was
        somebody's own and now stands beside others is taken from them, so that their component is folded again.
        """
        self._add(news)
        ends = np.sort(self._places(news.seen[:, 1:]), axis=1)
        ends = ends[(ends >= 0).all(axis=1)]
        ruled = self._places(_find_changed(self._rulings, rulings, news.pseudonyms))
        judged = self._places(np.setxor1d(self._rulings.shared, rulings.shared))
        self._rulings = rulings
        touched = np.unique(np.concatenate((ends.ravel(), ruled[ruled >= 0], judged[judged >= 0])))
        inside, beside, whole = self._surround(touched, judged[judged >= 0])
        evidence, nodes = self._gather(inside, beside, whole, news.seen)
        answer = fold_evidence(evidence)
        before = self._leader.all[nodes].copy()
        self._put(answer, nodes, whole)
        pseudonyms = self._pseudonyms.all
        told = (
            evidence.pseudonyms,
            self._ids.all(pseudonyms[before]),
            self._ids.all(pseudonyms[self._leader.all[nodes]]),
        )
        return Moved(*told)

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
            scored=_among(rulings.scored, pseudonyms),
            never=_among(rulings.never, pseudonyms, 0),
            approved=_among(rulings.approved, pseudonyms),
            shared=np.union1d(names[outside], rulings.shared[np.isin(rulings.shared, pseudonyms)]),
            limits=self._limits,
        )
        return evidence, nodes

    def _put(self, answer: Answer, nodes: Places, whole: Mask) -> None:
        """Put the answer of a fold over ``nodes`` in the place of what stood there."""
        leader, component = self._leader, self._component
        leader.append(leader.all[:0])
        component.append(component.all[:0])
        leader.all[nodes] = nodes[answer.earliest[answer.person]]
        component.all[nodes] = np.where(answer.component < 0, -1, nodes[answer.component])
        # Edges that are folded again go to the end; their old places name nobody.
        self._one.append(self._one.all[:0])
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


def _among(pairs: Numbers, pseudonyms: Numbers, first: int = 1) -> Numbers:
    """Return the lines whose pair (from column ``first`` on) is all among ``pseudonyms``."""
    return pairs[np.isin(pairs[:, first : first + 2], pseudonyms).all(axis=1)] if len(pairs) else pairs


def _find_changed(before: Rulings, after: Rulings, fresh: Numbers) -> Numbers:
    """Return the identifiers of every line that came, went, changed, or names an identifier that is only now known."""
    found = [np.empty(0, np.int64)]
    for name, first in (("scored", 1), ("never", 0), ("approved", 1)):
        old, new = getattr(before, name), getattr(after, name)
        lines, counts = np.unique(
            np.concatenate((np.unique(old, axis=0), np.unique(new, axis=0))), axis=0, return_counts=True
        )
        pairs = lines[:, first : first + 2]
        found.append(pairs[(counts == 1) | np.isin(pairs, fresh).any(axis=1)].ravel())
    return np.unique(np.concatenate(found))
