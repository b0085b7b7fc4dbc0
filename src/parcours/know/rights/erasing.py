"""An erasure, step by step: each may be cut short at any moment and done again, and the last one proves them all."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Blueprint
from parcours.collect.connectors.destinations import Destination
from parcours.collect.door import IDENTIFIERS
from parcours.collect.journal.sealing import HOUR_MS
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.retiring import remove_retired, sweep
from parcours.engine.store.rewriting import leave_out
from parcours.engine.store.sqlite import Database, open_database, was_made
from parcours.engine.store.tables import POINTER, Tables
from parcours.errors import ParcoursError
from parcours.know.audience.door import number_visitors
from parcours.know.audience.store import DATABASE, AudienceStore
from parcours.know.consent.ledger import Ledger
from parcours.know.identities import PROFILE_KEY
from parcours.know.identity.acts import Acts
from parcours.know.identity.edges import Edges
from parcours.know.identity.identifiers import Spelling
from parcours.know.identity.people import ProfileIds
from parcours.know.identity.renaming import Renamed
from parcours.know.identity.scored import Scored
from parcours.know.identity.shared import SharedDevices
from parcours.know.keys import Keys
from parcours.know.personal import Personal
from parcours.know.pseudonyms import Numbers, buckets_of, types_of
from parcours.know.rights.copies import forget_aside, forget_parcels, forget_quarantined
from parcours.know.rights.erasures import Body, Erasure, Erasures
from parcours.know.rights.notices import find_recipients, queue_notices
from parcours.know.rights.proof import Prover
from parcours.know.rights.receipts import CONSENT_PROOF, Backup, Kept, Proof, Receipt, sign_receipt
from parcours.know.rights.registers import GoneRows, forget_known, forget_seen, only
from parcours.know.rights.requests import Requests
from parcours.know.rights.retained import RetainedRows, choose_retained
from parcours.know.rights.sought import Sought
from parcours.know.rights.tombstones import Tombstones
from parcours.know.vault import Vault
from parcours.progress import Progress
from parcours.settings import Settings
from parcours.words import Words

RESULTS = "results"
DAY_MS = 86_400_000
MOST_ATTEMPTS = 3
PATIENCE_S = 5.0
"""How long a reader may go on with what was derived before: then the files are taken from under it."""


class Around(msgspec.Struct, frozen=True):
    """What an erasure needs of the steps before and after this one.

    Attributes:
        take_over: Takes over what waits in the journal; what the person sent last is discarded at the door.
        publish: Derives and measures anew what had counted the person.
        destinations: Where events go out to, and for which purposes.
    """

    take_over: Callable[[], object]
    publish: Callable[[], object]
    destinations: Sequence[Destination]


class Erasing:
    """One erasure being carried out; the caller holds the company lock.

    Args:
        folder: The company folder.
        blueprint, settings, spelling: What it declares.
        manifest, state, keys, ledger, requests: What it keeps.
        around: The steps before and after.
        progress: Hears of each step.
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
        requests: Requests,
        around: Around,
        progress: Progress,
    ) -> None:
        self._folder, self._root = folder, folder / ".parcours"
        self._blueprint, self._settings, self._spelling = blueprint, settings, spelling
        self._manifest, self._state, self._keys, self._ledger = manifest, state, keys, ledger
        self._requests, self._around, self._progress = requests, around, progress
        self._vault, self._tables = Vault(state, keys), Tables(folder)
        self._erasures, self._retained = Erasures(state, keys), RetainedRows(state, keys)
        self._tombstones = Tombstones(state, keys)
        self._attempts = 0

    def run(self, number: int) -> bytes:
        """Go on with erasure ``number`` until it is done; return its signed receipt.

        Raises:
            ParcoursError: whatever stands in the way; the next attempt goes on from there.
        """
        steps: dict[str, tuple[Words, Callable[[Erasure, Body], None]]] = {
            "marked": (Words(fr="Événements", en="Events"), self._part),
            "parted": (Words(fr="Copies et destinataires", en="Copies and recipients"), self._tell),
            "told": (Words(fr="Clés et identifiants", en="Keys and identifiers"), self._forget),
            "forgotten": (Words(fr="Registres et dérivés", en="Registers and derived tables"), self._clear),
            "cleared": (Words(fr="Preuve", en="Proof"), self._prove),
        }
        # What the person sent last is discarded at the door, before anything is looked for.
        self._around.take_over()
        while not (one := self._erasures.find(number)).is_done:
            assert one.body is not None  # noqa: S101
            label, step = steps[one.step]
            self._progress.begin(label)
            step(one, one.body)
            self._progress.end()
        return one.receipt

    def _part(self, one: Erasure, body: Body) -> None:
        """Write parts anew without the person's rows, and note first what must be known of these."""
        sweep(self._folder, self._manifest)
        sought, rows = only(np.array(body.pseudonyms, np.int64)), list[dict[str, Any]]()
        buckets = set(buckets_of(np.array(body.pseudonyms, np.int64)).tolist())
        parts = [part for part in self._manifest.parts() if part.bucket in buckets]
        written = leave_out(
            self._folder,
            parts,
            ["subject"],
            lambda table: sought(np.asarray(table.column("subject").fill_null(-1))),
            lambda table: rows.extend(table.to_pylist()),
        )
        if rows:
            self._note_rows(one, body, rows)
            self._manifest.commit(add=written.add, remove=[part.path for part in written.remove])
        body.parted_ms = time.time_ns() // 1_000_000
        self._erasures.advance(one.erasure_no, "parted", body)

    def _note_rows(self, one: Erasure, body: Body, rows: list[dict[str, Any]]) -> None:
        names = {number: value for number in body.pseudonyms if (value := self._vault.read_identifier(number))}
        retained = list(choose_retained(self._blueprint, rows, names, one.asked_ms))
        for source in {row["source"] for row in rows}:
            keys = {row["row_key"] for row in rows if row["source"] == source}
            body.row_keys[source] = sorted(keys.union(body.row_keys.get(source, ())))
        found = find_recipients(rows, self._around.destinations, self._blueprint, self._state)
        body.recipients = sorted({*body.recipients, *found})
        add_up(body.gone, Counter(f"events {row['source']}" for row in rows))
        # On disk before the rows leave: whoever goes on after a crash finds them no more.
        with self._state.transaction():
            self._retained.replace(one.erasure_no, retained)
            self._erasures.advance(one.erasure_no, "marked", body)

    def _tell(self, one: Erasure, body: Body) -> None:
        """Take copies out of quarantine and queues, and tell recipients while it is known who the person is."""
        sought = self._sought(body)
        add_up(
            body.gone,
            {
                "quarantine": forget_aside(self._manifest, self._keys, sought),
                "quarantine of files": forget_quarantined(self._manifest, self._keys, sought),
                "outbox": forget_parcels(self._manifest, self._keys, sought),
            },
        )
        names: dict[str, list[str]] = {}
        for pseudonym, kind in zip(body.pseudonyms, types_of(np.array(body.pseudonyms, np.int64)), strict=True):
            if value := self._vault.read_identifier(pseudonym):
                names.setdefault(IDENTIFIERS[int(kind)], []).append(value)
        self._forget_visits(body, names.get("device", []))
        outbox = OutboxTable(self._manifest.database)
        queue_notices(outbox, self._keys, "erasure", one.erasure_no, body.recipients, names)
        self._erasures.advance(one.erasure_no, "told", body)

    def _forget_visits(self, body: Body, devices: Iterable[str]) -> None:
        """Note by which other numbers the person is known, and leave their views in the audience space nobody's."""
        profiles = self._profiles(body)
        visitors = number_visitors(devices, self._keys)
        body.others = sorted({*body.others, *profiles.tolist(), *visitors})
        if visitors and was_made(self._root / DATABASE):
            store = AudienceStore(self._root)
            try:
                add_up(body.gone, {"visits": store.forget_visitors(np.array(visitors, np.int64))})
            finally:
                store.close()

    def _profiles(self, body: Body) -> Numbers:
        return ProfileIds(self._keys.derive(PROFILE_KEY)).all(np.array(body.pseudonyms, np.int64))

    def _forget(self, one: Erasure, body: Body) -> None:
        """Destroy keys, then what they sealed, edges, choices and acts."""
        whom = np.array(body.pseudonyms, np.int64)
        self._keys.destroy(body.pseudonyms)
        with self._state.transaction():
            rows, texts = self._vault.erase(body.pseudonyms)
            counts = {
                "identifiers": rows,
                "texts": texts,
                "personal values": Personal(self._state, self._keys).forget(body.pseudonyms),
                "edges": Edges(self._state, self._keys).erase(whom),
                "choices": self._ledger.erase(whom),
                "restrictions": self._ledger.restrictions.forget(whom),
                "scored pairs": Scored(self._state, self._keys).forget(whom),
                "acts": Acts(self._state, self._keys).forget(whom, self._profiles(body)),
                "shared devices": SharedDevices(self._state, self._keys).forget(whom),
            }
            Renamed(self._state, self._keys).forget(whom)
            self._requests.forget_subjects(self._find_requests(one, body))
            add_up(body.gone, counts)
            self._erasures.advance(one.erasure_no, "forgotten", body)

    def _find_requests(self, one: Erasure, body: Body) -> list[int]:
        """Return the requests that name the person; that they asked, and what was answered, stays."""
        sought = self._sought(body)
        named = []
        for request in self._requests.list_requests():
            values = (text.partition(":")[2] or text for text in self._requests.identifiers_of(request.number))
            if request.number == one.request_no or sought.in_json({"userId": [*values]}):
                named.append(request.number)
        return named

    def _clear(self, one: Erasure, body: Body) -> None:
        """Take the rows out of the registers, and derive anew whatever had counted them."""
        rows = GoneRows(body.row_keys)
        add_up(
            body.gone,
            {
                "known rows": forget_known(self._folder, self._manifest, rows),
                "seen messages": forget_seen(self._folder, self._manifest, rows),
            },
        )
        for path in (self._tables.folder / RESULTS).glob("[!_]*"):
            # Groups of a day stay as they are: to count them anew at once would tell who has gone.
            if not path.is_dir():
                path.unlink(missing_ok=True)
        self._around.publish()
        self._drop_stale(body.parted_ms)
        sweep(self._folder, self._manifest)
        for database in (self._state, self._manifest.database):
            database.truncate_log()
        self._erasures.advance(one.erasure_no, "cleared", body)

    def _drop_stale(self, since_ms: int) -> None:
        """Remove every derived table that was not made since, and what of the others is in force no more."""
        for home in sorted(self._tables.folder.iterdir()) if self._tables.folder.is_dir() else ():
            if not home.is_dir() or home.name == RESULTS:
                continue
            pointer = home / POINTER
            if not pointer.exists() or pointer.stat().st_mtime_ns // 1_000_000 < since_ms:
                self._tables.drop(home.name)
        until = time.monotonic() + PATIENCE_S
        while old := self._list_superseded(since_ms):
            for name in self._tables.names():
                self._tables.sweep(name)
            if time.monotonic() > until:
                for path in old:
                    shutil.rmtree(path, ignore_errors=True)
            time.sleep(0.1)

    def _list_superseded(self, since_ms: int) -> list[Path]:
        """Return versions that are in force no more and may have counted the person; what is being made has not."""
        found = []
        for path in (path for name in self._tables.names() for path in self._tables.superseded(name)):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime_ns // 1_000_000 < since_ms:
                    found.append(path)
        return found

    def _prove(self, one: Erasure, body: Body) -> None:
        """Read everything, and sign what was found."""
        self._wait_for_readers()
        proof = self._read_everything(body)
        if proof.found:
            # A reader of before may have put back what it had derived, or a bad event come in: all is done again.
            self._erasures.advance(one.erasure_no, "marked", body)
            self._attempts += 1
            if self._attempts >= MOST_ATTEMPTS:
                raise _not_proved(one.erasure_no, proof)
            return
        done_ms = time.time_ns() // 1_000_000
        with self._state.transaction():
            receipt = self._write_receipt(one, body, proof, done_ms)
            self._erasures.finish(one.erasure_no, sign_receipt(receipt, self._keys), done_ms)
            self._tombstones.finish(one.erasure_no)
        self._state.truncate_log()

    def _wait_for_readers(self) -> None:
        """Delete the old files of parts once nobody reads them; a reader that takes too long loses them."""
        until = time.monotonic() + PATIENCE_S
        while remove_retired(self._folder, self._manifest):
            if time.monotonic() > until:
                for file in self._manifest.retired():
                    (self._root / file.path).unlink(missing_ok=True)
                self._manifest.forget_retired(file.path for file in self._manifest.retired())
                return
            time.sleep(0.1)

    def _read_everything(self, body: Body) -> Proof:
        total = sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file())
        self._progress.begin(Words(fr="Preuve", en="Proof"), total)
        rows = GoneRows(body.row_keys)
        sought = self._sought(body)
        prover = Prover(self._folder, self._manifest, self._state, self._keys, sought, rows, self._progress.advance)
        names = [path.name for path in sorted(self._root.glob("*.db")) if path.name not in ("journal.db", "state.db")]
        others = {name: open_database(self._root / name) for name in names}
        try:
            return prover.run(others, Journal(self._manifest.database).taken())
        finally:
            for database in others.values():
                database.close()
            pa.default_memory_pool().release_unused()

    def _sought(self, body: Body) -> Sought:
        return Sought(np.array([*body.pseudonyms, *body.others], np.int64), self._keys.pseudonyms, self._spelling)

    def _tell_proofs(self, body: Body) -> tuple[Kept, ...]:
        count, until_ms = self._ledger.proofs.held(body.pseudonyms)
        return (Kept(CONSENT_PROOF, "legal_claims", count, until_ms),) if count else ()

    def _write_receipt(self, one: Erasure, body: Body, proof: Proof, done_ms: int) -> Receipt:
        rights = self._settings.rights
        return Receipt(
            company=self._blueprint.company.id,
            erasure_no=one.erasure_no,
            request_no=one.request_no,
            actor=one.actor,
            asked_ms=one.asked_ms,
            done_ms=done_ms,
            event_no=body.event_no,
            identifiers=body.kinds,
            shared_devices=body.shared,
            gone={name: count for name, count in sorted(body.gone.items()) if count},
            retained=(*self._retained.tell(one.erasure_no), *self._tell_proofs(body)),
            recipients=tuple(body.recipients),
            proof=proof,
            backups=(
                Backup(KEYS, done_ms + rights.backup_days * DAY_MS),
                Backup(FILES, done_ms + rights.backup_days * DAY_MS),
                Backup(JOURNAL, (done_ms // HOUR_MS + 3) * HOUR_MS),
            ),
            tombstones_until_ms=one.asked_ms + rights.tombstone_days * DAY_MS,
        )


def add_up(counts: dict[str, int], more: Mapping[str, int]) -> None:
    """Add ``more`` to ``counts``, name by name."""
    for name, count in more.items():
        counts[name] = counts.get(name, 0) + count


def _not_proved(number: int, proof: Proof) -> ParcoursError:
    places = ", ".join(f"{place} ({count})" for place, count in proof.found.items())
    return ParcoursError(
        "erasure_not_proved",
        Words(
            fr=f"L'effacement n° {number} n'est pas prouvé : il reste quelque chose dans {places}.",
            en=f"Erasure no. {number} is not proved: something is left in {places}.",
        ),
        Words(
            fr="Plus rien ne montre cette personne. Relancez parcours forget DIR resume ; sinon, parcours verify.",
            en="Nothing shows this person any more. Run parcours forget DIR resume again; else parcours verify.",
        ),
    )


KEYS = Words(
    fr="Sauvegardes de keys.db : elles gardent les clés détruites. Jusque-là, ne rétablissez que la dernière.",
    en="Backups of keys.db: they still hold the destroyed keys. Until then restore the latest one alone.",
)
FILES = Words(
    fr="Sauvegardes du reste de .parcours : des événements sous pseudonymes, que plus aucune clé ne rattache à "
    "quelqu'un quand celles de keys.db ont expiré.",
    en="Backups of the rest of .parcours: events under pseudonyms, which no key ties to anybody once those of keys.db "
    "have expired.",
)
JOURNAL = Words(
    fr="Copies brutes du journal : leur clé d'heure est détruite à ce moment au plus tard.",
    en="Raw copies of the journal: the key of their hour is destroyed by then at the latest.",
)
