"""A small shop (synthetic) that collects: its folder, deliveries into its journal, and everything that it keeps."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from parcours import company as companies
from parcours import flow
from parcours.collect import Compacted, company_lock
from parcours.collect.compaction.quarantine import open_aside
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.journal.opening import JOURNAL, open_journal
from parcours.collect.journal.sealing import Sealer
from parcours.company import Company
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable
from parcours.engine.store.parts import read_part
from parcours.engine.store.sqlite import Database, open_database
from parcours.know.identity.edges import Edges
from parcours.know.keys import open_keys
from parcours.know.state import open_state
from parcours.know.vault import Vault

BLUEPRINT = """
company: {id: boutique, label: {fr: Boutique (synthétique), en: Boutique (synthetic)}, synthetic: true}
stages:
  - {id: choice, label: {fr: Choix, en: Choice}, deadline: 30d}
  - {id: use, label: {fr: Usage, en: Use}}
channels:
  - {id: web, label: {fr: Site, en: Website}, kind: digital}
  - {id: store, label: {fr: Magasin, en: Store}, kind: human}
teams:
  - {id: sales, label: {fr: Ventes, en: Sales}}
objects: [order]
touchpoints:
  - {id: page, label: {fr: Page, en: Page}, stage: choice, channel: web, owner: sales, events: [Page Viewed]}
  - {id: checkout, label: {fr: Achat, en: Checkout}, stage: choice, channel: web, owner: sales,
     events: [Order Completed]}
  - id: visit
    label: {fr: Visite, en: Visit}
    stage: use
    channel: store
    owner: sales
    events: [Store Visited]
    experience:
      {metric: csat, event: Survey Answered, field: score, scale: [0, 10], satisfied_from: 7, text: comment}
operations:
  - {id: preparation, label: {fr: Préparation, en: Preparation}, owner: sales, events: [Order Packed],
     measure: {unit: min, field: minutes}, supports: [page, checkout, visit]}
fields:
  - {id: n, kind: number}
  - {id: colour, kind: category}
groups:
  - {id: segment, label: {fr: Segment, en: Segment}, field: segment}
purposes:
PURPOSES
money: {event: Order Completed, field: amount, currency: EUR}
journey:
  sequence: [{touchpoint: page}, {optional: {touchpoint: checkout}}, {touchpoint: visit}]
"""
IMPROVE = "  - {id: improve, label: {fr: Améliorer, en: Improve}, basis: legitimate_interest, measures: [all]}\n"
PERSONALISE = (
    "  - {id: personalise, label: {fr: Personnaliser, en: Personalise}, basis: consent, "
    "measures: [timeline, experience]}\n"
)
WEB = "source: web\nconnector: http\n"
APP = "source: app\nconnector: http\n"
NAMES = ("Page Viewed", "Order Completed", "Store Visited", "Survey Answered")
DAY_MS = 86_400_000
NOW_MS = time.time_ns() // 1_000_000
RECEIVED_MS = NOW_MS - 5 * 3_600_000
"""A moment after everything that `make_event` dates, and some hours ago."""


def make_company(
    folder: Path, purposes: str = IMPROVE + PERSONALISE, settings: str = "", sources: Sequence[str] = (WEB, APP)
) -> Company:
    """Write the folder of the shop and open it."""
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    write_blueprint(folder, purposes)
    for text in sources:
        name = text.split()[1]
        (folder / "sources" / f"{name}.yaml").write_text(text, "utf-8")
    (folder / "parcours.toml").write_text('language = "en"\n' + settings, "utf-8")
    company = companies.open(folder)
    # Its keys are made by now, so that a copy has the same.
    company.know.door()
    return company


def write_blueprint(folder: Path, purposes: str = IMPROVE + PERSONALISE, more_events: str = "") -> None:
    """Write the blueprint; ``more_events`` are further events of the page."""
    text = BLUEPRINT.replace("PURPOSES\n", purposes)
    if more_events:
        text = text.replace("events: [Page Viewed]", f"events: [Page Viewed, {more_events}]")
    (folder / "blueprint.yaml").write_text(text, "utf-8")


def write_time(at_ms: int) -> str:
    """Return a moment as SDKs write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms / 1000)) + f".{at_ms % 1000:03d}Z"


