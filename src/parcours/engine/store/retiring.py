"""Deleting what is in force no more: replaced files once nobody reads them, and what a crash has left behind."""

from __future__ import annotations

import shutil
from pathlib import Path

from parcours.engine.store.leases import oldest_lease
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.parts import PARTS, remove_parts

PLACES = (PARTS, "known", "seen")
"""The folders of files that the manifest names."""


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


def find_strays(folder: Path, manifest: Manifest) -> list[Path]:
    """Return what lies in the folders of the manifest and is named by it neither as in force nor as retired."""
    named = {part.path for part in manifest.parts()} | {run.path for run in manifest.seen_runs()}
    named |= manifest.sidecars() | {file.path for file in manifest.retired()}
    root = folder / ".parcours"
    lying = [path for name in PLACES if (root / name).is_dir() for path in sorted((root / name).iterdir())]
    return [path for path in lying if f"{path.parent.name}/{path.name}" not in named]


def sweep(folder: Path, manifest: Manifest) -> None:
    """Remove what a crash has left behind and what nobody reads any more; whoever calls holds the company lock."""
    remove_retired(folder, manifest)
    for path in find_strays(folder, manifest):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
