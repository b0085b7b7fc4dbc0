"""A Merkle tree over the entries of a log: its root, and proofs that an entry is in it and that it only ever grew.

The hashes are those of RFC 6962 §2.1; the two checks follow RFC 9162 §2.1.3.2 and §2.1.4.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256(b"").digest()
"""The root of a tree without leaves."""

Hashes = tuple[bytes, ...]
Span = Callable[[int, int], bytes]
"""Returns the root over the leaves from one place up to another."""


def hash_leaf(content: bytes) -> bytes:
    """Return the hash of one leaf."""
    return sha256(b"\0" + content).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node over two others."""
    return sha256(b"\1" + left + right).digest()


def grow(peaks: Hashes, size: int, leaf: bytes) -> Hashes:
    """Return the peaks of a tree of ``size`` leaves after one more.

    Peaks are the roots of the full trees that the leaves make up, the largest first: one for each bit of ``size``.
    """
    while size & 1:
        peaks, leaf, size = peaks[:-1], hash_node(peaks[-1], leaf), size >> 1
    return (*peaks, leaf)


def root_of(peaks: Hashes) -> bytes:
    """Return the root of the tree with these ``peaks``."""
    return reduce(lambda right, left: hash_node(left, right), reversed(peaks)) if peaks else EMPTY


def hash_span(leaves: Sequence[bytes]) -> bytes:
    """Return the root over the hashes of some leaves."""
    peaks: Hashes = ()
    for size, leaf in enumerate(leaves):
        peaks = grow(peaks, size, leaf)
    return root_of(peaks)


def prove_inclusion(span: Span, place: int, size: int) -> Hashes:
    """Return the path that proves the leaf at ``place`` (from 0) to be in the tree of the first ``size`` leaves."""
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        middle = first + _split(last - first)
        if place < middle:
            path.append(span(middle, last))
            last = middle
        else:
            path.append(span(first, middle))
            first = middle
    return tuple(reversed(path))


def prove_consistency(span: Span, earlier: int, size: int) -> Hashes:
    """Return the path that proves the tree of the first ``size`` leaves to go on from that of the first ``earlier``."""
    if not 0 < earlier < size:
        return ()
    path: list[bytes] = []
    first, last = 0, size
    while last != earlier:
        middle = first + _split(last - first)
        if earlier <= middle:
            path.append(span(middle, last))
            last = middle
        else:
            path.append(span(first, middle))
            first = middle
    # Whoever checks knows the earlier root: a proof need not repeat it.
    return tuple(reversed(path)) if first == 0 else (span(first, last), *reversed(path))


def shows_inclusion(leaf: bytes, place: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Return whether ``path`` proves the hash ``leaf`` to stand at ``place`` of the tree with this ``root``."""
    if not 0 <= place < size:
        return False
    node, last = place, size - 1
    told = leaf
    for step in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            told = hash_node(step, told)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            told = hash_node(told, step)
        node, last = node >> 1, last >> 1
    return last == 0 and told == root


def shows_consistency(earlier: int, size: int, path: Sequence[bytes], before: bytes, root: bytes) -> bool:
    """Return whether ``path`` proves that the tree with ``root`` goes on from the one with the root ``before``."""
    if earlier == size:
        return not path and before == root
    if earlier == 0:
        return not path and before == EMPTY
    if earlier > size:
        return False
    steps = [before, *path] if earlier & (earlier - 1) == 0 else [*path]
    if not steps:
        return False
    node, last = earlier - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = hash_node(step, old), hash_node(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = hash_node(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == before and new == root


def _split(count: int) -> int:
    """Return the largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1
