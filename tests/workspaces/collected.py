"""A company that collects: sources of every kind, and a journal filled through its own tables, all of it synthetic."""

from __future__ import annotations

import math
import time
from pathlib import Path

from firm import Firm

from parcours.blueprint.records import Blueprint
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.journal import Frame, Journal
from parcours.engine.store.manifest import FileState, Manifest, Quarantined
from parcours.engine.store.outbox import OutboxTable, Waiting
from parcours.engine.store.sqlite import Database
from parcours.errors import ParcoursError
from parcours.words import Words
from parcours.workspaces.live import LiveState

HOUR_MS = 3_600_000
SOURCES = {
    "web": "source: web\nconnector: http\n",
    "app": "source: app\nconnector: http\n",
    "crm": "source: crm\nconnector: sql\noptions: {url: '${CRM_URL}', table: calls, cursor: changed_at, key: id}\n"
    "time: {column: at}\nids: {user: client}\nevents: [Call Ended]\n",
    "shop": "source: shop\nconnector: kafka\noptions: {servers: ['127.0.0.1:9092'], topic: visits}\n"
    "time: {column: at}\nids: {user: client}\nevents: [Store Visited]\n",
    "kiosk": "source: kiosk\nconnector: http\n",
    "orders": "source: orders\nfile: orders.csv\ntime: {column: at}\nids: {user: client}\nevents: [Order Placed]\n",
}
DESTINATION = (
    "destination: crm_hook\nconnector: webhook\n"
    "options: {url: 'https://crm.example.com/events', secret: '${CRM_SECRET}'}\n"
    "purpose: improve_service\nevents: [Order Picked]\n"
)
MISSING = Words(
    "L'événement « Order Placed » n'a pas de champ « order_value », et ne veut rien dire sans lui. "
    "Envoyez-y un nombre.",
    "The event “Order Placed” has no field “order_value”, and means nothing without it. Send a number in it.",
)
UNKNOWN = Words(
    "Le plan n'emploie pas l'événement « Basket Emptied ». Nommez-le dans le plan ou corrigez l'envoi.",
    "The blueprint does not use the event “Basket Emptied”. Name it in the blueprint or mend the sender.",
)
NO_DATE = Words("La colonne « at » n'est pas une date.", "The column “at” is no date.")


class CollectingFirm(Firm):
    """A firm whose quarantine can be replayed; ``asked`` notes each time that it was."""

    def __init__(self, folder: Path, blueprint: Blueprint | None = None, answered: bool = True) -> None:
        super().__init__(folder, blueprint, answered)
        self.asked: list[tuple[str | None, str | None]] = []
        self.fault: ParcoursError | None = None

    def replay(self, source: str | None, code: str | None) -> int:
        """Take the events out of the quarantine."""
        self.asked.append((source, code))
        if self.fault:
            raise self.fault
        manifest = Manifest(self.folder)
        try:
            aside = AsideEvents(manifest.database)
            numbers = [number for number, _ in aside.take(source, code, limit=10_000)]
            aside.remove(numbers)
            return len(numbers)
        finally:
            manifest.close()


class Feed:
    """A feed that says what a test has set."""

    def __init__(self, state: LiveState | None = None) -> None:
        self.state = state or LiveState()

    def snapshot(self) -> LiveState:
        """Return the state that is set now."""
        return self.state


def declare(folder: Path, sources: dict[str, str] | None = None, destination: str = DESTINATION) -> None:
    """Write the sources and the destination."""
    for name in ("sources", "destinations"):
        (folder / name).mkdir(exist_ok=True)
    for id, text in (SOURCES if sources is None else sources).items():
        (folder / "sources" / f"{id}.yaml").write_text(text, "utf-8")
    if destination:
        (folder / "destinations" / "crm.yaml").write_text(destination, "utf-8")


def fill_journal(folder: Path, now_ms: int | None = None) -> None:
    """Fill the journal with two weeks: the web in the daytime, calls in office hours, a shop silent for five hours."""
    now_ms = now_ms or time.time_ns() // 1_000_000
    manifest = Manifest(folder)
    try:
        _add_arrivals(manifest.database, now_ms)
        _add_aside(manifest.database, now_ms)
        _add_queues(manifest.database, now_ms)
        _add_files(manifest, now_ms)
    finally:
        manifest.close()


def _add_arrivals(database: Database, now_ms: int) -> None:
    this_hour = now_ms // HOUR_MS
    counts: dict[tuple[str, int, str, str], int] = {}
    for back in range(14 * 24):
        hour = this_hour - back
        of_day, day = hour % 24, hour // 24
        wave = max(0.0, math.sin((of_day - 6) * math.pi / 17)) ** 1.5
        growth = 1.12 if back < 7 * 24 else 1.0
        web = int((20 + 900 * wave * (0.75 + 0.08 * (day % 5))) * growth * (0.4 if back == 0 else 1))
        counts["web", hour, "kept", ""] = web
        counts["web", hour, "duplicate", ""] = web // 90
        counts["web", hour, "discarded", ""] = web // 14
        counts["web", hour, "told", "clock_not_corrected"] = web // 40
        counts["app", hour, "kept", ""] = int((4 + 260 * wave) * (0.4 if back == 0 else 1))
        counts["crm", hour, "kept", ""] = 38 + 3 * (hour % 4) if 7 <= of_day <= 18 and day % 7 not in (2, 3) else 0
        counts["shop", hour, "kept", ""] = 45 + hour % 9 if back >= 5 else 0
    counts["web", this_hour, "quarantined", "field_missing"] = 214
    counts["app", this_hour - 3, "quarantined", "unknown_event"] = 17
    office = max(
        (hour for source, hour, *_ in counts if source == "crm" and counts[source, hour, "kept", ""]), default=0
    )
    latest = {"web": now_ms - 2_000, "app": now_ms - 41_000, "shop": now_ms - 5 * HOUR_MS - 600_000}
    Arrivals(database).add(counts, {**latest, "crm": min(now_ms - 60_000, office * HOUR_MS + 3_000_000)})


def _add_aside(database: Database, now_ms: int) -> None:
    events = [
        Aside("web", "field_missing", "plan.field_missing", MISSING, now_ms - n * 9_000, b"?") for n in range(214)
    ]
    for n in range(17):
        moment = now_ms - n * 8 * HOUR_MS
        events.append(Aside("app", "unknown_event", "plan.unknown_event", UNKNOWN, moment, b"?"))
    AsideEvents(database).add(events)


def _add_queues(database: Database, now_ms: int) -> None:
    outbox = OutboxTable(database)
    outbox.add(Waiting("crm_hook", f"m{number}", now_ms - 42_000 + number, b"?") for number in range(40))
    outbox.done("crm_hook", 25)
    outbox.refuse("crm_hook", 26, "http_410")
    Journal(database).append([Frame(now_ms // HOUR_MS, 120, now_ms - 4_000 + n, b"?") for n in range(3)])


def _add_files(manifest: Manifest, now_ms: int) -> None:
    counts = {"rows_read": 1_538, "new": 1_536, "quarantined": 2, "events": 1_536, "discarded": 0}
    manifest.commit(
        file_states=[FileState("orders", "orders.csv", 1, 1, "0", "0", counts, 0, now_ms - 3 * HOUR_MS)],
        quarantine=[
            Quarantined("orders", "orders.csv", line, "date_unreadable", NO_DATE.fr, NO_DATE.en, b"?", now_ms - HOUR_MS)
            for line in (12, 80)
        ],
    )
