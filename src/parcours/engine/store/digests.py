"""Whether a file is still what was written: its size and SHA-256, compared once a process while it is untouched."""

from __future__ import annotations

import hashlib
from pathlib import Path

_compared: set[tuple[str, int, int, int, str]] = set()


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def describe(path: Path) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file that was just written; this process need not compare it again."""
    sha256 = file_sha256(path)
    _compared.add(_stamp(path, sha256))
    return path.stat().st_size, sha256


def is_intact(path: Path, size: int, sha256: str, *, again: bool = False) -> bool:
    """Return whether ``path`` is there, ``size`` bytes long and of that checksum; ``again`` reads it in any case."""
    try:
        told = _stamp(path, sha256)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if told in _compared and not again:
        return True
    if told[1] != size or file_sha256(path) != sha256:
        return False
    _compared.add(told)
    return True


def _stamp(path: Path, sha256: str) -> tuple[str, int, int, int, str]:
    state = path.stat()
    return str(path), state.st_size, state.st_mtime_ns, state.st_ctime_ns, sha256
