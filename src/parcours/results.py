"""What has been measured, kept as JSON until the rows, the blueprint or the consents change."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from parcours import measure
from parcours.measure.contract import Result
from parcours.measure.findings import Finding
from parcours.words import Words

KEPT = Path(".parcours") / "tables" / "results"
DAILY = "daily"
RUN = "_run.json"
RAN = "_ran"
"""An empty file: there was a run."""

Kind = TypeVar("Kind", bound=msgspec.Struct)


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one run did: counts over all that is kept, what this run loaded, and what it found.

    ``discarded`` counts the events that no purpose had a basis for, which are not kept; ``masked`` what was masked in
    texts over the last seven days, by kind.
    """

    events: int
    quarantined: int
    discarded: int = 0
    customers: int
    touchpoints: int
    seconds: float
    findings: tuple[Finding, ...]
    sources: tuple[dict[str, Any], ...]
    masked: dict[str, int] = {}
    warnings: tuple[Words, ...] = ()
    report: str
    finished_ms: int


class Published(msgspec.Struct, frozen=True):
    """The results of a measure over its lattice as one day shows them, small groups hidden."""

    day: int
    results: tuple[Result, ...]


class Kept(msgspec.Struct, frozen=True):
    """A result with the fingerprint of what it was made from (none for a run) and the checksum of both."""

    fingerprint: str
    sha256: str
    result: msgspec.Raw


@cache
def code_digest() -> bytes:
    """Return a digest of the measures' own code: a new version of a measure makes its old results stale."""
    digest = hashlib.sha256()
    for path in sorted(Path(measure.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.digest()


def _path(folder: Path, measure: str, by: str | None) -> Path:
    split = "" if by is None else "-" + "".join(c if c.isalnum() else "_" for c in by)
    return folder / KEPT / f"{measure}{split}.json"


def recall(folder: Path, measure: str, by: str | None, fingerprint: str) -> Result | None:
    """Return the kept result, or ``None`` when there is none, it is stale or its checksum fails."""
    return _read(_path(folder, measure, by), fingerprint, Result)


def keep(folder: Path, fingerprint: str, result: Result) -> None:
    """Write ``result`` beside its fingerprint; a half-written file is never seen."""
    _write(_path(folder, result.measure, result.by), fingerprint, result)


def recall_published(folder: Path, measure: str, fingerprint: str, day: int) -> dict[str | None, Result] | None:
    """Return what roles that see groups alone are shown of ``measure`` on ``day`` (since 1970, UTC), by split.

    What was published is not replaced before that day is over; a clock that goes back publishes nothing anew.
    """
    published = _read(folder / KEPT / DAILY / f"{measure}.json", fingerprint, Published)
    return None if published is None or published.day < day else {one.by: one for one in published.results}


def keep_published(folder: Path, fingerprint: str, day: int, results: Mapping[str | None, Result]) -> None:
    """Write what roles that see groups alone are shown of a measure on ``day``; small groups are hidden in it."""
    name = next(iter(results.values())).measure
    _write(folder / KEPT / DAILY / f"{name}.json", fingerprint, Published(day, tuple(results.values())))


def keep_run(folder: Path, report: RunReport) -> None:
    """Write what the latest run did, for the pages."""
    _write(folder / KEPT / RUN, "", report)
    (folder / KEPT / RAN).touch()


def recall_run(folder: Path) -> RunReport | None:
    """Return what the latest run did, or ``None`` before the first and when its checksum fails."""
    return _read(folder / KEPT / RUN, "", RunReport)


def damaged(folder: Path) -> list[Path]:
    """Return the kept files that are not what was written; each counts as none and is made anew by the next run.

    The last run's report is among them when it is gone: any other file that is gone is made anew when it is asked for.
    """
    run = folder / KEPT / RUN
    kept = {*(folder / KEPT).rglob("*.json"), *([run] if (folder / KEPT / RAN).exists() else [])}
    return [path for path in sorted(kept) if _open(path) is None]


def _open(path: Path) -> Kept | None:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return kept if kept.sha256 == _checksum(kept.fingerprint, kept.result) else None


def _checksum(fingerprint: str, body: bytes) -> str:
    return hashlib.sha256(fingerprint.encode() + b"\n" + bytes(body)).hexdigest()


def _read(path: Path, fingerprint: str, kind: type[Kind]) -> Kind | None:
    kept = _open(path)
    if kept is None or kept.fingerprint != fingerprint:
        return None
    return msgspec.json.decode(kept.result, type=kind)


def _write(path: Path, fingerprint: str, record: msgspec.Struct) -> None:
    encoded = msgspec.json.encode(record)
    body = msgspec.json.encode(Kept(fingerprint, _checksum(fingerprint, encoded), msgspec.Raw(encoded)))
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    fresh.write_bytes(body)
    fresh.replace(path)
