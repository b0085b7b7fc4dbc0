"""How far the rows of a database have been read: the last place, and the rows behind it that may still get company.

Rows are read in the order of a cursor column, and committed in any order: one whose cursor value is lower may appear
after one whose value is higher, and many may share a value. So each reading begins an overlap before the highest value
and passes over the rows that have been delivered, whose digests the bookmark holds.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec

from parcours.errors import ParcoursError
from parcours.words import Words

MOST_REMEMBERED: Final = 200_000
"""The rows that a bookmark may hold; each delivery writes them."""

DEFAULT_OVERLAP_MS: Final = 60_000
DEFAULT_OVERLAP_NUMBERS: Final = 1_000

_EPOCH = dt.datetime(1970, 1, 1)
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "date": dt.date.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
    "int": int,
}


class Overlap(msgspec.Struct, frozen=True):
    """How far back readings begin: ``ms`` for times, ``numbers`` for numbers; the default while neither is set."""

    ms: int | None = None
    numbers: int | None = None

    @property
    def is_default(self) -> bool:
        """Whether nobody asked for one."""
        return self.ms is None and self.numbers is None

    def before(self, value: Any) -> Any:
        """Return the value that lies an overlap before ``value``, or ``value`` itself where there is none.

        Raises:
            ParcoursError: ``overlap_differs`` when a duration is asked for of numbers, and the like.
        """
        if self.ms == 0 or self.numbers == 0:
            return value
        if isinstance(value, dt.datetime | dt.date):
            if self.numbers is not None:
                raise _overlap_differs(value)
            return _earlier(value, self.ms or DEFAULT_OVERLAP_MS)
        if isinstance(value, int | float | Decimal):
            if self.ms is not None:
                raise _overlap_differs(value)
            return value - (self.numbers or DEFAULT_OVERLAP_NUMBERS)
        if not self.is_default:
            raise _overlap_differs(value)
        return value


class Start(msgspec.Struct, frozen=True):
    """Where a page begins: at ``value``, itself included, or after the row of ``value`` and ``key``."""

    value: Any
    key: Any = None
    after_key: bool = False


class _Saved(msgspec.Struct, array_like=True):
    reads: str
    value: Any
    key: Any
    floor: Any
    seen: list[tuple[Any, bytes]]


class Bookmark:
    """The state of one reading; it becomes a cursor with `save`.

    Args:
        reads: A digest of what is read; a bookmark of something else is not gone on with.
        keyed: Whether a unique key orders the rows of one cursor value.
        overlap: How far back readings begin.
    """

    def __init__(self, reads: str, keyed: bool, overlap: Overlap) -> None:
        self._reads = reads
        self._keyed = keyed
        self._overlap = overlap
        self._value: Any = None
        self._key: Any = None
        self._floor: Any = None
        self._seen: dict[Any, Counter[bytes]] = {}
        self._passed: Counter[bytes] = Counter()

    def recall(self, cursor: bytes | None) -> None:
        """Go on from a cursor; one that cannot be read, or is of other rows, is as good as none."""
        if cursor is None:
            return
        try:
            saved = msgspec.msgpack.decode(cursor, type=_Saved)
        except msgspec.DecodeError:
            return
        if saved.reads != self._reads:
            return
        self._value, self._key, self._floor = (_read(one) for one in (saved.value, saved.key, saved.floor))
        for value, digest in saved.seen:
            self._seen.setdefault(_read(value), Counter())[digest] += 1

    def save(self) -> bytes:
        """Return the cursor that stands for all that has been noted."""
        seen = [(_write(value), digest) for value, held in self._seen.items() for digest in held.elements()]
        saved = _Saved(self._reads, _write(self._value), _write(self._key), _write(self._floor), seen)
        return msgspec.msgpack.encode(saved)

    def start(self) -> Start | None:
        """Return where a reading begins; ``None`` for the very first row."""
        self._passed.clear()
        if self._value is None:
            return None
        begin = self._overlap.before(self._value)
        if self._floor is not None and begin != self._value:
            begin = max(begin, self._floor)
        if begin == self._value and self._keyed and self._key is not None:
            return Start(self._value, self._key, after_key=True)
        return Start(begin)

    def after(self, value: Any, key: Any) -> Start:
        """Return where the page begins that follows a page whose last row is this one."""
        self._passed.clear()
        return Start(value, key, after_key=True) if self._keyed else Start(value)

    def seen_at(self, value: Any) -> int:
        """Return how many rows of a cursor value have been delivered, as far as they are remembered."""
        return self._seen.get(value, Counter()).total()

    def is_new(self, value: Any, digest: bytes) -> bool:
        """Note that a page holds a row, and return whether it has not been delivered yet."""
        held = self._seen.get(value)
        if held is not None and self._passed[digest] < held[digest]:
            self._passed[digest] += 1
            return False
        if not self._keyed or self._overlap.before(value) != value:
            self._passed[digest] += 1
            self._seen.setdefault(value, Counter())[digest] += 1
        return True

    def move(self, value: Any, key: Any) -> None:
        """Note the last row of a page, and forget the rows that no reading will meet again.

        Raises:
            ParcoursError: ``too_many_remembered``.
        """
        if self._overlap.before(value) == value:
            self._value, self._key, self._floor = value, key if self._keyed else None, value
            self._seen = {one: held for one, held in self._seen.items() if one == value}
        else:
            self._value, self._key = (value if self._value is None else max(value, self._value)), None
            before = self._overlap.before(self._value)
            self._floor = before if self._floor is None else max(before, self._floor)
            self._seen = {one: held for one, held in self._seen.items() if one >= self._floor}
        if sum(held.total() for held in self._seen.values()) > MOST_REMEMBERED:
            raise _too_many(self._keyed)


def _earlier(value: dt.datetime | dt.date, ms: int) -> dt.datetime | dt.date:
    if isinstance(value, dt.datetime):
        return value - dt.timedelta(milliseconds=ms)
    return value - dt.timedelta(days=math.ceil(ms / 86_400_000))


def _write(value: Any) -> Any:
    """Return a cursor or key value as a pair of its kind and plain data."""
    if isinstance(value, dt.datetime):
        aware = value.tzinfo is not None
        plain = value.astimezone(dt.UTC).replace(tzinfo=None) if aware else value
        return ("utc" if aware else "local", (plain - _EPOCH) // dt.timedelta(microseconds=1))
    if isinstance(value, dt.date):
        return ("date", value.isoformat())
    if isinstance(value, Decimal):
        return ("decimal", str(value))
    if isinstance(value, UUID):
        return ("uuid", value.hex)
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return ("int", str(value))
    return value


def _read(saved: Any) -> Any:
    if not isinstance(saved, list | tuple):
        return saved
    kind, plain = saved
    if kind in ("utc", "local"):
        moment = _EPOCH + dt.timedelta(microseconds=plain)
        return moment.replace(tzinfo=dt.UTC) if kind == "utc" else moment
    return _READERS[kind](plain)


def _overlap_differs(value: Any) -> ParcoursError:
    kind = type(value).__name__
    return ParcoursError(
        "overlap_differs",
        Words(
            f"overlap: ne convient pas à une colonne cursor de type {kind}.",
            f"overlap: does not suit a cursor column of type {kind}.",
        ),
        Words(
            "Écrivez une durée (5min) pour des dates, un nombre (1000) pour des nombres, 0 pour le reste.",
            "Write a duration (5min) for times, a number (1000) for numbers, 0 for anything else.",
        ),
    )


def _too_many(keyed: bool) -> ParcoursError:
    remedy = Words(
        "Raccourcissez overlap: (0 pour un premier chargement d'historique).",
        "Shorten overlap: (0 for a first load of history).",
    )
    if not keyed:
        remedy = Words(
            f"Nommez sous key: une colonne unique qui départage les lignes. {remedy.fr}",
            f"Name under key: a unique column that tells the rows apart. {remedy.en}",
        )
    return ParcoursError(
        "too_many_remembered",
        Words(
            f"Plus de {MOST_REMEMBERED} lignes partagent une valeur de cursor, ou tiennent dans overlap.",
            f"More than {MOST_REMEMBERED} rows share a cursor value, or lie within overlap.",
        ),
        remedy,
    )
