"""What the customers of one company allow: how much of each purpose is covered, and choices recorded for them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from threading import RLock

import msgspec
import numpy as np

from parcours.blueprint.records import Blueprint, Purpose
from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import Database
from parcours.engine.store.tables import Tables
from parcours.errors import ParcoursError
from parcours.know.audit.log import Audit
from parcours.know.consent.contexts import Contexting
from parcours.know.consent.coverage import Coverage, Met, count_coverage, read_chosen, read_met, recall_met, write_met
from parcours.know.consent.history import LedgerLine, read_changes
from parcours.know.consent.ledger import GRANTED, REFUSED, Ledger
from parcours.know.consent.lines import CONTEXT
from parcours.know.consent.proving import ChoiceProof, prove
from parcours.know.gate.versions import Numbered, Versions
from parcours.know.identities import Identities
from parcours.know.keys import Keys
from parcours.know.masks import mask
from parcours.know.pseudonyms import Numbers, types_of
from parcours.know.reading import Permission
from parcours.words import Words

MET = "know.met"
FRESH_S = 600
"""So old may be who was met where, while somebody else keeps the company up to date."""

SOURCE = "parcours"
"""The source of a choice that a person recorded."""

MOST_LETTERS = 200
_DEVICE = IDENTIFIERS.index("device")
_PROFILE = re.compile("[0-9a-f]{16}")


class LedgerState(msgspec.Struct, frozen=True, kw_only=True):
    """How the ledger stands.

    Attributes:
        lines: How many it has, erased ones included.
        erased: How many lost their contents.
        head: The link of the last line in hexadecimal: whoever has noted it can show later what came before.
        checked_ms: When this process read the chain from its first line to its last.
        proofs: How many sealed proofs of consent are kept of erased people, restricted to claims, and until when.
    """

    lines: int
    erased: int
    head: str
    checked_ms: int
    proofs: int
    proofs_until_ms: int | None


class NoticeUse(msgspec.Struct, frozen=True, kw_only=True):
    """A notice that choices rest on: how many that stand, one an identifier and purpose."""

    notice: str
    version: str
    language: str
    interface: str
    screenshot: str
    choices: int


class ConsentOverview(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about consent in counts: coverage, the ledger, its latest lines and the notices choices rest on.

    ``met_ms`` is when it was last looked who was met on which channel.
    """

    coverage: tuple[Coverage, ...]
    ledger: LedgerState
    changes: tuple[LedgerLine, ...]
    notices: tuple[NoticeUse, ...]
    met_ms: int


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """A choice that was recorded on somebody's behalf: for how many identifiers, on which lines, noted as which act."""

    purpose: str
    granted: bool
    identifiers: int
    entries: tuple[int, ...]
    audit_no: int


