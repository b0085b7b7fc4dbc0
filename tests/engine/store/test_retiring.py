"""Sweeping: what a crash has left goes, what is in force or still read stays."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from parcours.engine.store.manifest import KnownRows, Manifest, SeenRun
from parcours.engine.store.parts import write_part
from parcours.engine.store.retiring import find_strays, sweep


def lying(folder: Path) -> set[str]:
    root = folder / ".parcours"
    places = [path for name in ("parts", "known", "seen") for path in (root / name).iterdir()]
    return {f"{path.parent.name}/{path.name}" for path in places}


def test_only_what_the_manifest_names_stays(tmp_path) -> None:
    manifest = Manifest(tmp_path)
    rows = pa.table({"event_no": [1], "occurred_ms": [1], "bucket": pa.array([0], pa.int8())})
    (kept,) = write_part(tmp_path, rows, "orders")
    (replaced,) = write_part(tmp_path, rows, "orders")
    (stray,) = write_part(tmp_path, rows, "orders")
    root = tmp_path / ".parcours"
    for name in ("known/a", "known/stray", "seen/a", "seen/stray", "known/.log-1.draft/0"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    manifest.commit(
        add=[kept, replaced],
        known_rows=KnownRows("orders", "known/a", "", 0),
        add_seen=[SeenRun("seen/a", 0, 0, 0, 0, 0, "", 0, 0)],
    )
    assert {path.name for path in find_strays(tmp_path, manifest)} == {
        stray.path.removeprefix("parts/"), "stray", ".log-1.draft",
    }  # fmt: skip
    with manifest.lease():
        manifest.commit(remove=[replaced.path])
        sweep(tmp_path, manifest)
        assert lying(tmp_path) == {kept.path, replaced.path, "known/a", "seen/a"}
    sweep(tmp_path, manifest)
    assert lying(tmp_path) == {kept.path, "known/a", "seen/a"}
    sweep(tmp_path / "elsewhere", Manifest(tmp_path / "elsewhere"))
