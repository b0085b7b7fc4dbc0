"""What a company should remember of a few people: the plainest account of deliveries, erasures and returns."""

from __future__ import annotations

from typing import Any, NamedTuple

KINDS = ("user", "mail", "phone", "device")
NEVER = 1 << 62
Id = tuple[str, str]
"""A type of identifier, and its value."""


class Told(NamedTuple):
    """One event as it was delivered; its moment, in epoch milliseconds, is nobody else's."""

    at_ms: int
    who: tuple[Id, ...]
    agrees: bool

    @property
    def strongest(self) -> Id:
        """Whose it is."""
        return min(self.who, key=lambda one: KINDS.index(one[0]))


class Stone:
    """An erased identifier: when, by which erasure, whether that was carried out, and since when it is back."""

    def __init__(self, erasure_no: int, erased_ms: int) -> None:
        self.erasure_no, self.erased_ms, self.done, self.back_ms = erasure_no, erased_ms, False, NEVER


class Remembered:
    """What should be there, said without anything of the product."""

    def __init__(self) -> None:
        self.stones: dict[Id, Stone] = {}
        self.kept: dict[int, Told] = {}
        """Events that were let in and erased by nobody, by their moment."""
        self.seen: set[int] = set()
        self.waiting: list[Told] = []

    def covers(self, one: Id, at_ms: int = NEVER - 1) -> bool:
        """Return whether an identifier is erased for what occurred at a moment; without one, at present."""
        stone = self.stones.get(one)
        return stone is not None and at_ms < stone.back_ms

    def gone(self) -> list[Id]:
        """Return who is erased to the end, and has not come back."""
        return sorted(one for one, stone in self.stones.items() if stone.done and stone.back_ms == NEVER)

    def take_over(self) -> None:
        """Let in what waits: returns count first, for whatever occurs from then on."""
        fresh = [told for told in self.waiting if told.at_ms not in self.seen]
        for told in fresh:
            for one in told.who if told.agrees else ():
                stone = self.stones.get(one)
                if stone is not None and stone.done and told.at_ms > stone.erased_ms:
                    stone.back_ms = min(stone.back_ms, told.at_ms)
        for told in fresh:
            self.seen.add(told.at_ms)
            if not self.covers(told.strongest, told.at_ms):
                self.kept[told.at_ms] = told
        self.waiting.clear()

    def erase(self, erasure_no: int, whom: set[Id], erased_ms: int) -> None:
        """Erase ``whom``: from now on nothing of theirs is shown."""
        for one in whom:
            self.stones[one] = Stone(erasure_no, erased_ms)
        gone = [at_ms for at_ms, told in self.kept.items() if told.strongest in whom]
        for at_ms in gone:
            del self.kept[at_ms]
            # It is known no more: delivered again it is new, and whether it is let in depends on a return.
            self.seen.discard(at_ms)

    def finish(self, erasure_no: int) -> None:
        """An erasure was carried out."""
        for stone in self.stones.values():
            stone.done |= stone.erasure_no == erasure_no

    def may_be_delivered_again(self, told: Told) -> bool:
        """Return whether it is plain what becomes of an event that comes twice."""
        return not told.agrees or all(told.at_ms <= stone.erased_ms for stone in self._of(told))

    def _of(self, told: Told) -> list[Any]:
        return [self.stones[one] for one in told.who if one in self.stones]
