"""The door of the audience space: views come in without a name, and whoever objected is not counted."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa

from parcours.blueprint.records import Audience, Blueprint
from parcours.collect.door import Counted, Refusal
from parcours.know.audience.store import VIEWS, AudienceStore
from parcours.know.identity.identifiers import Spelling, UnusableError, normaliser
from parcours.know.keys import Keys
from parcours.know.mapping import ABSENT, meet
from parcours.know.masks import mask
from parcours.words import Words

DAY_MS = 86_400_000
KEY = "audience."
OBJECTIONS = "audience.objections"
IDENTIFIED = (
    "audience_identified",
    Words(
        fr="L'espace de mesure d'audience sans consentement refuse ce qui nomme quelqu'un (userId, e-mail, téléphone). "
        "N'y envoyez que anonymousId.",
        en="The space of audience measurement without consent refuses what names somebody (userId, e-mail, phone). "
        "Send nothing but anonymousId there.",
    ),
)


class AudienceDoor:
    """Takes views in; one batch at a time.

    A visitor's number is a keyed hash of the device id under the key of a period of ``tracker_days``: no visitor is
    recognised longer than that, and no key of the rest of the company makes the same number. Objections are kept
    under a key of their own that does not change, or they would be forgotten.

    Args:
        place: The folder ``.parcours``.
        blueprint: What is declared; it declares an audience.
        keys: Where the keys of this space lie.
        spelling: Which device ids name nobody.
    """

    def __init__(self, place: Path, blueprint: Blueprint, audience: Audience, keys: Keys, spelling: Spelling) -> None:
        self._blueprint, self._audience, self._keys = blueprint, audience, keys
        self._store = AudienceStore(place)
        self._store.tell(audience.information, time.time_ns() // 1_000_000)
        self._normalise = normaliser("device", spelling)
        self._objections = self._store.objections()
        self._new_objections: dict[int, tuple[int, bool]] = {}
        self._views: list[pa.Table] = []

    def admit(self, batch: pa.Table, first_event_no: int) -> Counted:
        """Take in raw events; the one at row i of ``batch`` has the number ``first_event_no`` + i."""
        devices = [self._spell(value) for value in batch.column("id_device").to_pylist()]
        named = np.logical_or.reduce(
            [np.asarray(batch.column(f"id_{kind}").is_valid()) for kind in ("user", "mail", "phone")]
        )
        objectors = [
            _number(device, self._keys.own(OBJECTIONS), "objection") if device else ABSENT for device in devices
        ]
        self._note_objections(batch, objectors, named)
        objected = [self._objects(number) for number in objectors]
        kept = np.flatnonzero(~named & ~np.array(objected, bool))
        self._views.append(self._lay_out(batch, devices, kept, first_event_no))
        refusals = tuple(Refusal(int(row), *IDENTIFIED) for row in np.flatnonzero(named))
        return Counted(tuple(kept.tolist()), refusals)

    def settle(self) -> None:
        """Make what was taken in durable."""
        views = pa.concat_tables([VIEWS.empty_table(), *self._views])
        if views.num_rows or self._new_objections:
            self._store.add(views, self._new_objections)
        self.abandon()

    def abandon(self) -> None:
        """Drop what was taken in and not settled."""
        self._views, self._new_objections = [], {}
        self._objections = self._store.objections()

    def forget_from(self, event_no: int) -> None:
        """Forget the views from event ``event_no`` on; objections stay, for they were made."""
        self.abandon()
        self._store.forget_from(event_no)

    def _spell(self, value: str | None) -> str | None:
        try:
            return None if value is None else self._normalise(value)
        except UnusableError:
            return None

    def _note_objections(self, batch: pa.Table, objectors: Sequence[int], named: np.ndarray) -> None:
        column = batch.column(f"consent_{self._audience.purpose}").to_pylist()
        occurred_ms = batch.column("occurred_ms").to_pylist()
        for agrees, at_ms, number, refused in zip(column, occurred_ms, objectors, named.tolist(), strict=True):
            held = self._objections.get(number)
            if agrees is not None and number != ABSENT and not refused and (held is None or held[0] <= at_ms):
                self._objections[number] = self._new_objections[number] = (at_ms, not agrees)

    def _objects(self, number: int) -> bool:
        return self._objections.get(number, (0, False))[1]

    def _lay_out(self, batch: pa.Table, devices: Sequence[str | None], kept: np.ndarray, first: int) -> pa.Table:
        rows = batch.take(pa.array(kept))
        day = np.asarray(rows.column("occurred_ms")) // DAY_MS
        met = meet(self._blueprint, rows, np.ones(rows.num_rows, bool)).tolist()
        places = [None if one == ABSENT else self._blueprint.touchpoints[one] for one in met]
        pages = rows.column(f"field_{self._audience.page}").to_pylist()
        return pa.table(
            {
                "event_no": pa.array(first + kept, pa.int64()),
                "day": pa.array(day.astype(np.int32)),
                "touchpoint": pa.array([place and place.id for place in places], pa.string()),
                "channel": pa.array([place and place.channel for place in places], pa.string()),
                "page": pa.array([None if page is None else clean_page(str(page)) for page in pages], pa.string()),
                "visitor": pa.array(self._number_visitors([devices[row] for row in kept.tolist()], day), pa.int64()),
            },
            schema=VIEWS,
        )

    def _number_visitors(self, devices: Sequence[str | None], day: np.ndarray) -> list[int | None]:
        today = time.time_ns() // 1_000_000 // DAY_MS
        current = today // self._audience.tracker_days
        keys: Mapping[int, bytes] = {
            period: self._keys.own(f"{KEY}{self._audience.tracker_days}.{period}")
            for period in {int(one) for one in day // self._audience.tracker_days}
            # The key of a period that is over is destroyed: what comes later is counted without its visitor.
            if period >= current
        }
        return [
            _number(device, keys[period], "visitor") if device and period in keys else None
            for device, period in zip(devices, (day // self._audience.tracker_days).tolist(), strict=True)
        ]


def clean_page(page: str) -> str:
    """Return a page without its query and fragment, which may name anybody, and masked like a text."""
    return mask(page.partition("?")[0].partition("#")[0])


def destroy_periods(keys: Keys, tracker_days: int, now_ms: int) -> int:
    """Destroy the keys of periods that are over: no device can be matched with its visits any more. Return how many."""
    current = f"{KEY}{tracker_days}.{now_ms // DAY_MS // tracker_days}"
    return keys.destroy_own([name for name in keys.own_names(KEY) if name not in (current, OBJECTIONS)])


def object_for(place: Path, devices: Iterable[str], keys: Keys, at_ms: int) -> None:
    """Note that whoever has these devices objects to being counted, unless they did before."""
    store, number = AudienceStore(place), keys.own(OBJECTIONS)
    try:
        held = store.objections()
        numbers = [_number(device, number, "objection") for device in devices]
        fresh = {one: (at_ms, True) for one in numbers if not held.get(one, (0, False))[1]}
        store.add(VIEWS.empty_table(), fresh)
    finally:
        store.close()


def take_back(place: Path, devices: Iterable[str], keys: Keys, at_ms: int, now_ms: int) -> None:
    """Take back what `object_for` noted at ``at_ms``; an objection that was made at another moment stays."""
    store, number = AudienceStore(place), keys.own(OBJECTIONS)
    try:
        held = store.objections()
        numbers = [_number(device, number, "objection") for device in devices]
        store.add(VIEWS.empty_table(), {one: (now_ms, False) for one in numbers if held.get(one) == (at_ms, True)})
    finally:
        store.close()


def number_visitors(devices: Iterable[str], keys: Keys) -> list[int]:
    """Return the numbers that device ids (as they are spelt) have as visitors, in every period whose key is there."""
    periods = [keys.own(name) for name in keys.own_names(KEY) if name != OBJECTIONS]
    return [_number(device, key, "visitor") for device in devices for key in periods]


def _number(device: str, key: bytes, person: str) -> int:
    digest = blake2b(device.encode("utf-8", "surrogatepass"), key=key, digest_size=8, person=person.encode()).digest()
    return int.from_bytes(digest, "little") & (2**63 - 1)
