"""Which events are the same one: what stands for a message, and what stands for its content.

**The message.** An event is known by its ``messageId`` together with the client's own id (``userId``, else
``anonymousId``), whatever source it came by. An SDK's retry carries both unchanged, so that it meets itself; two
clients that happen to write the same ``messageId`` do not meet. Ids are compared within one UTC day of the client's
own timestamp, which a retry carries unchanged too; events without one are compared among themselves, without end.

**No usable messageId**: missing, blank, shorter than 8 characters, one of `BLOCKED` or made of zeros alone. Then the
content stands for the message, which holds the client's ids and timestamp: sending exactly the same again changes
nothing, and two events that differ in anything are two. The same holds for a source with ``same_id: content``, whose
clients reuse their message ids.

**The content**: call, name of the event or page, ids, the client's timestamp, properties and traits, all as they were
written. What changes from one attempt to the next is no part of it: ``sentAt``, ``receivedAt``, ``_metadata``,
``writeKey``, ``context`` (save its traits) and ``integrations``. A known message with another content goes to
quarantine.

**Rows** that a connector delivers have no message id. The source's ``key`` and which of its events it is stand for the
event; without a key the whole row does, as far as the source reads it. Its name, time, ids, objects, fields and choices
are its content, and its own time gives the day: a row that comes again unchanged gives nothing new, and one that has
changed meets itself only in those of its events that have changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from parcours.collect.compaction.splitting import Piece
from parcours.collect.row_keys import hash_rows
from parcours.collect.rows import Flags, Ints

LONGEST_ID = 100
SHORTEST_ID = 8
BLOCKED = ("undefined", "[object Object]", "anonymous", "not_authenticated", "distinct_id", "distinctid", "messageid")
"""What clients write when they have no message id; what is shorter than `SHORTEST_ID` need not stand here."""

_BLOCKED = pa.array([form for text in BLOCKED for form in {text, text.lower(), text.upper(), text.capitalize()}])
_ZEROS = r"^[0\-]+$"
_AS_CONTENT, _AS_ROW = 0x5851F42D4C957F2D, 0x14057B7EF767814F
"""Apart from one another and from a plain message id, whatever its text."""


def is_usable(message_ids: pa.Array) -> Flags:
    """Return which texts can tell one message from another; null is none."""
    usable = pc.and_(pc.greater_equal(pc.binary_length(message_ids), SHORTEST_ID), pc.invert(_is_blocked(message_ids)))
    return np.asarray(pc.fill_null(usable, False))


def is_too_long(message_ids: pa.Array) -> Flags:
    """Return which texts have more characters than a message id may."""
    longer = np.asarray(pc.fill_null(pc.greater(pc.binary_length(message_ids), LONGEST_ID), False))
    if not longer.any():
        return longer
    return np.asarray(pc.fill_null(pc.greater(pc.utf8_length(message_ids), LONGEST_ID), False))


def hash_messages(message_ids: pa.Array, clients: pa.Array, usable: Flags, contents: Ints, seed: int) -> Ints:
    """Return what stands for each message: 63 bits keyed by ``seed``.

    Args:
        message_ids: As the clients wrote them.
        clients: Each client's own id; null where there is none.
        usable: Which message ids count; for the others the content does, which holds client and time.
        contents: From `hash_contents`.
    """
    hashes = hash_rows([message_ids, clients], seed)
    rows = np.flatnonzero(~usable)
    if len(rows):
        hashes[rows] = hash_rows([pc.cast(pa.array(contents[rows]), pa.string())], seed ^ _AS_CONTENT)
    return hashes


def hash_contents(texts: Sequence[pa.Array], pieces: Sequence[Sequence[Piece]], seed: int) -> Ints:
    """Return what stands for each content: its ``texts`` and raw JSON ``pieces``, 63 bits keyed by ``seed``."""
    return hash_rows([*texts, *(_join(piece) for piece in pieces)], seed)


def hash_row_events(keys: Ints, labels: pa.Array, seed: int) -> Ints:
    """Return what stands for each event of a row: the row's key and which of the source's events it is."""
    return hash_rows([pc.cast(pa.array(keys), pa.string()), labels], seed ^ _AS_ROW)


def _is_blocked(texts: pa.Array) -> pa.Array:
    blocked = pc.is_in(texts, _BLOCKED)
    zeros = pc.starts_with(texts, "0000")
    if pc.any(zeros).as_py():
        blocked = pc.or_(blocked, pc.fill_null(pc.match_substring_regex(texts, _ZEROS), False))
    return blocked


def _join(pieces: Sequence[Piece]) -> pa.Array:
    """Return raw JSON as one binary array, without a copy for each piece."""
    offsets = np.zeros(len(pieces) + 1, np.int32)
    np.cumsum(np.fromiter(map(len, pieces), np.int32, len(pieces)), out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(pieces))]
    return pa.Array.from_buffers(pa.binary(), len(pieces), buffers)
