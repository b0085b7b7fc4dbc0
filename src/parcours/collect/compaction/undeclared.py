"""Names that arrive and that nobody declared: how often each is seen among the events that are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set

import msgspec

from parcours.collect.compaction.reasons import speakable
from parcours.collect.compaction.splitting import Piece

MOST_NAMES = 200
"""Names that are told apart, a source and day; those beyond count together."""

MOST_LOOKED_AT = 500
"""Events whose names are read at one reading: enough to find what is sent often, and soon what is sent at times."""

OTHERS = "…"
_LONGEST_NAME = 60
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class Undeclared(msgspec.Struct):
    """What one source sends beside what is declared, on one day.

    Attributes:
        looked_at: How many events were looked at, of all that came.
        names: How many of those had a property or trait of this name, which is dropped; `OTHERS` for what is not told.
    """

    looked_at: int = 0
    names: Counter[str] = msgspec.field(default_factory=Counter)

    def look(
        self, properties: Sequence[Piece], traits: Sequence[Piece], declared: Set[str], declared_traits: Set[str]
    ) -> None:
        """Look at the names in the raw properties and traits of some events, evenly spread."""
        step = -(-len(properties) // MOST_LOOKED_AT) or 1
        seen: Counter[str] = Counter()
        for one, other in zip(properties[::step], traits[::step], strict=True):
            self.looked_at += 1
            names = _read_names(one) - declared
            seen.update(names | (_read_names(other) - declared_traits) if len(other) else names)
        self._count(seen)

    def add(self, other: Undeclared) -> None:
        """Take in what was seen elsewhere on the same day."""
        self.looked_at += other.looked_at
        self._count(other.names)

    def _count(self, seen: Counter[str]) -> None:
        for name, count in seen.most_common():
            shown = speakable(name) if len(name) <= _LONGEST_NAME else OTHERS
            told = shown in self.names or len(self.names) < MOST_NAMES
            self.names[shown if told else OTHERS] += count


def _read_names(piece: Piece) -> Set[str]:
    try:
        return _decode(piece).keys() if len(piece) else frozenset()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return frozenset()  # Such an event is in quarantine, or says nothing.
