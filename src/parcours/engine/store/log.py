"""The write-ahead log of an SQLite file, read without SQLite: whether changes behind a damaged place are lost.

SQLite reads its log up to the first frame whose checksum fails and ignores the rest, which is right after a power
failure and wrong after damage. Format: https://sqlite.org/walformat.html.
"""

from __future__ import annotations

import fcntl
import struct
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.uint32]

_HEADER, _FRAME = 32, 24
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF
_PAGE = 4096
_DMS_BYTE = 128
"""The byte of the shared-memory file that every open connection holds a lock on."""


def is_open_elsewhere(path: Path) -> bool:
    """Return whether another process has the database at ``path`` open; this one must not, or its locks would go."""
    shared = path.with_name(f"{path.name}-shm")
    if sys.platform != "linux":
        return shared.exists()
    try:
        with shared.open("rb") as file:
            asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, _DMS_BYTE, 1, 0)
            told = fcntl.fcntl(file, fcntl.F_GETLK, asked)
    except OSError:
        return False
    return bool(struct.unpack_from("h", told)[0] != fcntl.F_UNLCK)


def count_lost_changes(path: Path) -> int:
    """Return how many committed changes of the database at ``path`` stand behind a damaged place of its log.

    The change that was being written when the power failed is none of them: nobody was told that it was kept.
    """
    log = path.with_name(f"{path.name}-wal")
    for _ in range(3):
        before = _stamp(log)
        lost = _count(log) if before else 0
        # Whatever is being written meanwhile looks like damage for a moment.
        if not lost or _stamp(log) == before:
            return lost
        time.sleep(0.05)
    return 0


def _stamp(log: Path) -> tuple[int, int] | None:
    try:
        state = log.stat()
    except FileNotFoundError:
        return None
    return (state.st_size, state.st_mtime_ns) if state.st_size else None


def _count(log: Path) -> int:
    # Only ever needed after a crash: whoever starts in peace need not load it.
    import numpy as np

    content = log.read_bytes()
    if len(content) < _HEADER:
        return 0
    header = np.frombuffer(content, ">u4", _HEADER // 4)
    sound = header[0] & ~np.uint32(1) == _MAGIC
    order = ">u4" if header[0] & 1 and sound else "<u4"
    start = np.zeros((1, 2), np.uint32)
    sound = sound and bool((_sums(np.frombuffer(content, order, 6)[None], start) == header[6:]).all())
    page = int(header[2]) if sound else _PAGE
    count = (len(content) - _HEADER) // (_FRAME + page)
    whole = np.frombuffer(content, np.uint8, count * (_FRAME + page), _HEADER).reshape(count, _FRAME + page)
    heads = whole[:, :_FRAME].copy().view(">u4")
    words = np.hstack((whole[:, :8], whole[:, _FRAME:])).view(order)
    salts, stored, commits = heads[:, 2:4], heads[:, 4:6], heads[:, 1] != 0
    before = np.vstack((header[None, 6:8], stored[:-1])).astype(np.uint32)[:count]
    follows = (_sums(words, before) == stored).all(axis=1)
    # Where the header is gone, the first frame that goes on from another says what belongs together.
    chained = np.flatnonzero(follows)
    due = header[4:6] if sound else salts[chained[0]] if len(chained) else salts[:1].ravel()
    ours = (salts == due).all(axis=1) if count else np.zeros(0, bool)
    intact = np.logical_and.accumulate(follows & ours) & sound
    lost = int((commits & ours & ~intact).sum())
    # A single one is the change that was being written.
    return lost if lost > 1 else 0


def _sums(words: Numbers, before: Numbers) -> Numbers:
    """Return SQLite's two checksums of each row of ``words``, going on from the two ``before``.

    One pair (x, y) takes (a, b) to (a + x + b, b + y + the new a), modulo 2 ** 32, so that both are weighted sums.
    """
    import numpy as np

    carried, weights = _weights(words.shape[1] // 2)
    told = [
        before[:, 0] * carried[sum][0] + before[:, 1] * carried[sum][1] + words.astype(np.uint32) @ weights[sum]
        for sum in (0, 1)
    ]
    return np.stack(told, axis=1).astype(np.uint32)


@cache
def _weights(pairs: int) -> tuple[Numbers, Numbers]:
    """Return what the two sums before count, and what each word counts, in each sum after so many pairs."""
    import numpy as np

    carried = [[1, 0], [0, 1]]
    weights: list[list[int]] = [[], []]
    for _ in range(pairs):
        for told, (first, second) in zip(weights, carried, strict=True):
            # From the last pair backwards: x adds to both sums, y to the second alone.
            told += [second & _MASK, (first + second) & _MASK]
        carried = [[(first + second) & _MASK, (first + 2 * second) & _MASK] for first, second in carried]
    return np.array(carried, np.uint32), np.array([told[::-1] for told in weights], np.uint32)