def make_event(n: int, user: str | None = "C1", agrees: bool | None = None, **members: Any) -> dict[str, Any]:
    """Return event number ``n``, which can be told from every other one by its field ``n``."""
    name = NAMES[n % len(NAMES)]
    properties: dict[str, Any] = {"n": n, "colour": ("red", "blue")[n % 2], "segment": f"s{n % 3}"}
    if name == "Order Completed":
        properties |= {"order_id": f"O{n}", "amount": 10 + n % 7}
    if name == "Survey Answered":
        properties |= {"score": n % 11, "comment": f"secret words {n}"}
    event: dict[str, Any] = {
        "type": "track",
        "event": name,
        "messageId": f"message-{n:06d}",
        "timestamp": write_time(NOW_MS // DAY_MS * DAY_MS - DAY_MS + 7 * n),
        "properties": properties,
    }
    if user is not None:
        event["userId"] = user
    if agrees is not None:
        event["context"] = {"consent": {"categoryPreferences": {"personalise": agrees}}}
    return {name: value for name, value in {**event, **members}.items() if value is not ...}


def deliver(
    company: Company, *items: Any, source: str = "web", received_ms: int | None = None, kind: str = BATCH
) -> int:
    """Have the journal accept one batch of ``items``; return its number."""
    received_ms = received_ms or time.time_ns() // 1_000_000
    body = json.dumps({"batch": list(items)}).encode() if kind == BATCH else items[0]
    return accept(company, [Delivery(source, kind, received_ms, "203.0.113.7", body)], len(items))


def accept(company: Company, deliveries: Sequence[Delivery], events: int) -> int:
    """Have the journal accept one batch of deliveries; return its number."""
    journal, close = open_journal(company.folder)
    try:
        return journal.append([Sealer(company.know.hour_key).seal(deliveries, events)])[0]
    finally:
        close()


def take_over(company: Company) -> Compacted:
    """Compact as the keeper does."""
    with company_lock(company.folder):
        return flow.collect_live(company)


def count_kept(folder: Path) -> Counter[int]:
    """Return how often each event stands in the parts, by its field ``n``."""
    return Counter(int(row["field_n"]) for row in read_events(folder))


def read_events(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of every part, by event number."""
    manifest = Manifest(folder)
    try:
        rows = [row for part in manifest.parts() for row in read_part(folder, part).to_pylist()]
    finally:
        manifest.close()
    return sorted(rows, key=lambda row: row["event_no"])


def count_arrivals(folder: Path) -> Counter[str]:
    """Return how many events are counted under each outcome."""
    database = open_database(folder / JOURNAL)
    try:
        found: Counter[str] = Counter()
        for one in Arrivals(database).since(0):
            found[one.outcome] += one.count
        return found
    finally:
        database.close()


def count_aside(folder: Path) -> Counter[str]:
    """Return how many events wait in quarantine, by fault."""
    database = open_database(folder / JOURNAL)
    try:
        found: Counter[str] = Counter()
        for group in AsideEvents(database).groups():
            found[group.code] += group.count
        return found
    finally:
        database.close()


def describe(company: Company) -> dict[str, Any]:
    """Return everything that a company keeps, and what it means, in a form that event numbers do not change.

    Numbers are set aside for events before these are taken over, and never used again after a crash: what counts is
    their order. One that belongs to no event is told as a negative one.
    """
    folder = company.folder
    rows = read_events(folder)
    rank = {row["event_no"]: place for place, row in enumerate(rows)}
    assert len(rank) == len(rows), "an event number stands twice"
    state, keys = open_state(folder), open_keys(folder, company.settings)[0]
    vault = Vault(state, keys)
    told: dict[str, Any] = {
        "parts": [_plain(row, rank, vault) for row in rows],
        "vault": [
            (number, rank.get(first, -first), vault.read_identifier(number))
            for number, first in zip(*(column.tolist() for column in vault.first_seen()), strict=True)
        ],
        "edges": sorted(
            (rank.get(number, -number), one, other) for number, one, other in Edges(state, keys).read().tolist()
        ),
        "ledger": _describe_choices(state),
        "texts": state.execute("SELECT count(*) FROM texts")[0][0],
        "arrivals": dict(count_arrivals(folder)),
        "aside": _describe_aside(company),
        "outbox": _describe_outbox(company),
    }
    state.close()
    keys.close()
    for purpose in company.blueprint.purposes:
        tables = company.know.events_for(purpose.id).tables
        for name, table in tables.items():
            told[f"{purpose.id} {name}"] = [
                _plain(row, rank, None) for path in table.paths for row in pq.read_table(path).to_pylist()
            ]
    told["experience"] = [repr(row) for row in company.result("experience").rows]
    return told


def _describe_choices(state: Database) -> list[Any]:
    """Return who chose what from when on.

    A compaction that was cut short may have recorded the same before, and a choice that is stated again is recorded now
    and then, not each time: neither changes what counts.
    """
    runs: list[tuple[Any, ...]] = []
    for *choice, first in state.execute(
        "SELECT principal, purpose, choice, occurred_ms FROM consent ORDER BY 1, 2, 4, entry_no"
    ):
        if not runs or list(runs[-1][:3]) != choice:
            runs.append((*choice, first))
    return runs


def _plain(row: dict[str, Any], rank: dict[int, int], vault: Vault | None) -> dict[str, Any]:
    told = {name: rank.get(value, value) if name == "event_no" else value for name, value in row.items()}
    told.pop("touch_no", None)
    if vault is not None:
        ref = told.pop("text_comment", None)
        told["comment"] = vault.read_texts([ref])[ref][1] if ref is not None else None
    else:
        told.pop("text_ref", None)
    return told


def _describe_aside(company: Company) -> list[Any]:
    database = open_database(company.folder / JOURNAL)
    try:
        unseal = company.know.door().unseal
        return sorted(
            (one.source, one.code, delivery.received_ms, delivery.body)
            for _, one in AsideEvents(database).take(limit=100_000)
            for delivery in open_aside(one, unseal)
        )
    finally:
        database.close()


def _describe_outbox(company: Company) -> list[Any]:
    database = open_database(company.folder / JOURNAL)
    try:
        unseal = company.know.door().unseal
        return [(one.message_id, unseal(one.body)) for _, one in OutboxTable(database).take("partner", 100_000)]
    finally:
        database.close()


def count_pending(folder: Path) -> int:
    """Return how many batches wait."""
    database = open_database(folder / JOURNAL)
    try:
        journal = Journal(database)
        return journal.last_batch_no() - journal.taken()
    finally:
        database.close()


def draw_stream(draw: random.Random, count: int, users: int = 9) -> Iterable[dict[str, Any]]:
    """Yield events of every kind of some customers, each with a constant choice of its own, and their retries."""
    sent: list[dict[str, Any]] = []
    for n in range(count):
        user = draw.randrange(users)
        event = make_event(n, f"C{user}", user % 3 != 0 if user % 2 else None)
        if draw.random() < 0.6:
            event["anonymousId"] = f"D{user}{n % 2}"
        if draw.random() < 0.2:
            event["traits"] = {"email": f"c{user}@maison.fr"}
        sent.append(event)
        yield event
        if draw.random() < 0.2:
            yield draw.choice(sent)


def copy_company(company: Company, place: Path) -> Company:
    """Return a copy of a company with the same keys, opened anew."""
    shutil.copytree(company.folder, place)
    return companies.open(place)
