"""What people may ask of one company, and what it answers: erasure first, with a preview, a receipt and no way back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from parcours.blueprint.records import Blueprint
from parcours.collect.connectors.destinations import Destination
from parcours.collect.door import IDENTIFIERS
from parcours.engine.store.lock import company_lock
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.know.consent.ledger import Ledger
from parcours.know.identities import Identities
from parcours.know.identity.edges import Edges
from parcours.know.identity.identifiers import Spelling
from parcours.know.identity.shared import SharedDevices
from parcours.know.keys import Keys
from parcours.know.personal import Personal
from parcours.know.pseudonyms import Numbers, types_of
from parcours.know.rights.access import Dossier, Scope, compile_dossier, read_rows
from parcours.know.rights.erasing import DAY_MS, Around, Erasing
from parcours.know.rights.erasures import Body, Erasure, Erasures, not_finished
from parcours.know.rights.notices import Matter, find_recipients, queue_notices, tell_deliveries
from parcours.know.rights.receipts import CONSENT_PROOF, Receipt, read_receipt
from parcours.know.rights.requests import Kind, Requests
from parcours.know.rights.subject import NOBODY_THERE, Held, Preview, Subject, count_events, resolve
from parcours.know.rights.tombstones import Tombstones
from parcours.know.vault import Vault
from parcours.progress import Progress
from parcours.settings import Settings
from parcours.words import Words

MARK = "erasing"
"""The file that changes with every erasure: whoever keeps pages looks at it."""

PATIENCE_S = 120.0
"""How long to wait for another command that holds the company: a load may take that long."""


class Rights:
    """The rights of the people whom one company knows.

    Args:
        folder: The company folder.
        blueprint, settings, spelling: What it declares.
        manifest, state, keys: What it keeps.
        ledger: What was chosen.
        identities: Who is who.
        requests: What was asked for.
    """

    def __init__(
        self,
        folder: Path,
        blueprint: Blueprint,
        settings: Settings,
        spelling: Spelling,
        manifest: Manifest,
        state: Database,
        keys: Keys,
        ledger: Ledger,
        identities: Identities,
        requests: Requests,
    ) -> None:
        self._folder, self._blueprint, self._settings, self._spelling = folder, blueprint, settings, spelling
        self._manifest, self._state, self._keys, self._ledger = manifest, state, keys, ledger
        self._identities, self._requests = identities, requests
        self._tombstones, self._erasures = Tombstones(state, keys), Erasures(state, keys)
        self._vault = Vault(state, keys)

    def find(self, identifier: str) -> Subject:
        """Return whom ``identifier`` names (`KIND:VALUE`, or a value of any kind).

        Raises:
            ParcoursError: ``nobody_found``, ``device_shared`` or ``several_found``.
        """
        shared = SharedDevices(self._state, self._keys).read()
        subject = resolve(self._identities.people(), self._identities.pseudonyms_of(identifier), shared)
        if len(subject.profile_ids) > 1:
            raise _several_found(identifier)
        return subject

    def find_named(self, request_no: int) -> str:
        """Return an identifier of the one person whom a request names.

        Raises:
            ParcoursError: ``nobody_found``; ``another_person`` when its identifiers are several people's …
        """
        identifiers, known = self._requests.identifiers_of(request_no), dict[int, str]()
        for identifier in identifiers:
            try:
                known.setdefault(int(self.find(identifier).profile_ids[0]), identifier)
            except ParcoursError as error:
                if error.code not in NOBODY_THERE:
                    raise
        if len(known) > 1:
            raise _another_person(request_no)
        return next(iter(known.values()), next(iter(identifiers), ""))

    def expect(self, request_no: int, kind: Kind, identifier: str) -> None:
        """Raise unless a request is open, of this kind and checked, and names whoever has ``identifier``.

        Raises:
            ParcoursError: As `Requests.expect_checked` and `find`; ``person_not_asking`` when it names somebody else.
        """
        self._expect(request_no, kind, self.find(identifier))

    def preview(self, identifier: str, destinations: Sequence[Destination] = (), *, unmasked: bool = False) -> Preview:
        """Return what an erasure of whoever has ``identifier`` would do, identifiers masked unless ``unmasked``.

        Errors as in `find`; ``erasure_unfinished`` when that person's has begun, ``part_damaged`` …
        """
        if (pending := self._find_pending(identifier)) is not None:
            raise not_finished(pending.erasure_no)
        subject = self.find(identifier)
        with self._manifest.lease():
            parts = self._manifest.parts()
            asked = np.concatenate((subject.pseudonyms, subject.shared, subject.refused))
            counts = count_events(self._folder, parts, np.unique(asked))
        events: dict[str, int] = {}
        for (pseudonym, source), count in counts.items():
            if pseudonym in subject.pseudonyms:
                events[source] = events.get(source, 0) + count
        edges = Edges(self._state, self._keys).read()
        mine = np.isin(edges[:, 1:], subject.pseudonyms)
        proofs, _ = self._ledger.find_proofs(subject.pseudonyms)
        return Preview(
            profile=f"{int(subject.profile_ids[0]):016x}",
            identifiers=self._list(subject.pseudonyms, counts, unmasked),
            shared=self._list(subject.shared, counts, unmasked),
            refused=self._list(subject.refused, counts, unmasked),
            events=events,
            beside=len(np.unique(edges[mine[:, 1] & ~mine[:, 0], 0])),
            retained=(*(rule.id for rule in self._blueprint.retained), *([CONSENT_PROOF] if proofs else [])),
            recipients=tuple(one.destination for one in destinations),
            event_no=subject.event_no,
        )

    def begin(self, identifier: str, actor: str, request_no: int = 0) -> int:
        """Erase whoever has ``identifier``: from the return of this on nothing shows them; give the erasure's number.

        The rest is `carry_out`'s. Whoever is being erased already keeps their number. Errors as in `find`, and where
        it answers a request as in `expect`.
        """
        if (pending := self._find_pending(identifier)) is not None:
            return pending.erasure_no
        subject = self.find(identifier)
        if request_no:
            self._expect(request_no, "erasure", subject)
        body = Body(
            pseudonyms=subject.pseudonyms.tolist(),
            kinds=subject.kinds(),
            shared=len(subject.shared),
            event_no=subject.event_no,
        )
        with self._state.transaction():
            # Another process may have been faster.
            if (pending := self._find_pending(identifier)) is not None:
                return pending.erasure_no
            # First: without this person's edges a shared device would become the own one of whoever remains.
            SharedDevices(self._state, self._keys).note(subject.shared, subject.event_no)
            number = self._erasures.begin(body, actor, request_no)
            now_ms = time.time_ns() // 1_000_000
            until_ms = now_ms + self._settings.rights.tombstone_days * DAY_MS
            self._tombstones.put(subject.pseudonyms, number, now_ms, until_ms)
            if request_no:
                self._requests.start(request_no, actor, number)
        # Pages that were made before are made anew.
        (self._folder / ".parcours" / MARK).write_text(str(number), "ascii")
        return number

    def carry_out(self, number: int, around: Around, actor: str, progress: Progress) -> Receipt:
        """Go on with an erasure until it is proved; return its receipt. It may be cut short and called again.

        Raises:
            ParcoursError: ``erasure_not_proved``, ``already_running``, ``disk_full``, ``part_damaged`` …
        """
        with company_lock(self._folder, PATIENCE_S):
            erasing = Erasing(
                self._folder,
                self._blueprint,
                self._settings,
                self._spelling,
                self._manifest,
                self._state,
                self._keys,
                self._ledger,
                self._requests,
                around,
                progress,
            )
            receipt = read_receipt(erasing.run(number), self._keys)
            self._close_request(receipt.request_no, actor)
        return receipt

    def is_erased(self, identifiers: Mapping[str, str]) -> bool:
        """Return whether any of somebody's identifiers (`user`, `mail`, `phone`, `device`) is erased at present."""
        return bool(self._tombstones.covers(self._identities.pseudonyms_by_kind(identifiers)).any())

    def unfinished(self) -> tuple[Erasure, ...]:
        """Return the erasures that were begun and are not proved."""
        return self._erasures.unfinished()

    def is_erasing(self) -> bool:
        """Return whether an erasure is under way: what was derived before is then not to be believed."""
        return self._erasures.is_under_way()

    def compile(
        self, identifier: str, scope: Scope, allowed: dict[str, bool], destinations: Sequence[Destination] = ()
    ) -> Dossier:
        """Return what is held of whoever has ``identifier``, for them: everything, or what they provided.

        ``allowed`` says by purpose whether it may see them now. Errors as in `find`, ``part_damaged`` …
        """
        subject = self.find(identifier)
        with self._manifest.lease():
            return compile_dossier(
                scope,
                self._folder,
                self._blueprint,
                self._manifest.parts(),
                subject,
                self._state,
                self._vault,
                Personal(self._state, self._keys),
                allowed,
                destinations,
            )

    def receipt(self, number: int) -> bytes:
        """Return the signed receipt of an erasure. Raises ``unknown_erasure`` or ``erasure_unfinished``."""
        if not (one := self._erasures.find(number)).is_done:
            raise not_finished(number)
        return one.receipt

    def check_receipt(self, document: bytes) -> Receipt:
        """Return what a receipt of this company says. Raises ``receipt_altered`` … (see `read_receipt`)."""
        return read_receipt(document, self._keys)

    def deliveries(self, receipt: Receipt) -> dict[str, str]:
        """Return what became of telling each recipient of an erasure: ``delivered``, ``refused`` or ``waiting``."""
        return tell_deliveries(OutboxTable(self._manifest.database), receipt.erasure_no, receipt.recipients)

    def tell_recipients(
        self,
        matter: Matter,
        request_no: int,
        identifier: str,
        destinations: Sequence[Destination],
        more: Mapping[str, str] | None = None,
    ) -> tuple[str, ...]:
        """Queue a notice of a rectification or restriction for each recipient of somebody's events; return which."""
        subject = self.find(identifier)
        with self._manifest.lease():
            rows = read_rows(self._folder, self._manifest.parts(), subject.pseudonyms)
        told = sorted(find_recipients(rows, destinations, self._blueprint, self._state))
        names: dict[str, list[str]] = {}
        for pseudonym, kind in zip(subject.pseudonyms.tolist(), types_of(subject.pseudonyms).tolist(), strict=True):
            if value := self._vault.read_identifier(pseudonym):
                names.setdefault(IDENTIFIERS[kind], []).append(value)
        queue_notices(OutboxTable(self._manifest.database), self._keys, matter, request_no, told, names, more)
        return tuple(told)

    def warnings(self) -> tuple[Words, ...]:
        """Return a sentence for each erasure that was cut short."""
        return tuple(_tell_unfinished(one) for one in self.unfinished())

    def _expect(self, request_no: int, kind: Kind, subject: Subject) -> None:
        self._requests.expect_checked(request_no, kind)
        asking = [self._identities.pseudonyms_of(one) for one in self._requests.identifiers_of(request_no)]
        if not any(np.isin(one, subject.pseudonyms).any() for one in asking):
            raise _not_asking(request_no)

    def _find_pending(self, identifier: str) -> Erasure | None:
        asked = self._identities.pseudonyms_of(identifier)
        stones = {stone.erasure_no for stone in self._tombstones.find(asked) if not stone.done}
        return next((one for one in self.unfinished() if one.erasure_no in stones), None)

    def _list(self, pseudonyms: Numbers, counts: dict[tuple[int, str], int], unmasked: bool) -> tuple[Held, ...]:
        kinds = types_of(pseudonyms).tolist()
        return tuple(
            Held(
                IDENTIFIERS[kind],
                self._identities.show([pseudonym], unmasked)[0] or None,
                sum(count for (subject, _), count in counts.items() if subject == pseudonym),
            )
            for pseudonym, kind in zip(pseudonyms.tolist(), kinds, strict=True)
        )

    def _close_request(self, number: int, actor: str) -> None:
        if number and self._requests.find(number).is_open:
            self._requests.close(number, "done", actor)


