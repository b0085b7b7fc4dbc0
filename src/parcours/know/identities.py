"""Who is who in one company: kept as it was last folded, brought up to date, explained, and corrected by people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint
from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import Database
from parcours.engine.store.tables import Tables
from parcours.know.callers import recognise
from parcours.know.identity.acts import APPROVED, Acts, Change, Ruling
from parcours.know.identity.alarms import find_alarms, measure_biggest
from parcours.know.identity.basis import Basis, read_basis, write_basis
from parcours.know.identity.choosing import check_pair, choose
from parcours.know.identity.edges import Edges
from parcours.know.identity.fold import RULES, Evidence, fold
from parcours.know.identity.identifiers import Spelling
from parcours.know.identity.news import NO_NEWS, News, Rulings, compare_people
from parcours.know.identity.people import People, read_people, without, write_people
from parcours.know.identity.proof import Explanation, explain
from parcours.know.identity.renaming import Renamed
from parcours.know.identity.review import Doubt, count_scored, find_doubts
from parcours.know.identity.scored import ACCEPTED, Scored
from parcours.know.identity.scored import REFUSED as TURNED_DOWN
from parcours.know.identity.shared import SharedDevices
from parcours.know.identity.shown import mask_identifier
from parcours.know.identity.standing import Standing
from parcours.know.keys import Keys
from parcours.know.moments import compare_moments
from parcours.know.pseudonyms import NOBODY, Numbers, types_of
from parcours.know.rights.erasures import Erasures
from parcours.know.rights.tombstones import Tombstones
from parcours.know.vault import Vault
from parcours.words import Words

IDENTITY = "know.identity"
PROFILE_KEY = "profiles"
_PSEUDONYM = re.compile(r"[0-7][0-9a-f]{15}")


class Identities:
    """The people of one company.

    Args:
        folder: The company folder.
        blueprint: Its blueprint: the limits of a person, and the values that it blocks.
        spelling: How identifiers are written.
        state, manifest, keys: Where they are kept.
        follow: Whether somebody else folds: what was last published is then read as it stands.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        spelling: Spelling,
        state: Database,
        manifest: Manifest,
        keys: Keys,
        follow: bool = False,
    ) -> None:
        self._tables = Tables(folder)
        self._limits = {str(kind): most for kind, most in blueprint.limits.items()}
        self._spelling = spelling
        self._state, self._manifest, self._keys, self._follow = state, manifest, keys, follow
        self._edges, self._acts = Edges(state, keys), Acts(state, keys)
        self._scored, self._shared = Scored(state, keys), SharedDevices(state, keys)
        self._vault, self._tombstones = Vault(state, keys), Tombstones(state, keys)
        self._renamed = Renamed(state, keys)
        self._erasures = Erasures(state, keys)
        self._people: tuple[str, People] | None = None
        self._kept: tuple[Basis, Standing] | None = None
        self._before = 0

    @property
    def rules(self) -> str:
        """The version of the rules in force: of this fold, of the limits, and of how identifiers are written."""
        told = (RULES, sorted(self._limits.items()), self._spelling.version)
        return sha256(repr(told).encode()).hexdigest()[:16]

    def version(self) -> str:
        """Return what changes whenever anything does on which identities rest."""
        told = (
            self._manifest.version,
            self._edges.version(),
            self._acts.version(),
            self._scored.version(),
            self._shared.version(),
            self._left_out(),
            self.rules,
        )
        return sha256(repr(told).encode()).hexdigest()[:32]

    def people(self) -> People:
        """Return who is who now; with ``follow``, as it was last published.

        Raises:
            ParcoursError: ``state_damaged``, ``row_damaged``, ``moments_apart`` …
        """
        # An erasure that has just begun must count at once; whoever remains is told anew when it has gone on.
        follow = self._follow or self._erasures.has_just_begun()
        if not follow:
            self._renamed.catch_up(self._vault, self._spelling)
        version = (follow and self._tables.fingerprint(IDENTITY)) or self.version()
        # What was made before an erasure is read without the erased from that moment on.
        named = f"{version} {self._tombstones.version()}"
        if self._people is None or self._people[0] != named:
            compare_moments(self._manifest, self._state)
            held = self._tables.hold(IDENTITY, version)
            if held is not None:
                people = read_people(held.path)
                self._people = named, without(people, self._tombstones.covers(people.pseudonyms))
                return self._people[1]
            self._people = named, self._publish(version)
        return self._people[1]

    def pseudonyms_of(self, identifier: str) -> Numbers:
        """Return the pseudonyms that a written identifier may have (``KIND:VALUE``, or a value of any kind)."""
        kind, _, value = identifier.partition(":")
        tried = {kind: value} if kind in IDENTIFIERS and value else dict.fromkeys(IDENTIFIERS, identifier)
        return self.pseudonyms_by_kind(tried)

    def pseudonyms_by_kind(self, identifiers: Mapping[str, str]) -> Numbers:
        """Return the pseudonyms of somebody's identifiers, by their types; those that name nobody are left out."""
        codes = [
            recognise(kind, pa.chunked_array([[text]], pa.string()), self._keys.pseudonyms, self._spelling)[0]
            for kind, text in identifiers.items()
        ]
        return np.unique([code for code in codes if code > NOBODY]).astype(np.int64)

    def explain(self, identifier: str, unmasked: bool = False) -> tuple[Explanation, ...]:
        """Return why the identifiers of whoever has ``identifier`` are one person; one answer a profile it names.

        ``KIND:VALUE`` says which kind it is; identifiers are masked unless ``unmasked``.
        """
        people = self.people()
        found: dict[str, Explanation] = {}
        for pseudonym in self.pseudonyms_of(identifier).tolist():
            told = explain(people, pseudonym, lambda asked: self.show(asked, unmasked), self._edges.sources)
            if told is not None:
                found.setdefault(told.profile, told)
        return tuple(found.values())

    def explain_one(self, pseudonym: int, unmasked: bool = False) -> Explanation | None:
        """Return why the profile of ``pseudonym`` is one person, or nothing when it is not known."""
        return explain(self.people(), pseudonym, lambda asked: self.show(asked, unmasked), self._edges.sources)

    def show(self, pseudonyms: Sequence[int], unmasked: bool = False) -> list[str]:
        """Return each identifier as it is shown; an empty text where the vault or its key is gone."""
        shown = []
        for pseudonym in pseudonyms:
            value = self._vault.read_identifier(pseudonym) or ""
            kind = IDENTIFIERS[int(types_of(np.array([pseudonym]))[0])]
            shown.append(value if unmasked or not value else mask_identifier(kind, value))
        return shown

    def decide(
        self, decision: Ruling, one: int, other: int, actor: str, cause: str, note: Callable[[], None]
    ) -> tuple[Change, ...]:
        """Keep what a person decided about two identifiers, replay what it touches, and publish who moved.

        ``note`` is called once it is sure that they may decide so, before anything is kept; what stands already is
        neither noted nor kept again.

        Raises:
            ParcoursError: ``unknown_identifier``, ``not_a_pair`` or ``not_an_account`` says why nothing was decided.
        """
        standing, people = self._stand()
        check_pair(decision, one, other, standing)
        if self.is_decided(decision, one, other):
            return ()
        note()
        act = self._acts.append(decision, one, other, self._manifest.settled_to, actor, cause)
        said = ACCEPTED if decision == APPROVED else TURNED_DOWN
        self._scored.settle(one, other, said, act.event_no)
        moved = standing.take(NO_NEWS, self._rulings()) if people is None else compare_people(people, self._fold()[0])
        self._acts.publish(act, moved.pseudonyms, moved.old, moved.new)
        return tuple(change for change in self._acts.changes() if change.act_no == act.act_no)

    def is_decided(self, decision: Ruling, one: int, other: int) -> bool:
        """Return whether ``decision`` is what stands about two identifiers already."""
        pair = tuple(sorted((one, other)))
        said = [act.decision for act in self._acts.read() if (act.one, act.other) == pair]
        return said[-1:] == [decision]

    def changes(self, after: int = 0) -> tuple[Change, ...]:
        """Return what acts changed: which identifier went from which profile to which, and why."""
        return self._acts.changes(after)

    def find(self, identifier: str) -> int:
        """Return the pseudonym of one known identifier; 16 hexadecimal digits may be the pseudonym itself.

        Raises:
            ParcoursError: ``unknown_identifier``, or ``ambiguous_identifier`` where it is known as several types.
        """
        people, found = self.people(), self.pseudonyms_of(identifier)
        if _PSEUDONYM.fullmatch(identifier) and not (people.places(found) >= 0).any():
            found = np.array([int(identifier, 16)], np.int64)
        return choose(identifier, found[people.places(found) >= 0])

    def review(self) -> tuple[Doubt, ...]:
        """Return the pairs that wait for a person to say whether they are one."""
        pairs = [(act.one, act.other) for act in self._acts.read()]
        return find_doubts(self.people(), self._scored.read(), np.array(pairs, np.int64).reshape(-1, 2))

    def count_scored(self) -> tuple[int, int, int]:
        """Return how many scored pairs joined, wait for a person, and wait since a limit refused them."""
        return count_scored(self.people(), self._scored.read(), self.review())

    def alarms(self) -> tuple[Words, ...]:
        """Return what says that identifiers are fusing people, a sentence each."""
        return find_alarms(self.people(), self._before)

    def _left_out(self) -> str:
        return f"{self._tombstones.version()} {self._renamed.version()}"

    def _publish(self, version: str) -> People:
        """Bring people up to date, from what was last kept where that can be added to."""
        basis = self._basis()
        kept, self._kept = self._kept or self._recall(), None
        news = self._news(kept[0], basis) if kept else None
        if kept and news:
            standing, rulings = kept[1], self._rulings()
            standing.take(news, rulings)
            people = standing.people()
        else:
            people, rulings = self._fold()
            standing = None
        people = msgspec.structs.replace(people, as_of=basis.as_of)
        basis = msgspec.structs.replace(basis, biggest=measure_biggest(people))
        self._before = kept[0].biggest if kept else 0
        with self._tables.replace(IDENTITY, version) as draft:
            write_people(people, draft)
            write_basis(basis, rulings, draft)
        if standing is not None:
            self._kept = basis, standing
        return people

    def _stand(self) -> tuple[Standing, People | None]:
        """Return who is who at this moment, to be asked what an act would change; nothing of it is published.

        Where anybody is written otherwise now, the people are returned too: then all is folded again.
        """
        basis = self._basis()
        kept, self._kept = self._kept or self._recall(), None
        news = self._news(kept[0], basis) if kept else None
        if kept and news:
            kept[1].take(news, self._rulings())
            return kept[1], None
        people, rulings = self._fold()
        standing = Standing(people, rulings, self._limits, self._keys.derive(PROFILE_KEY))
        return standing, people if len(self._renamed.read()) else None

    def _recall(self) -> tuple[Basis, Standing] | None:
        """Return what was last published, whatever it was made of, and what it rests on."""
        fingerprint = self._tables.fingerprint(IDENTITY)
        held = self._tables.hold(IDENTITY, fingerprint) if fingerprint else None
        told = read_basis(held.path) if held else None
        if held is None or told is None:
            return None
        return told[0], Standing(read_people(held.path), told[1], self._limits, self._keys.derive(PROFILE_KEY))

    def _basis(self) -> Basis:
        # Read before the edges: those of later events are looked at besides.
        as_of, (last_block, blocks) = self._manifest.settled_to, self._edges.blocks()
        return Basis(self.rules, self._left_out(), as_of, last_block, blocks, self._vault.count())

    def _news(self, before: Basis, now: Basis) -> News | None:
        """Return what came between two moments, or nothing when something else happened than that more came."""
        same = (before.rules, before.left_out) == (now.rules, now.left_out)
        # Who stands for somebody else is known to a whole fold alone.
        same = same and not len(self._renamed.read())
        if not same or self._edges.blocks(before.last_block) != (before.last_block, before.blocks):
            return None
        pseudonyms, first_seen = self._vault.first_seen_from(before.as_of)
        there = ~self._tombstones.covers(pseudonyms)
        # Some of them may have been known at the moment before, but none that was can have gone.
        if now.identifiers < before.identifiers or now.identifiers > before.identifiers + len(pseudonyms):
            return None
        return News(pseudonyms[there], first_seen[there], self._edges.after(before.last_block))

    def _fold(self) -> tuple[People, Rulings]:
        pseudonyms, first_seen = self._vault.first_seen()
        there = ~self._tombstones.covers(pseudonyms)
        rulings = self._rulings()
        evidence = Evidence(
            pseudonyms=pseudonyms[there],
            first_seen=first_seen[there],
            seen=self._edges.read(),
            scored=rulings.scored,
            never=rulings.never,
            approved=rulings.approved,
            shared=rulings.shared,
            renamed=self._renamed.read(),
            limits=self._limits,
        )
        return fold(evidence, self._keys.derive(PROFILE_KEY), self.rules), rulings

    def _rulings(self) -> Rulings:
        scored = self._scored.read()
        taken = scored.standing == ACCEPTED
        columns = (scored.event_no, scored.one, scored.other, scored.weight_milli)
        accepted = np.column_stack([column[taken] for column in columns]).astype(np.int64)
        never, approved = self._acts.standing()
        return Rulings(accepted, never, approved, self._shared.read())
