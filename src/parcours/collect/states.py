"""Whether a source file is what it was when it was last read."""

from __future__ import annotations

from parcours.collect.files import digest, stamp
from parcours.collect.inspection import SourceFile
from parcours.collect.report import Counts
from parcours.engine.store.manifest import FileState, Manifest

_RACY_NS = 2_000_000_000
"""A file changed this shortly before it was read may have changed again within the same tick of the clock."""


def is_unchanged(file: SourceFile, state: FileState, manifest: Manifest, now_ms: int) -> bool:
    """Say whether the content of ``file`` is what ``state`` tells.

    Size and date are enough, unless the date is too close to the moment of the reading; another date with the same
    size has the content compared, and is noted when that is the same. A file with an event that was still ahead is
    read again once it has happened.
    """
    if 0 < state.counts.get("due_ms", 0) <= now_ms:
        return False
    now = stamp(file.path)
    if now.size != state.size:
        return False
    racy = state.loaded_ms * 1_000_000 - state.mtime_ns < _RACY_NS
    if now.mtime_ns == state.mtime_ns and not racy:
        return True
    if digest(file.path) != state.sha256:
        return False
    manifest.note_unchanged(state.source, state.file, now.mtime_ns, now_ms)
    return True


def carried_counts(state: FileState) -> Counts:
    """Return the rows of a file that is not read again: all unchanged but those in quarantine."""
    read, quarantined = state.counts.get("rows_read", 0), state.counts.get("quarantined", 0)
    return Counts(rows_read=read, unchanged=read - quarantined, quarantined=quarantined)