def around(
    take_over: Callable[[], object], publish: Callable[[], object], destinations: Sequence[Destination]
) -> Around:
    """Return the steps before and after an erasure."""
    return Around(take_over, publish, destinations)


def _another_person(number: int) -> ParcoursError:
    return ParcoursError(
        "another_person",
        Words(
            fr=f"Les identifiants de la demande n° {number} sont ceux de plusieurs personnes.",
            en=f"The identifiers of request no. {number} are several people's.",
        ),
        Words(
            fr="Vérifiez qui demande, puis répondez en nommant la personne, avec --request N.",
            en="Check who asks, then answer by naming the person, with --request N.",
        ),
    )


def _not_asking(number: int) -> ParcoursError:
    return ParcoursError(
        "person_not_asking",
        Words(
            fr=f"La demande n° {number} ne nomme pas cette personne.",
            en=f"Request no. {number} does not name this person.",
        ),
        Words(
            fr="Donnez le numéro d'une demande de cette personne, ou entrez-en une : parcours requests DIR add …",
            en="Give the number of a request of this person, or enter one: parcours requests DIR add …",
        ),
    )


def _several_found(identifier: str) -> ParcoursError:
    return ParcoursError(
        "several_found",
        Words(
            fr=f"« {identifier} » désigne plusieurs personnes, selon que c'est un compte, un téléphone ou un appareil.",
            en=f"“{identifier}” names several people, depending on whether it is an account, a phone or a device.",
        ),
        Words(
            fr="Écrivez son type : user:…, mail:…, phone:… ou device:….",
            en="Write its type: user:…, mail:…, phone:… or device:….",
        ),
    )


def _tell_unfinished(one: Erasure) -> Words:
    return Words(
        fr=f"L'effacement n° {one.erasure_no} a été interrompu : plus rien ne montre cette personne, mais il reste à "
        "le finir. Lancez parcours forget DIR resume.",
        en=f"Erasure no. {one.erasure_no} was cut short: nothing shows this person any more, but it is still to be "
        "finished. Run parcours forget DIR resume.",
    )
