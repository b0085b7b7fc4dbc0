"""What the events of a source depend on besides its files: when it changes, the source is read anew."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from parcours.blueprint.records import Blueprint
from parcours.collect.files import digest
from parcours.collect.source import Source

_VERSION = 2
"""Goes up when the reading of rows changes its meaning."""


def mapping_fingerprint(source: Source, blueprint: Blueprint, zone: str, lookup: Path | None, seed: int) -> str:
    """Return a digest of a source, of what the blueprint declares of its columns, and of its lookup file.

    The purposes belong to it with their order and basis, because each event is stamped with them at the door, and
    those of a field, because what no permitted purpose may read is not kept;
    touchpoints and labels do not: they are applied later.
    """
    kinds = blueprint.field_kinds()
    used = set(source.fields) | {field for event in source.events for field in event.fields}
    parts = [
        _VERSION,
        _described(source),
        {field: kinds[field] for field in sorted(used) if field in kinds},
        sorted(set(source.objects) & set(blueprint.objects)),
        [
            (purpose.id, purpose.basis, *([purpose.version] if purpose.version != 1 else []))
            for purpose in blueprint.purposes
        ],
        zone,
        digest(lookup) if lookup else None,
        hashlib.blake2b(seed.to_bytes(8, "little"), digest_size=8).hexdigest(),
    ]
    narrowed = {field.id: field.purposes for field in blueprint.fields if field.purposes and field.id in used}
    # Files that were read before fields had purposes keep their digest.
    parts += [narrowed] if narrowed else []
    if source.signals:
        parts.append({purpose.id: purpose.signals for purpose in blueprint.purposes})
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def _described(source: Source) -> object:
    described = msgspec.to_builtins(source)
    if source.connector is None:
        # What a file source could say before there were connectors must keep its digest, or all files are read anew.
        del described["connector"], described["options"]
    del described["audience"]  # Files never go there.
    if not source.signals:
        del described["signals"]
    return described
