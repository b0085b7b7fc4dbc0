"""A company (synthetic) in which one person has left a canary everywhere, and an oracle that looks for them."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard
from tests.know.conftest import make_blueprint

from parcours import flow
from parcours.blueprint.records import Field, Purpose, Retained
from parcours.collect.compaction.quarantine import open_aside
from parcours.collect.compaction.seen_files import OpenRun
from parcours.collect.connectors.destinations import Destination
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.journal.opening import open_journal
from parcours.collect.journal.sealing import Sealer
from parcours.collect.known import open_known
from parcours.company import Company
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.checked import CheckedTable
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.sqlite import open_database
from parcours.know.identities import PROFILE_KEY
from parcours.know.identity.acts import Acts
from parcours.know.identity.people import ProfileIds
from parcours.know.identity.scored import WAITING, Scored
from parcours.know.keys import open_keys
from parcours.know.personal import Personal
from parcours.know.pseudonyms import digest_identifiers
from parcours.know.state import open_state
from parcours.know.vault import Vault
from parcours.progress import Silent
from parcours.settings import Settings
from parcours.words import Words

CANARY = "kanari"
IDS = {
    "user": f"{CANARY}-user-7",
    "mail": f"{CANARY}@maison-synthetique.fr",
    "phone": "+33612345670",
    "device": f"{CANARY}-device-9",
}
BLUEPRINT = make_blueprint(
    purposes=(
        Purpose(id="improve", label=Words(fr="a", en="a"), basis="legitimate_interest", measures=("all",)),
        Purpose(id="personalise", label=Words(fr="b", en="b"), basis="consent", measures=("experience",)),
    ),
    fields=(Field(id="note", kind="category"), Field(id="town", kind="personal")),
)
RETAINING = (
    Retained(
        id="invoices", label=Words(fr="f", en="i"), events=("Ordered",), basis="legal_obligation", years=10,
        fields=("amount", "order"),
    ),
)  # fmt: skip
DESTINATION = Destination(destination="crm", connector="folder", purpose="improve", events=("Called", "Ordered"))
ORDERS = """source: orders
file: data/orders.csv
key: [order_id]
time: {column: at}
ids: {user: customer, mail: email, phone: phone}
objects: {order: order_id}
consent: {personalise: {column: agrees, yes: ["yes"]}}
fields:
  amount: {column: euros, unit: eur, to: eur}
  site: shop
  note: note
events:
  - name: Ordered
