"""One source taken in: its changed files are read, compared with what is known, and committed at once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from parcours.blueprint.records import Blueprint
from parcours.collect.door import Door
from parcours.collect.drafts import Drafts
from parcours.collect.faults import file_changed
from parcours.collect.files import digest, stamp
from parcours.collect.fingerprint import mapping_fingerprint
from parcours.collect.formats import open_rows
from parcours.collect.inspection import Plan, SourceFile, wanted_columns
from parcours.collect.known import NONE_KNOWN, Known, KnownWriter, RowLog, Settlement, open_known, settle_rows
from parcours.collect.lookup import open_lookup
from parcours.collect.majority import find_majority
from parcours.collect.mapping import Mapping
from parcours.collect.notices import condition_unmet, source_warnings
from parcours.collect.quarantine import Quarantine
from parcours.collect.report import Counts, SourceReport
from parcours.collect.rows import Flags, Ints
from parcours.collect.states import carried_counts, is_unchanged
from parcours.engine.store.manifest import FileState, KnownRows, Manifest
from parcours.engine.store.parts import Part, remove_parts
from parcours.engine.store.rewriting import Rewriting, among, by, leave_out
from parcours.errors import Fault, ParcoursError
from parcours.progress import Progress

_WITHDRAW_ROWS = 100_000


class Intake:
    """The taking in of one source.

    Args:
        plan: The source and its files.
        blueprint: What is declared.
        zone: The company's time zone.
        door: Where raw events become part rows.
        manifest: The manifest, locked by the caller.
        progress: Hears of the bytes that were read.
        now_ms: The moment of the load.
    """

    def __init__(
        self,
        plan: Plan,
        blueprint: Blueprint,
        zone: str,
        door: Door,
        manifest: Manifest,
        progress: Progress,
        now_ms: int,
    ) -> None:
        self.plan, self.source = plan, plan.source.source
        self.folder, self.manifest = manifest.folder, manifest
        self.door, self.progress, self.now_ms = door, progress, now_ms
        self._blueprint, self._zone = blueprint, zone
        self._fingerprint = mapping_fingerprint(plan.source, blueprint, zone, plan.lookup, door.row_seed())
        self._states = manifest.file_states(self.source)
        self._numbers = {name: state.number for name, state in self._states.items()}
        self._read_states: dict[str, FileState] = {}
        self._quarantines: dict[str, Quarantine] = {}
        self._unmet: list[Fault] = []
        self._undeclared: dict[str, list[str]] = {}
        self._added = self._ahead = 0

    def run(self) -> SourceReport:
        """Take the source in and return what happened.

        Raises:
            ParcoursError: ``most_rows_unreadable``, ``file_unreadable``, ``file_changed``, ``disk_full`` …; the
                previous state then holds.
        """
        files = [file for file in self.plan.files if not file.empty]
        known_files = [self._states[file.name] for file in files if file.name in self._states]
        reload = any(state.mapping != self._fingerprint for state in known_files)
        changed = [file for file in files if reload or not self._is_unchanged(file)]
        counts = {file.name: carried_counts(self._states[file.name]) for file in files if file not in changed}
        duplicates = 0
        if changed:
            read, duplicates = self._take_in(changed, reload)
            counts |= read
        held = sum(part.rows for part in self.manifest.parts(self.source))
        gone = sorted(set(self._states) - {file.name for file in self.plan.files})
        warnings = source_warnings(self.plan, counts, list(self._quarantines.values()), gone, duplicates, self._ahead)
        warnings += [condition_unmet(fault) for fault in self._unmet]
        total = sum(counts.values(), Counts())
        return SourceReport(
            self.source, len(self.plan.files), len(changed), total, held, tuple(warnings), self._list_undeclared()
        )

    def _list_undeclared(self) -> tuple[str, ...]:
        """Return the columns of the files that were read which the source does not name, each once."""
        return tuple(dict.fromkeys(name for names in self._undeclared.values() for name in names))

    def _is_unchanged(self, file: SourceFile) -> bool:
        state = self._states.get(file.name)
        return state is not None and is_unchanged(file, state, self.manifest, self.now_ms)

    def _take_in(self, files: Sequence[SourceFile], reload: bool) -> tuple[dict[str, Counts], int]:
        """Read ``files`` and commit them; on any fault leave nothing behind."""
        known = open_known(self.folder, self.manifest.known_rows(self.source))
        written: list[Part] = []
        register: KnownRows | None = None
        with RowLog(self.folder) as log:
            drafts = self._drafts(NONE_KNOWN if reload else known, log)
            writer = KnownWriter(self.folder, self.source)
            try:
                for file in files:
                    self._read(file, drafts)
                drafts.finish()
                kept = self._kept(known, files) if reload else None
                if len(files) == len(self.plan.files) and not drafts.skipped:
                    self._unmet = drafts.unmet.faults(self.plan.source, self.plan.node)
                self._ahead = sum(ahead.events for ahead in drafts.ahead.values())
                settlement = settle_rows(log, known, kept, writer)
                register = settlement.known
                changes = self._replace(drafts, settlement, known, kept)
                written = changes.add
                counts = self._count(files, settlement, drafts)
                self._commit(changes, settlement, counts)
            except BaseException:
                writer.discard()
                remove_parts(self.folder, [part.path for part in (*drafts.parts, *written)])
                if register:
                    (self.folder / ".parcours" / register.path).unlink(missing_ok=True)
                raise
        return counts, settlement.duplicates

    def _drafts(self, known: Known, log: RowLog) -> Drafts:
        joined = open_lookup(self.plan.source.lookup, self.plan.lookup)
        mapping = Mapping(self.plan.source, self._blueprint, self._zone, joined, self.now_ms)
        return Drafts(
            self.folder, self.source, self.plan.key, mapping, known, self.door, self.manifest, log, self.now_ms
        )

    def _read(self, file: SourceFile, drafts: Drafts) -> None:
        """Read one file through the drafts; it must be the same file at the end."""
        before, sha256 = stamp(file.path), digest(file.path)
        quarantine = Quarantine(self.source, file.name, self.door.seal, self.now_ms)
        number = self._numbers.setdefault(file.name, max(self._numbers.values(), default=-1) + 1)
        rows = open_rows(file.path, file.format, self.plan.source.csv, tuple(self.plan.source.columns()))
        described = {*self.plan.source.columns(), *self.plan.key}
        self._undeclared[file.name] = [name for name in rows.columns if name not in described]
        seen = count = 0
        for raw in rows.batches(wanted_columns(self.plan, rows)):
            drafts.take(raw, number, quarantine)
            self.progress.advance(raw.seen - seen)
            seen, count = raw.seen, count + raw.count + len(raw.bad)
        fault = find_majority(
            self.plan.source, self.plan.node, file.name, count, quarantine.by_reason, quarantine.blames
        )
        if fault:
            raise ParcoursError.of([fault])
        if stamp(file.path) != before:
            raise file_changed(file.path)
        self._quarantines[file.name] = quarantine
        ahead = drafts.ahead.get(number)
        due = {"due_ms": ahead.due_ms} if ahead else {}
        if self._undeclared[file.name]:
            due["undeclared"] = len(self._undeclared[file.name])
        self._read_states[file.name] = FileState(
            self.source, file.name, before.size, before.mtime_ns, sha256, self._fingerprint, due, number, self.now_ms
        )

    def _kept(self, known: Known, files: Sequence[SourceFile]) -> Flags:
        """Return which known rows come from files that are not there to be read under the new mapping."""
        return ~np.isin(known.files, [self._numbers[file.name] for file in files])

    def _replace(self, drafts: Drafts, settlement: Settlement, known: Known, kept: Flags | None) -> Rewriting:
        """Take what is superseded out of the new parts, and what is replaced out of the old ones."""
        superseded = np.sort(np.concatenate([settlement.superseded, *drafts.refused]))
        new, old = Rewriting([], [], []), Rewriting([], [], [])
        if len(superseded):
            new = leave_out(self.folder, drafts.parts, ["event_no"], by("event_no", among(superseded)))
        before = self.manifest.parts(self.source)
        if kept is not None:
            stays = among(np.setdiff1d(known.keys[kept], settlement.renewed_keys))
            old = leave_out(self.folder, before, ["row_key"], by("row_key", lambda keys: ~stays(keys)))
        elif settlement.replaced:
            renewed = among(np.sort(settlement.renewed_keys))
            old = leave_out(self.folder, before, ["row_key"], by("row_key", renewed))
        remove_parts(self.folder, [part.path for part in new.remove])
        fresh = [part for part in drafts.parts if part not in new.remove] + new.add
        self._withdraw([superseded, *old.event_nos])
        self._added = sum(part.rows for part in fresh)
        return Rewriting(fresh + old.add, old.remove, [])

    def _withdraw(self, event_nos: list[Ints]) -> None:
        for numbers in event_nos:
            for start in range(0, len(numbers), _WITHDRAW_ROWS):
                self.door.withdraw(numbers[start : start + _WITHDRAW_ROWS].tolist())

    def _count(self, files: Sequence[SourceFile], settlement: Settlement, drafts: Drafts) -> dict[str, Counts]:
        counts = {}
        for file in files:
            number, aside = self._numbers[file.name], self._quarantines[file.name].count
            new, replaced = settlement.new.get(number, 0), settlement.replaced.get(number, 0)
            unchanged = settlement.unchanged.get(number, 0)
            counts[file.name] = Counts(new + replaced + unchanged + aside, new, replaced, unchanged, aside)
        last = counts[files[-1].name]
        last.discarded = drafts.discarded
        last.events = self._added
        return counts

    def _commit(self, changes: Rewriting, settlement: Settlement, counts: dict[str, Counts]) -> None:
        self.door.settle()
        states = [
            msgspec.structs.replace(state, counts=state.counts | msgspec.structs.asdict(counts[name]))
            for name, state in self._read_states.items()
        ]
        self.manifest.commit(
            add=changes.add,
            remove=[part.path for part in changes.remove],
            quarantine=[row for one in self._quarantines.values() for row in one.kept],
            file_states=states,
            known_rows=settlement.known,
        )