class Consents:
    """The consents of one company.

    Args:
        folder, blueprint: The company.
        state, keys, manifest: Where it is kept.
        identities: Who is who.
        ledger: What was chosen.
        audit: Gives the log in which an act stands before it goes on.
        permission: Gives, for a purpose, whether it may see each person now.
        turn: Held while the ledger is read or written.
        follow: Whether somebody else keeps the company up to date.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        state: Database,
        keys: Keys,
        manifest: Manifest,
        identities: Identities,
        ledger: Ledger,
        audit: Callable[[], Audit],
        permission: Callable[[Purpose], Permission],
        turn: RLock,
        follow: bool = False,
    ) -> None:
        self._folder, self._blueprint = folder, blueprint
        self._state, self._keys, self._manifest = state, keys, manifest
        self._identities, self._ledger, self._audit, self._permission = identities, ledger, audit, permission
        self._turn, self._follow = turn, follow
        self._tables = Tables(folder)
        self._versions = Versions(state)

    def overview(self, latest: int = 20) -> ConsentOverview:
        """Return how consent stands, with the ``latest`` lines of the ledger.

        Raises:
            ParcoursError: ``state_damaged``, ``part_damaged`` …
        """
        with self._turn:
            return self._overview(latest)

    def _overview(self, latest: int) -> ConsentOverview:
        self._ledger.catch_up()
        people, (met, met_ms) = self._identities.people(), self._read_met()
        channels = [channel.id for channel in self._blueprint.channels]
        coverage = []
        for purpose in self._blueprint.purposes:
            chosen, permission = read_chosen(self._ledger, self._versions.of(purpose)), self._permission(purpose)
            told = (purpose.id, purpose.basis, channels, people, met, permission.allowed, permission.restricted)
            coverage.append(count_coverage(*told, chosen, self._ledger.contexts))
        changes = read_changes(self._state, self._keys.checks, self._ledger.contexts, self._versions.purposes(), latest)
        return ConsentOverview(
            coverage=tuple(coverage),
            ledger=self._read_ledger(),
            changes=changes,
            notices=self._count_notices(),
            met_ms=met_ms,
        )

    def record(
        self, identifier: str, purpose: str, granted: bool, actor: str, reason: str, new: bool = False
    ) -> Recorded:
        """Record what somebody chose and told a person: for the account, or for the device that is named.

        An account's choice stands for every user id, mail and phone of that person and for none of their devices. It
        is noted in the audit log first, and counts at the next look.

        Args:
            identifier: ``KIND:VALUE``, or a value that is known already; one that nobody has yet with ``new`` alone, so
                that a mistyped one is told.
            purpose: The purpose's id.
            granted: Whether they allow it.
            actor: Who records it: ``cli``, or a person's id.
            reason: How the choice was told; what may name a person in it is masked.
            new: Whether the choice may be recorded before whoever has the identifier comes.

        Raises:
            ParcoursError: ``unknown_purpose``, ``reason_missing``, ``unknown_customer``, ``nobody_yet``,
                ``ambiguous_customer`` …
        """
        return self._record(lambda: self._find(identifier, new), purpose, granted, actor, reason)

    def record_for(self, profile: str, purpose: str, granted: bool, actor: str, reason: str) -> Recorded:
        """Record what the customer with this profile id chose for their account (see `record`).

        Raises:
            ParcoursError: as `record`; ``unknown_customer`` where there is no such profile (any more).
        """
        return self._record(lambda: self._find_profile(profile), purpose, granted, actor, reason)

    def _record(
        self, find: Callable[[], tuple[Numbers, int]], purpose: str, granted: bool, actor: str, reason: str
    ) -> Recorded:
        named = next((one for one in self._blueprint.purposes if one.id == purpose), None)
        if named is None:
            raise _unknown_purpose(purpose, [one.id for one in self._blueprint.purposes])
        reason = mask(" ".join(reason.split()))[:MOST_LETTERS]
        if not reason:
            raise _reason_missing()
        with self._turn:
            principals, thing = find()
            now_ms = time.time_ns() // 1_000_000
            told = f"{purpose}: {'granted' if granted else 'refused'}. {reason}"
            audit_no = self._audit().note(actor, "record_choice", "customer", thing, "done", told)
            context = Contexting(self._blueprint, self._ledger.contexts).one(
                purpose, SOURCE, actor, reason, audit_no, now_ms
            )
            entries = self._append(self._versions.of(named), principals, granted, now_ms, context)
        return Recorded(
            purpose=purpose, granted=granted, identifiers=len(principals), entries=entries, audit_no=audit_no
        )

    def prove(self, identifier: str, actor: str, reason: str) -> tuple[ChoiceProof, ...]:
        """Return the proof of what whoever has ``identifier`` chose, sealed ones of an erased person included.

        It is noted in the audit log first. Of an erased person only the identifier that is shown is looked for.

        Raises:
            ParcoursError: ``reason_missing``, ``unknown_customer``, ``state_damaged`` …
        """
        reason = mask(" ".join(reason.split()))[:MOST_LETTERS]
        if not reason:
            raise _proof_without_reason()
        with self._turn:
            own, people = self._identities.pseudonyms_of(identifier), self._identities.people()
            if not len(own):
                raise _unknown_customer()
            mine = np.unique(people.person[np.isin(people.pseudonyms, own)])
            theirs = np.union1d(own, people.pseudonyms[np.isin(people.person, mine)])
            thing = int(people.profile_ids[mine[0]]) if len(mine) == 1 else int(own[0])
            self._audit().note(actor, "export_proof", "customer", thing, "done", reason)
            return prove(self._state, self._ledger, self._versions.purposes(), theirs)

    def _append(
        self, purpose: Numbered, principals: Numbers, granted: bool, now_ms: int, context: int
    ) -> tuple[int, ...]:
        def spread(value: int) -> Numbers:
            return np.full(len(principals), value, np.int64)

        choice = spread(GRANTED if granted else REFUSED).astype(np.int8)
        with self._state.transaction():
            before = self._ledger.catch_up()
            self._ledger.note(
                purpose.number, principals, choice, spread(now_ms), spread(-1), spread(now_ms), spread(context)
            )
            self._ledger.settle(now_ms)
            return tuple(range(before + 1, self._ledger.catch_up() + 1))

    def _find(self, identifier: str, new: bool) -> tuple[Numbers, int]:
        """Return the pseudonyms for which somebody's choice stands, and what the audit log calls them."""
        own, people = self._identities.pseudonyms_of(identifier), self._identities.people()
        known = own[np.isin(own, people.pseudonyms)]
        kind, _, value = identifier.partition(":")
        if not len(known):
            if kind not in IDENTIFIERS or not value or not len(own):
                raise _unknown_customer()
            if not new:
                raise _nobody_yet()
            return own, int(own[0])
        persons = np.unique(people.person[np.searchsorted(people.pseudonyms, known)])
        if len(persons) > 1:
            raise _ambiguous_customer()
        profile = int(people.profile_ids[persons[0]])
        if (types_of(known) == _DEVICE).all():
            return known, profile
        theirs = people.pseudonyms[people.person == persons[0]]
        return theirs[types_of(theirs) != _DEVICE], profile

    def _find_profile(self, profile: str) -> tuple[Numbers, int]:
        """Return the same for the customer with a profile id; of one who is devices alone, these."""
        people = self._identities.people()
        id = int(profile, 16) if _PROFILE.fullmatch(profile) else -1
        found = np.flatnonzero(people.profile_ids == id) if id >= 0 else np.empty(0, np.intp)
        if not len(found):
            raise _unknown_customer()
        theirs = people.pseudonyms[people.person == found[0]]
        account = theirs[types_of(theirs) != _DEVICE]
        return (account if len(account) else theirs), id

    def _read_met(self) -> tuple[Met, int]:
        """Return who was met where: as of now, or of a few minutes ago where somebody else keeps things up to date."""
        now_s = int(time.time())
        rests_on = now_s // FRESH_S if self._follow else self._manifest.version
        channels = [(one.id, one.channel, one.events) for one in self._blueprint.touchpoints]
        fingerprint = sha256(repr((rests_on, channels)).encode()).hexdigest()[:32]
        while (version := self._tables.hold(MET, fingerprint)) is None:
            with self._manifest.lease(), self._tables.replace(MET, fingerprint) as draft:
                write_met(read_met(self._folder, self._blueprint, self._manifest.parts()), draft)
        return recall_met(version.path), version.path.stat().st_mtime_ns // 1_000_000

    def _read_ledger(self) -> LedgerState:
        head = self._ledger.head
        erased = self._state.execute("SELECT count(*) FROM consent WHERE commitment IS NOT NULL")[0][0]
        proofs, until_ms = self._ledger.proofs.count()
        return LedgerState(
            lines=head.entry_no,
            erased=int(erased or 0),
            head=head.link.hex() if head.entry_no else "",
            checked_ms=self._ledger.checked_ms,
            proofs=proofs,
            proofs_until_ms=until_ms,
        )

    def _count_notices(self) -> tuple[NoticeUse, ...]:
        """Return the declared notices, and those of before on which choices still rest, with how many do."""
        counts: dict[tuple[str, str, str], int] = {}
        shown: dict[tuple[str, str, str], tuple[str, str]] = {}
        for notice in self._blueprint.notices:
            named = notice.id, notice.version, notice.language
            counts[named], shown[named] = 0, (notice.interface, notice.screenshot)
        for number in self._versions.purposes():
            used, times = np.unique(self._ledger.lines_of(number)[:, CONTEXT], return_counts=True)
            for context_no, count in zip(used.tolist(), times.tolist(), strict=True):
                context = self._ledger.contexts.find(context_no)
                if context is not None and context.notice:
                    named = context.notice, context.notice_version, context.language
                    counts[named] = counts.get(named, 0) + count
                    shown.setdefault(named, (context.interface, context.screenshot))
        return tuple(
            NoticeUse(
                notice=named[0],
                version=named[1],
                language=named[2],
                interface=shown[named][0],
                screenshot=shown[named][1],
                choices=count,
            )
            for named, count in counts.items()
        )