"""
WEB = "source: web\nconnector: http\n"


class Living(Company):
    """A company whose destination is declared here."""

    @property
    def destinations(self) -> tuple[Destination, ...]:  # type: ignore[override]
        return (DESTINATION,)


def open_company(folder: Path, **changes: Any) -> Living:
    import msgspec

    return Living(folder, msgspec.structs.replace(BLUEPRINT, **changes), Settings())


def write_orders(folder: Path) -> None:
    lines = ["order_id,at,customer,email,phone,agrees,euros,shop,note"]
    for number in range(24):
        mine = number % 6 == 0
        who = (IDS["user"], IDS["mail"], "06 12 34 56 70") if mine else (f"other-{number}", f"o{number}@x.fr", "")
        at = f"{2024 + number % 2}-0{1 + number % 9}-12T10:00:00Z" if number not in (6, 7) else "never"
        note = f"note {CANARY}" if mine else "plain"
        lines.append(f"O{number},{at},{','.join(who)},{'yes' if number % 2 else 'no'},{10 + number},Lyon,{note}")
    (folder / "data" / "orders.csv").write_text("\n".join(lines) + "\n", "utf-8")


def event(name: str, who: dict[str, str], number: int, **properties: Any) -> dict[str, Any]:
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 90_000 + number))
    told: dict[str, Any] = {"type": "track", "event": name, "messageId": f"message-{number:06d}", "timestamp": at}
    told |= {"properties": properties, "context": {"traits": {}}}
    if "user" in who:
        told["userId"] = who["user"]
    if "device" in who:
        told["anonymousId"] = who["device"]
    if "mail" in who:
        told["context"]["traits"]["email"] = who["mail"]
    told["context"]["consent"] = {"categoryPreferences": {"personalise": True}}
    return told


def deliver(folder: Path, company: Company, *events: dict[str, Any]) -> None:
    """Have the journal accept one delivery."""
    sealer = Sealer(company.know.hour_key)
    journal, close = open_journal(folder)
    now_ms = time.time_ns() // 1_000_000
    delivery = Delivery("web", BATCH, now_ms, "", json.dumps({"batch": list(events)}).encode())
    journal.append([sealer.seal([delivery], len(events), "inlet", b"cursor")])
    close()


def browse(start: int) -> list[dict[str, Any]]:
    """Return what the person, others, and both on one kiosk do on the web; one of the person's events is bad."""
    mine, other = {"user": IDS["user"], "device": IDS["device"]}, {"user": "other-1", "device": "other-device-1"}
    words = {"about": "delivery", "score": 7, "comment": f"Merci, {CANARY} {IDS['mail']}", "order_id": "O0"}
    told = [
        event("Called", mine, start, note=f"{CANARY} called", order_id="O6", town=f"{CANARY}-ville"),
        event("Answered", mine, start + 1, **words),
        event("Viewed", {"device": IDS["device"]}, start + 2, about="product"),
        event("Called", other, start + 3, town="Autreville"),
        event("Answered", other, start + 4, **words | {"comment": "Très bien", "order_id": "O1"}),
        event("Called", {"user": IDS["user"], "device": "kiosk-device"}, start + 5),
        event("Called", {"user": "other-1", "device": "kiosk-device"}, start + 6),
        event("Called", {"user": "other-3", "device": "kiosk-device"}, start + 7),
        event("Viewed", {"device": "kiosk-device"}, start + 8, about="product"),
        event("Nothing of the kind", mine, start + 9, secret=CANARY),
        event("Nothing of the kind", other, start + 10),
    ]
    told.append({**event("Called", {**mine, "mail": IDS["mail"]}, start + 11), "timestamp": "never"})
    return told


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files loaded, deliveries taken over and waiting, everything derived and measured: once."""
    folder = tmp_path_factory.mktemp("made")
    make_company(folder)
    return folder


@pytest.fixture
def company(made: Path, tmp_path: Path) -> Living:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return open_company(tmp_path)


def make_company(folder: Path, **changes: Any) -> Living:
    (folder / "sources").mkdir(parents=True)
    (folder / "data").mkdir()
    for name, text in (("orders", ORDERS), ("web", WEB)):
        (folder / "sources" / f"{name}.yaml").write_text(text, "utf-8")
    write_orders(folder)
    company = open_company(folder, **changes)
    deliver(folder, company, *browse(0), *browse(20))
    flow.run(company, Silent())
    deliver(folder, company, *browse(100), *browse(120), *browse(140))
    flow.run(company, Silent())
    plant_links(folder, company)
    deliver(folder, company, *browse(200))
    return company


def plant_links(folder: Path, company: Company) -> None:
    """Have people and programs say who is who, and who is not, in every store that holds such a word."""
    state, keys = open_state(folder), open_keys(folder, Settings())[0]
    mine, other, mail = (
        int(digest_identifiers(kind, [value], keys.pseudonyms)[0][0])
        for kind, value in (("user", IDS["user"]), ("user", "other-1"), ("mail", IDS["mail"]))
    )
    pair = np.array([min(mine, other)]), np.array([max(mine, other)])
    Scored(state, keys).append(*pair, np.array([1_000]), 1, 40, WAITING)
    company.know.unmerge(f"user:{IDS['user']}", "user:other-1", "cli", "two customers")
    act = Acts(state, keys).read()[-1]
    profiles = ProfileIds(keys.derive(PROFILE_KEY)).all(np.array([mine, other]))
    # A living customer once had this person's profile.
    Acts(state, keys).publish(act, np.array([other]), profiles[:1], profiles[1:])
    CheckedTable(state, "renamed", ("pseudonym", "stands_for"), ("pseudonym",), keys.checks).put([(5, mail)])
    state.close()


def pseudonyms(folder: Path) -> set[int]:
    keys = open_keys(folder, Settings())[0]
    found = {int(digest_identifiers(kind, [value], keys.pseudonyms)[0][0]) for kind, value in IDS.items()}
    keys.close()
    return found


class Oracle:
    """Decodes everything under ``.parcours`` by itself and counts what is of the person: an eye beside the product's.

    Args:
        folder: The company folder.
        before: What the person's rows were known by before.
    """

    def __init__(self, folder: Path, row_keys: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.folder, self.root = folder, folder / ".parcours"
        self.whom, self.row_keys = pseudonyms(folder), set(row_keys)
        keys = open_keys(folder, Settings())[0]
        self.whom |= {*ProfileIds(keys.derive(PROFILE_KEY)).all(np.array(sorted(self.whom))).tolist()}
        keys.close()
        self.found: dict[str, int] = {}

    def count(self) -> int:
        """Return how often the person was found."""
        for path in sorted(self.root.rglob("*")):
            if path.suffix == ".parquet":
                for name, values in pq.read_table(path).to_pydict().items():
                    self._see(f"{path.parent.parent.name}/{path.name} {name}", values)
            elif path.suffix == ".npy":
                self._see(f"{path.parent.parent.name}/{path.name}", np.load(path).ravel().tolist())
            elif path.suffix in (".json", ".html"):
                self._see(path.name, [path.read_text("utf-8")])
        report = self.folder / "report.html"
        self._see("report", [report.read_text("utf-8")] if report.exists() else [])
        self._read_journal()
        self._read_databases()
        return sum(self.found.values())

    def _read_journal(self) -> None:
        keys = open_keys(self.folder, Settings())[0]
        manifest = Manifest(self.folder)
        for number, lot in AsideEvents(manifest.database).take(limit=10_000):
            del number
            self._see("aside", [one.body.decode() for one in open_aside(lot, keys.unseal)])
        self._see("quarantine", [keys.unseal(row.original).decode() for row in manifest.quarantined()])
        for message_id, body in manifest.database.execute("SELECT message_id, body FROM outbox"):
            if not str(message_id).startswith("erasure-"):
                self._see("outbox", [keys.unseal(body).decode()])  # type: ignore[arg-type]
        sealer = Sealer(keys.hour_key)
        for batch in Journal(manifest.database).pending():
            self._see("journal", [one.body.decode() for one in sealer.open(batch)])
        for register in manifest.registers():
            self._see("known", open_known(self.folder, register).keys.tolist(), self.row_keys)
        for run in manifest.seen_runs():
            opened = OpenRun(self.folder, run)
            for day in opened.days.tolist():
                self._see("seen", opened.of(day).ids.tolist(), self.row_keys)
        state = open_state(self.folder)
        vault = Vault(state, keys)
        self._see(
            "vault values",
            [vault.read_identifier(int(row[0])) or "" for row in state.execute("SELECT pseudonym FROM vault")],
        )  # type: ignore[arg-type]
        self._see("texts", list(vault.read_all_texts()))
        told = [one.text for _, values in Personal(state, keys).read() for one in values.values()]
        self._see("personal", told)
        manifest.close()
        keys.close()

    def _read_databases(self) -> None:
        for path in sorted(self.root.glob("*.db")):
            database = open_database(path)
            for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
                if table in ("retained", "tombstones"):
                    continue
                for row in database.execute(f"SELECT * FROM {table}"):
                    cells = [self._unpack(cell) for cell in row]
                    self._see(f"{path.name} {table}", cells)
            database.close()

    def _unpack(self, cell: Any) -> Any:
        if isinstance(cell, bytes) and len(cell) > 20:
            for start in (0, 8):
                try:
                    return zstandard.ZstdDecompressor().decompress(cell[start:], 1 << 26)
                except zstandard.ZstdError:
                    continue
        return cell

    def _see(self, place: str, values: Any, numbers: set[int] | None = None) -> None:
        whom = self.whom if numbers is None else numbers
        patterns = [number.to_bytes(8, order) for number in whom for order in ("little", "big")]
        for value in values:
            if isinstance(value, str):
                folded = value.lower()
                hit = CANARY in folded or "612345670" in folded.replace(" ", "") or "612345670" in folded
            elif isinstance(value, bytes):
                hit = CANARY.encode() in value.lower() or any(pattern in value for pattern in patterns)
            else:
                hit = isinstance(value, int) and value in whom
            if hit:
                self.found[place] = self.found.get(place, 0) + 1


def row_keys_of(folder: Path) -> set[int]:
    """Return the keys of the person's rows in parts."""
    whom = pseudonyms(folder)
    manifest = Manifest(folder)
    rows = [
        row
        for part in manifest.parts()
        for row in pq.read_table(folder / ".parcours" / part.path, columns=["subject", "row_key"]).to_pylist()
    ]
    manifest.close()
    return {row["row_key"] for row in rows if row["subject"] in whom}
