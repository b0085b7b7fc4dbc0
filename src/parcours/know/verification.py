"""Everything that is kept, read from the first byte to the last: what is damaged, and how each thing is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from parcours.collect.compaction.seen_files import OpenRun, seen_damaged
from parcours.collect.known import known_damaged, open_known
from parcours.collect.survey.register import FILE as SURVEYS
from parcours.collect.survey.register import Register
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.digests import is_intact
from parcours.engine.store.journal import Journal
from parcours.engine.store.leases import LEASES
from parcours.engine.store.lock import COMPANY, SERVING
from parcours.engine.store.lost import LostBatches
from parcours.engine.store.manifest import KnownRows, Manifest, SeenRun
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.parts import Part, part_damaged
from parcours.engine.store.receipts import Receipts
from parcours.engine.store.retiring import PLACES, find_strays
from parcours.engine.store.sqlite import MADE, open_database, was_made
from parcours.engine.store.tables import POINTER, Tables
from parcours.engine.store.verifying import verify_part, verify_structure
from parcours.engine.store.write_keys import WriteKeys
from parcours.errors import Fault, ParcoursError
from parcours.know.access.store import FILE as ACCESS
from parcours.know.access.store import open_access, tables_of
from parcours.know.audience.store import DATABASE as AUDIENCE_DATABASE
from parcours.know.audience.store import FOLDER as AUDIENCE_FOLDER
from parcours.know.audience.store import AudienceStore
from parcours.know.audit.checking import check_log
from parcours.know.audit.entries import FILE as AUDIT
from parcours.know.audit.entries import LogTables
from parcours.know.consent.ledger import Ledger
from parcours.know.gate.versions import versions_of
from parcours.know.identity.acts import Acts
from parcours.know.identity.edges import Edges
from parcours.know.identity.renaming import Renamed
from parcours.know.identity.scored import Scored
from parcours.know.identity.shared import SharedDevices
from parcours.know.keys import Keys, open_keys
from parcours.know.linking.models import models_of
from parcours.know.minimising.masked import masked_of
from parcours.know.moments import compare_moments
from parcours.know.personal import Personal
from parcours.know.pseudonyms import buckets_of
from parcours.know.rights.callbacks import Callbacks
from parcours.know.rights.dsr_keys import DsrKeys
from parcours.know.rights.erasures import Erasures
from parcours.know.rights.requests import Requests
from parcours.know.rights.retained import RetainedRows
from parcours.know.rights.tombstones import Tombstones
from parcours.know.state import numbers_of, open_state
from parcours.know.vault import Vault
from parcours.progress import Progress
from parcours.settings import Settings
from parcours.words import Words

RESULTS = "results"
"""The folder of kept results beside the derived tables: they check themselves."""

_PLAIN = {COMPANY, SERVING, "erasing", "master.key", MADE, LEASES, "tables", AUDIENCE_FOLDER, *PLACES}


class Verified(msgspec.Struct, frozen=True):
    """What was read, and every fault that was found: damage as errors, what merely lies about as warnings."""

    files: int
    bytes: int
    faults: tuple[Fault, ...]


def verify(folder: Path, settings: Settings, progress: Progress) -> Verified:
    """Read all of ``.parcours`` and return what is damaged and how to mend it; nothing is changed.

    Databases that others have open are read as of one moment each, and files under a lease, so that a company may be
    verified while it is served.
    """
    return _Verification(folder, settings, progress).run()


class _Verification:
    def __init__(self, folder: Path, settings: Settings, progress: Progress) -> None:
        self._folder, self._settings, self._progress = folder, settings, progress
        self._root = folder / ".parcours"
        self._faults: list[Fault] = []
        self._read: set[Path] = set()
        self._bytes = 0

    def run(self) -> Verified:
        """Read everything, databases first: they say what the files should be."""
        total = sum(path.stat().st_size for path in self._root.rglob("*") if path.is_file())
        self._progress.begin(Words(fr="Vérification", en="Verification"), total)
        keys = self._verify_keys()
        self._verify_state(keys)
        self._verify_surveys(keys)
        self._verify_audit(keys)
        self._verify_access()
        self._verify_journal()
        self._verify_audience()
        self._verify_others()
        self._verify_tables()
        self._find_strangers()
        if keys is not None:
            keys.close()
        self._progress.end()
        return Verified(len(self._read), self._bytes, tuple(self._faults))

    @contextmanager
    def _telling(self, *files: Path) -> Iterator[None]:
        """Count ``files`` as read, and keep whatever is raised while they are."""
        try:
            yield
        except ParcoursError as error:
            self._tell(error)
        for file in files:
            self._note(file)

    def _tell(self, *errors: ParcoursError) -> None:
        for error in errors:
            self._faults += [fault for fault in error.faults if fault not in self._faults]

    def _note(self, file: Path) -> None:
        if file not in self._read and file.is_file():
            self._read.add(file)
            size = file.stat().st_size
            self._bytes += size
            self._progress.advance(size)

    def _database(self, name: str) -> Path | None:
        """Return where the database ``name`` is; nothing when it never was."""
        path = self._root / name
        return path if was_made(path) else None

    def _verify_keys(self) -> Keys | None:
        path = self._database("keys.db")
        if path is None:
            return None
        with self._telling(path, *_logs(path)):
            database = open_database(path)
            self._tell(*verify_structure(database))
            database.close()
            keys, _ = open_keys(self._folder, self._settings)
            self._tell(*keys.verify())
            return keys
        return None

    def _verify_state(self, keys: Keys | None) -> None:
        path = self._database("state.db")
        if path is None:
            return
        with self._telling(path, *_logs(path)):
            state = open_state(self._folder)
            self._tell(*verify_structure(state))
            self._try(numbers_of(state).verify)
            self._try(versions_of(state).verify)
            self._try(masked_of(state).verify)
            self._try(models_of(state).verify)
            if keys is not None:
                vault = Vault(state, keys)
                for part in (
                    vault,
                    Personal(state, keys),
                    Ledger(state, keys),
                    Edges(state, keys),
                    Acts(state, keys),
                    SharedDevices(state, keys),
                    Renamed(state, keys),
                    Scored(state, keys),
                    Tombstones(state, keys),
                    Requests(state, keys, self._settings.time_zone),
                    Erasures(state, keys),
                    RetainedRows(state, keys),
                    DsrKeys(state, keys),
                    Callbacks(state, keys),
                ):
                    self._try(part.verify)
                with self._telling():
                    if count := vault.count_keyless():
                        self._faults.append(_keyless(path, count))
            state.close()

    def _verify_surveys(self, keys: Keys | None) -> None:
        path = self._database(SURVEYS)
        if path is None or keys is None:
            return
        with self._telling(path, *_logs(path)):
            register = Register(self._folder, keys.derive("surveys"))
            self._faults += [_answer_damaged(path, name) for name in register.find_damaged()]
            register.close()

    def _verify_access(self) -> None:
        path = self._database(ACCESS)
        if path is None:
            return
        with self._telling(path, *_logs(path)):
            access = open_access(self._folder)
            self._tell(*verify_structure(access))
            for table in tables_of(access):
                self._try(table.verify)
            access.close()

    def _verify_audit(self, keys: Keys | None) -> None:
        path = self._database(AUDIT)
        if path is None or keys is None:
            return
        with self._telling(path, *_logs(path)):
            tables = LogTables(self._folder, keys.derive("audit"))
            self._tell(*verify_structure(tables.database))
            with tables.database.snapshot():
                self._try(lambda: check_log(tables))
            tables.database.close()

    def _verify_journal(self) -> None:
        path = self._database("journal.db")
        if path is None:
            return
        manifest = None
        with self._telling(path, *_logs(path)):
            manifest = Manifest(self._folder)
            self._tell(*verify_structure(manifest.database))
            arrivals, outbox = Arrivals(manifest.database), OutboxTable(manifest.database)
            receipts = Receipts(manifest.database)
            write_keys = WriteKeys(manifest.database)
            others = [arrivals.counts, arrivals.moments, outbox.counts, outbox.answers, receipts.table, receipts.due]
            others += [write_keys.table, write_keys.terms, write_keys.uses]
            for table in (*manifest.tables(), *others):
                self._try(table.verify)
            lost = LostBatches(manifest.database)
            for part in (Journal(manifest.database), lost, AsideEvents(manifest.database), outbox):
                with manifest.database.snapshot():
                    self._try(part.verify)
        if manifest is not None:
            with self._telling():
                if self._database("state.db"):
                    compare_moments(manifest, open_state(self._folder))
            with self._telling(), manifest.lease():
                self._verify_files(manifest)
            manifest.close()

    def _verify_files(self, manifest: Manifest) -> None:
        checks: tuple[tuple[Callable[[], Iterable[Part | SeenRun | KnownRows]], Callable[..., None]], ...] = (
            (manifest.parts, self._verify_part),
            (manifest.seen_runs, self._verify_seen),
            (manifest.registers, self._verify_register),
        )
        for listed, check in checks:
            # A list that cannot be believed has been told of already.
            with self._telling():
                for file in listed():
                    with self._telling(self._root / file.path):
                        check(file)
        with self._telling():
            self._faults += [_stray(path) for path in find_strays(self._folder, manifest)]
        for place in PLACES:
            for path in sorted((self._root / place).rglob("*")) if (self._root / place).is_dir() else ():
                self._note(path)

    def _verify_part(self, part: Part) -> None:
        if not verify_part(self._folder, part, buckets_of):
            raise part_damaged(self._root / part.path)

    def _verify_seen(self, run: SeenRun) -> None:
        path = self._root / run.path
        if not is_intact(path, run.bytes, run.sha256, again=True) or not OpenRun(self._folder, run).is_sound():
            raise seen_damaged(path)

    def _verify_register(self, register: KnownRows) -> None:
        known = open_known(self._folder, register)
        if not (known.keys[1:] > known.keys[:-1]).all():
            raise known_damaged(self._root / register.path, register.source)

    def _verify_audience(self) -> None:
        path = self._database(AUDIENCE_DATABASE)
        if path is None:
            return
        with self._telling(path, *_logs(path)):
            store = AudienceStore(self._root)
            self._tell(*verify_structure(store.database))
            self._try(store.verify)
            store.close()
        for file in sorted((self._root / AUDIENCE_FOLDER).glob("*")):
            self._note(file)

    def _verify_others(self) -> None:
        """Read the structure of databases that others keep here."""
        for path in sorted(self._root.glob("*.db")):
            if path not in self._read:
                with self._telling(path, *_logs(path)):
                    database = open_database(path)
                    self._tell(*verify_structure(database))
                    database.close()

    def _verify_tables(self) -> None:
        tables = Tables(self._folder)
        for home in sorted(tables.folder.iterdir()) if tables.folder.is_dir() else ():
            if home.name == RESULTS or not home.is_dir():
                continue
            if not (home / POINTER).exists():
                # A crash before it was whole for the first time: nobody ever read it.
                self._faults.append(_stray(home))
            elif not tables.is_intact(home.name):
                self._faults.append(_table_damaged(home))
            for path in sorted(home.rglob("*")):
                self._note(path)

    def _find_strangers(self) -> None:
        for path in sorted(self._root.iterdir()) if self._root.is_dir() else ():
            if path.name in _PLAIN or path in self._read or path.suffix == ".sock":
                for inner in (path, *(path.rglob("*") if path.name in (MADE, LEASES) else ())):
                    self._note(inner)
            elif path.name.partition(".db")[2] not in ("-wal", "-shm"):
                self._faults.append(_stray(path))

    def _try(self, check: Callable[[], Iterable[ParcoursError]]) -> None:
        """Tell what ``check`` yields, and what stops it."""
        with self._telling():
            self._tell(*check())


def _logs(path: Path) -> list[Path]:
    return [path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm")]


def _answer_damaged(path: Path, name: str) -> Fault:
    return Fault(
        "survey_register_damaged",
        Words(
            fr=f"La ligne {name} du registre des réponses a été altérée dans {path.name}.",
            en=f"Line {name} of the register of answers has been altered in {path.name}.",
        ),
        Words(
            fr="Rétablissez ce fichier depuis une sauvegarde ; déplacé, il est refait vide, et les liens déjà répondus "
            "acceptent une autre réponse.",
            en="Restore this file from a backup; moved aside it is made anew, empty, and links that have been answered "
            "take another answer.",
        ),
        str(path),
    )


def _keyless(path: Path, count: int) -> Fault:
    return Fault(
        "keys_missing",
        Words(
            fr=f"{count} identifiant(s) du coffre n'ont plus de clé : effacés, ou keys.db date d'avant state.db.",
            en=f"{count} identifier(s) of the vault have no key any more: erased, or keys.db is older than state.db.",
        ),
        Words(
            fr="Si personne n'a été effacé, rétablissez keys.db depuis sa dernière sauvegarde.",
            en="If nobody was erased, restore keys.db from its latest backup.",
        ),
        str(path),
        level="warning",
    )


def _table_damaged(home: Path) -> Fault:
    return Fault(
        "table_damaged",
        Words(
            fr=f"Les fichiers dérivés « {home.name} » sont endommagés ou incomplets.",
            en=f"The derived files “{home.name}” are damaged or incomplete.",
        ),
        Words(
            fr="Rien à rétablir : le prochain parcours run les refait.",
            en="Nothing to restore: the next parcours run makes them anew.",
        ),
        str(home),
    )


def _stray(path: Path) -> Fault:
    return Fault(
        "stray_file",
        Words(
            fr=f"{path.name} n'appartient à rien : un arrêt brutal a pu le laisser.",
            en=f"{path.name} belongs to nothing: a crash may have left it.",
        ),
        Words(
            fr="Le prochain parcours run enlève ceux de parts, known et seen ; vous pouvez supprimer les autres.",
            en="The next parcours run removes those of parts, known and seen; you may delete the others.",
        ),
        str(path),
        level="warning",
    )
