"""Deleting what is in force no more: replaced files once nobody reads them, and what a crash has left behind."""

from __future__ import annotations

from pathlib import Path

from parcours.engine.store.leases import oldest_lease
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import remove_parts


def remove_retired(folder: Path, manifest: Manifest) -> int:
    """Delete the retired files that no living reader can still be reading; return how many are left.

    The list of files is read before the leases: whoever takes a lease after that no longer finds them in force.
    """
    retired = manifest.retired()
    if not retired:
        return 0
    oldest = oldest_lease(folder)
    gone = [file.path for file in retired if oldest is None or file.generation <= oldest]
    remove_parts(folder, gone)
    manifest.forget_retired(gone)
    return len(retired) - len(gone)