def _unknown_purpose(purpose: str, known: Sequence[str]) -> ParcoursError:
    listed = ", ".join(known) or "–"
    return ParcoursError(
        "unknown_purpose",
        Words(fr=f"La finalité « {purpose} » n'existe pas.", en=f"There is no purpose “{purpose}”."),
        Words(fr=f"Finalités : {listed}.", en=f"Purposes: {listed}."),
    )


def _reason_missing() -> ParcoursError:
    return ParcoursError(
        "reason_missing",
        Words(
            fr="Un choix enregistré pour quelqu'un dit comment il a été exprimé.",
            en="A choice that is recorded for somebody says how they told it.",
        ),
        Words(
            fr="Ajoutez une raison, par exemple « appel du 3 mars ».",
            en="Add a reason, for instance “call of 3 March”.",
        ),
    )


def _unknown_customer() -> ParcoursError:
    return ParcoursError(
        "unknown_customer",
        Words(fr="Personne n'a cet identifiant.", en="Nobody has this identifier."),
        Words(
            fr="Écrivez de quel type il est, par exemple mail:claire@example.org, et vérifiez-en l'écriture.",
            en="Write of which type it is, such as mail:claire@example.org, and check how it is written.",
        ),
    )


def _nobody_yet() -> ParcoursError:
    return ParcoursError(
        "nobody_yet",
        Words(
            fr="Personne n'a encore cet identifiant : rien n'est enregistré.",
            en="Nobody has this identifier yet: nothing was recorded.",
        ),
        Words(
            fr="Vérifiez l'écriture ; si la personne doit encore venir, ajoutez --new : "
            "le choix vaudra dès qu'elle vient.",
            en="Check how it is written; if they are still to come, add --new: the choice holds from when they come.",
        ),
    )


def _proof_without_reason() -> ParcoursError:
    return ParcoursError(
        "reason_missing",
        Words(
            fr="Une preuve des choix de quelqu'un ne sort pas sans dire qui la demande.",
            en="A proof of what somebody chose is not given without saying who asks for it.",
        ),
        Words(
            fr="Ajoutez une raison, par exemple « réclamation 12 auprès de la CNIL ».",
            en="Add a reason, for instance “claim 12 before the CNIL”.",
        ),
    )


def _ambiguous_customer() -> ParcoursError:
    return ParcoursError(
        "ambiguous_customer",
        Words(fr="Plusieurs personnes ont cet identifiant.", en="Several people have this identifier."),
        Words(
            fr="Écrivez de quel type il est : user:, mail:, phone: ou device: devant la valeur.",
            en="Write of which type it is: user:, mail:, phone: or device: before the value.",
        ),
    )
