"""A small company (synthetic) to be spoiled, what is done to its files, and whether it then tells the truth."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import random
import shutil
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.know.conftest import make_blueprint

from parcours import results
from parcours.blueprint.records import Field, Purpose, Signals
from parcours.collect.compaction.seen_files import OpenRun
from parcours.collect.journal.delivery import BATCH, Delivery
from parcours.collect.journal.opening import open_journal
from parcours.collect.journal.sealing import Sealer
from parcours.collect.known import open_known
from parcours.collect.survey.register import Register
from parcours.company import Company
from parcours.engine.store.aside import AsideEvents
from parcours.engine.store.figures import Figures
from parcours.engine.store.journal import Journal
from parcours.engine.store.manifest import Manifest
from parcours.engine.store.outbox import OutboxTable, Waiting
from parcours.engine.store.parts import read_part
from parcours.engine.store.receipts import Receipt, Receipts
from parcours.engine.store.write_keys import WriteKey, WriteKeys
from parcours.errors import Fault, ParcoursError
from parcours.know import Access, verify
from parcours.know.access.store import open_access, tables_of
from parcours.know.audience.store import VIEWS, AudienceStore
from parcours.know.audit.log import Audit
from parcours.know.consent.ledger import Ledger
from parcours.know.consent.lines import CONTEXT, EVIDENCE, PRINCIPAL
from parcours.know.gate.versions import Versions
from parcours.know.identity.acts import Acts
from parcours.know.identity.edges import Edges
from parcours.know.identity.renaming import Renamed
from parcours.know.identity.scored import ACCEPTED, Scored
from parcours.know.identity.shared import SharedDevices
from parcours.know.keys import open_keys
from parcours.know.minimising.masked import Masked
from parcours.know.personal import Personal
from parcours.know.rights.callbacks import Callbacks, Called
from parcours.know.rights.dsr_keys import DsrKeys
from parcours.know.rights.erasures import Body, Erasures
from parcours.know.rights.requests import Requests
from parcours.know.rights.retained import RetainedRow, RetainedRows
from parcours.know.rights.tombstones import NEVER, Tombstones
from parcours.know.state import open_state
from parcours.know.vault import Vault
from parcours.progress import Silent
from parcours.settings import Settings
from parcours.words import Words

PAGE = 4096
PATIENCE_S = 60
BLUEPRINT = make_blueprint(
    purposes=(
        Purpose(id="improve", label=Words(fr="a", en="a"), basis="legitimate_interest", measures=("all",)),
        Purpose(
            id="personalise",
            label=Words(fr="b", en="b"),
            basis="consent",
            measures=("experience",),
            signals=Signals(consent_mode=("ad_storage",)),
        ),
    ),
    fields=(Field(id="town", kind="personal"),),
)
ORDERS = """source: orders
file: data/orders.csv
key: [order_id]
time: {column: at}
ids: {user: customer, mail: email}
objects: {order: order_id}
consent: {personalise: {column: agrees, yes: ["yes"]}}
fields:
  amount: {column: euros, unit: eur, to: eur}
  site: shop
events:
  - name: Ordered
"""
WEB = "source: web\nconnector: http\n"


def open_company(folder: Path) -> Company:
    """Return the company in ``folder``."""
    return Company(folder, BLUEPRINT, Settings())


def write_orders(folder: Path, first: int, count: int) -> None:
    """Write orders to the file of the source, the last of them unreadable."""
    lines = ["order_id,at,customer,email,agrees,euros,shop"]
    for number in range(first, first + count):
        at = "never" if number == first + count - 1 else f"2026-01-{1 + number % 28:02d}T10:00:00Z"
        agrees = "yes" if number % 3 else "no"
        lines.append(f"O{number},{at},C{number % 9},c{number % 9}@example.org,{agrees},{10 + number},Lyon")
    (folder / "data" / "orders.csv").write_text("\n".join(lines) + "\n", "utf-8")


def deliver(folder: Path, company: Company, batches: int, start: int) -> None:
    """Have the journal accept batches of delivered events: surveys with a comment, calls, one that is unreadable."""
    sealer = Sealer(company.know.hour_key)
    journal, close = open_journal(folder)
    now_ms = time.time_ns() // 1_000_000
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now_ms / 1000 - 90_000))
    for place in range(start, start + batches):
        items: list[dict[str, Any]] = []
        for number in range(6):
            told = {"type": "track", "messageId": f"m{place}-{number}", "userId": f"C{(place + number) % 11}"}
            told |= {"event": ("Answered", "Called", "Viewed")[number % 3], "timestamp": at}
            told["anonymousId"] = f"D{number}"
            about = {
                "about": "delivery",
                "score": number,
                "comment": f"Très bien {place}, a@b.fr",
                "order_id": f"O{number}",
            }
            about["town"] = f"Ville {number}"
            agrees: dict[str, Any] = {"categoryPreferences": {"personalise": True}}
            agrees |= {"consent_mode": f"ad_storage=granted region=FR-{number}"}
            items.append(told | {"properties": about, "context": {"consent": agrees}})
        items[-1]["event"] = 7
        delivery = Delivery("web", BATCH, now_ms + place, "", json.dumps({"batch": items}).encode())
        journal.append([sealer.seal([delivery], len(items), f"inlet{place}", b"cursor")])
    close()


def build(folder: Path) -> None:
    """Make the company: files loaded, deliveries taken over and waiting, everything derived and measured."""
    from parcours import flow

    for name, text in (("orders", ORDERS), ("web", WEB)):
        (folder / "sources").mkdir(parents=True, exist_ok=True)
        (folder / "sources" / f"{name}.yaml").write_text(text, "utf-8")
    (folder / "data").mkdir()
    company = open_company(folder)
    for round in range(2):
        write_orders(folder, 0, 30 + round)
        deliver(folder, company, 4, 4 * round)
        flow.run(company, Silent())
    with _journal(folder) as manifest:
        WriteKeys(manifest.database).add(WriteKey("ab" * 32, "web", "abcdef", 5, None))
        for number in range(3):
            Receipts(manifest.database).add(_make_receipt(number))
        OutboxTable(manifest.database).add([Waiting("shop", f"m{n}", n, b"sealed") for n in range(3)])
    keys, _ = open_keys(folder, Settings())
    ledger = Ledger(open_state(folder), keys)
    ledger.catch_up()
    ledger.erase(ledger.lines_of(1)[:1, PRINCIPAL])
    scored = Scored(open_state(folder), keys)
    for place in range(3):
        scored.append(np.array([place, 5]), np.array([9, 9 + place]), np.array([800, 3000]), 1, 40 + place, ACCEPTED)
    ask_for_rights(folder, company)
    audience = AudienceStore(folder / ".parcours")
    audience.tell(Words(fr="Nous comptons.", en="We count."), 5)
    for place in range(3):
        views = [{"event_no": 10 * place + n, "day": place, "page": f"/{n}", "visitor": n * 7919} for n in range(5)]
        audience.add(pa.Table.from_pylist(views, schema=VIEWS), {place: (9, place == 1)})
    audience.close()
    for number in (1, 2):
        company.know.unmerge("user:C0", f"user:C{number}", "cli", "two customers")
    SharedDevices(open_state(folder), keys).note(np.array([(3 << 61) | 5, (3 << 61) | 9]), 40)
    register = Register(folder, keys.derive("surveys"))
    register.claim(b"answer", b"digest" * 5, 5, 1 << 60)
    register.close()
    audit = Audit(folder, keys)
    for number in range(20):
        audit.note("somebody", "see_customer", "profile", number, "done", f"ticket {number}")
    audit.close()
    keys.close()
    let_in(folder, 0, 12).close()
    deliver(folder, company, 3, 100)


def let_in(folder: Path, first: int, count: int) -> Access:
    """Add people who sign in, with a session and an opening link each; return the accounts, still open."""
    access, now_ms = Access(folder, Settings()), time.time_ns() // 1_000_000
    for number in range(first, first + count):
        person = access.add("cli", f"person{number}", "it" if number % 2 else "cem", (), None, now_ms)
        access.sessions.begin(person, "provider", now_ms)
        access.sessions.make_link(person, now_ms)
    return access


def ask_for_rights(folder: Path, company: Company) -> None:
    """Have people ask: erasures with their tombstones, what the law keeps, restrictions, programs and their calls."""
    state, keys = _state_of(folder)
    for number in (1, 2, 3):
        erasures, asked = Erasures(state, keys), company.know.requests
        body = Body(pseudonyms=[number], kinds={"user": 1}, shared=0, event_no=5)
        erasures.finish(erasures.begin(body, "cli", number), b"receipt", 9)
        Tombstones(state, keys).put(np.array([1 << 40 | number, 1 << 41 | number]), number, 5, NEVER)
        kept = [RetainedRow("invoices", "legal_obligation", NEVER, {"amount": place}) for place in range(3)]
        RetainedRows(state, keys).replace(number, kept)
        asked.open("restriction", [f"mail:a{number}@b.fr"], "cli", outside=f"request-{number}")
        asked.check_identity(number, "signed in", "cli")
        Ledger(state, keys).restrictions.put(np.array([1 << 42 | number, 1 << 43 | number]), -1, number, 5)
        Callbacks(state, keys).table.put([Called(number, f"https://dsr.example/{number}", "pending", 1, 5)])
    for number in (1, 2):
        DsrKeys(state, keys).add((f"https://dsr.example/{number}",))


def _make_receipt(number: int) -> Receipt:
    digests = {f"parts/{number}.parquet": "ab" * 32}
    return Receipt(0, number, 10 * number, 1, 0, 2, 99, {"improve": 10 * number}, digests, digests)


def go_on_and_die(folder: Path) -> None:
    """Do more in the company ``folder``, with its databases open, and end the process without closing anything."""
    from parcours import flow

    company = open_company(folder)
    held = [Manifest(folder), open_state(folder), open_keys(folder, Settings())]
    write_orders(folder, 5, 30)
    flow.run(company, Silent())
    deliver(folder, company, 3, 200)
    for number in range(4):
        company.know.audit.note("somebody", "export_rows", "table", f"touches{number}", "done")
    held += [company.know.audit, let_in(folder, 50, 6)]
    del held[3:4]
    os._exit(0)


@contextlib.contextmanager
def _journal(folder: Path) -> Iterator[Manifest]:
    manifest = Manifest(folder)
    try:
        yield manifest
    finally:
        manifest.close()


def make_companies(place: Path) -> dict[str, Path]:
    """Return the company at rest, and the same after a crash with its last changes in the logs."""
    rest, crashed = place / "rest", place / "crashed"
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from tests import spoiling; "
    code += "from pathlib import Path; spoiling.{0}(Path(sys.argv[1]))"
    for name, folder in (("build", rest), ("go_on_and_die", crashed)):
        if name == "go_on_and_die":
            shutil.copytree(rest, crashed)
        subprocess.run([sys.executable, "-c", code.format(name), str(folder)], check=True)
    return {"rest": rest, "crashed": crashed}


class Told(NamedTuple):
    """What a company says when it is asked everything: answers and codes of errors, by question.

    ``remediless`` holds the codes of errors that do not say what to do.
    """

    answers: dict[str, list[str]]
    errors: dict[str, str]
    remediless: list[str]


def ask_everything(folder: Path) -> Told:
    """Ask the company in ``folder`` for all that it keeps; any error but a `ParcoursError` goes through."""
    company = open_company(folder)
    told = Told({}, {}, [])

    def ask(name: str, read: Callable[[], list[Any]]) -> None:
        try:
            told.answers[name] = [repr(item) for item in read()]
        except ParcoursError as error:
            told.errors[name] = error.code
            told.remediless.extend(_without_remedy(error.faults))

    ask("report", lambda: [report.events] if (report := company.report) else [])
    for name, read in _QUESTIONS.items():
        ask(name, lambda read=read: read(folder))
    ask("customers", lambda: [company.know.refresh(Silent())])
    for purpose in BLUEPRINT.purposes:
        for table in ("touches", "answers", "operations", "customers"):
            ask(f"{purpose.id} {table}", lambda p=purpose.id, t=table: _derived(company, p, t))
    ask("experience", lambda: list(company.result("experience").rows))
    ask("comments", lambda: [one.text for one in company.verbatims("delivery")])
    ask("timeline", lambda: [(one.name, one.occurred_ms) for one in company.know.timeline("C1", "improve").events])
    return told


def _without_remedy(faults: Iterable[Fault]) -> list[str]:
    return [fault.code for fault in faults if not (fault.remedy.fr and fault.remedy.en)]


def _derived(company: Company, purpose: str, table: str) -> list[Any]:
    rows = pq.read_table(company.know.events_for(purpose).tables[table].paths[0])
    return list(rows.to_pylist())


def _state_of(folder: Path) -> tuple[Any, Any]:
    return open_state(folder), open_keys(folder, Settings())[0]


def _read_parts(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        rows = [row for part in manifest.parts() for row in read_part(folder, part).to_pylist()]
    return sorted(rows, key=lambda row: row["event_no"])


def _read_quarantine(folder: Path) -> list[Any]:
    _, keys = _state_of(folder)
    with _journal(folder) as manifest:
        return [(row.line, row.code, keys.unseal(row.original)) for row in manifest.quarantined()]


def _read_aside(folder: Path) -> list[Any]:
    _, keys = _state_of(folder)
    with _journal(folder) as manifest:
        return [(number, one.code, keys.unseal(one.original)) for number, one in AsideEvents(manifest.database).take()]


def _read_waiting(folder: Path) -> list[Any]:
    sealer = Sealer(_state_of(folder)[1].hour_key)
    with _journal(folder) as manifest:
        return [sealer.open(batch) for batch in Journal(manifest.database).pending()]


def _read_known(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        opened = [open_known(folder, register) for register in manifest.registers()]
    return [pair for known in opened for pair in zip(known.keys.tolist(), known.hashes.tolist(), strict=True)]


def _read_seen(folder: Path) -> list[Any]:
    found = []
    with _journal(folder) as manifest:
        for run in manifest.seen_runs():
            opened = OpenRun(folder, run)
            for day in opened.days.tolist():
                held = opened.of(day)
                found += [(day, *pair) for pair in zip(held.ids.tolist(), held.contents.tolist(), strict=True)]
    return sorted(found)


def _read_vault(folder: Path) -> list[Any]:
    state, keys = _state_of(folder)
    vault = Vault(state, keys)
    pseudonyms, first = vault.first_seen()
    pairs = zip(pseudonyms.tolist(), first.tolist(), strict=True)
    told = [(number, event_no, vault.read_identifier(number)) for number, event_no in pairs]
    return [row for row in told if row[2] is not None]


def _read_texts(folder: Path) -> list[Any]:
    state, keys = _state_of(folder)
    refs = [row["text_comment"] for row in _read_parts(folder) if row.get("text_comment") is not None]
    return sorted(Vault(state, keys).read_texts(refs).items())


def _read_personal(folder: Path) -> list[Any]:
    return [
        (subject, field, told) for subject, one in Personal(*_state_of(folder)).read() for field, told in one.items()
    ]


def _read_receipts(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        return [*Receipts(manifest.database).all()]


def _read_purposes(folder: Path) -> list[Any]:
    versions = Versions(_state_of(folder)[0])
    return [*versions.purposes().items(), *(versions.of(purpose) for purpose in BLUEPRINT.purposes)]


def _read_masked(folder: Path) -> list[Any]:
    return [*Masked(_state_of(folder)[0]).since(0)]


def _read_audience(folder: Path) -> list[Any]:
    store = AudienceStore(folder / ".parcours")
    try:
        return [*store.read().to_pylist(), *store.objections().items(), *store.informed()]
    finally:
        store.close()


def _read_edges(folder: Path) -> list[Any]:
    return sorted(map(tuple, Edges(*_state_of(folder)).read().tolist()))


def _read_scored(folder: Path) -> list[Any]:
    scored = Scored(*_state_of(folder)).read()
    return list(zip(scored.one.tolist(), scored.other.tolist(), scored.weight_milli.tolist(), strict=True))


def _read_acts(folder: Path) -> list[Any]:
    state, keys = _state_of(folder)
    acts = Acts(state, keys)
    return [
        *acts.read(),
        *acts.changes(),
        SharedDevices(state, keys).read().tolist(),
        Renamed(state, keys).read().tolist(),
    ]


def _read_ledger(folder: Path) -> list[Any]:
    ledger = Ledger(*_state_of(folder))
    ledger.catch_up()
    lines = [tuple(line) for number in range(len(BLUEPRINT.purposes)) for line in ledger.lines_of(number).tolist()]
    told = [ledger.contexts.find(number) for number in sorted({line[CONTEXT] for line in lines})]
    raw = ledger.evidence.find(sorted({line[EVIDENCE] for line in lines}))
    return [*lines, *told, *sorted(raw.items()), ledger.proofs.count()]


def _read_files(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        return [state.counts for source in manifest.sources() for state in manifest.file_states(source).values()]


def _read_keys(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        return [(key.digest, key.source, key.revoked_ms) for key in WriteKeys(manifest.database).all()]


def _read_outbox(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        return [(number, one.message_id, one.body) for number, one in OutboxTable(manifest.database).take("shop", 99)]


def _read_cursors(folder: Path) -> list[Any]:
    with _journal(folder) as manifest:
        found = {number: Journal(manifest.database).cursor(f"inlet{number}") for number in (0, 5, 7, 100, 102, 200)}
    return [told for told in found.items() if told[1] is not None]


def _read_figures(folder: Path) -> list[Any]:
    with Figures(folder) as figures:
        came = [("came", source, count) for source, _, count in figures.came(0)]
        waits = [("backlog", number) for number in range(figures.backlog()[0])]
        return [*came, *figures.outcomes(0), *figures.carried(), *waits]


def _read_rights(folder: Path) -> list[Any]:
    state, keys = _state_of(folder)
    requests = Requests(state, keys, "Europe/Paris")
    held = [(one, requests.identifiers_of(one.number)) for one in requests.list_requests()]
    kept = [row for number in (1, 2, 3) for row in RetainedRows(state, keys).read(number)]
    stones = [
        Tombstones(state, keys).covers(np.array([1 << 40 | 1, 1 << 42 | 1])),
        *Tombstones(state, keys).table.all(),
    ]
    return [*held, *Erasures(state, keys).all(), *kept, *stones]


def _read_restrictions(folder: Path) -> list[Any]:
    state, keys = _state_of(folder)
    return [
        *Ledger(state, keys).restrictions.table.all(),
        *DsrKeys(state, keys).all(),
        *Callbacks(state, keys).table.all(),
    ]


def _read_register(folder: Path) -> list[Any]:
    register = Register(folder, _state_of(folder)[1].derive("surveys"))
    found = register.find(b"answer")
    return [] if found is None else [found]


def _read_audit(folder: Path) -> list[Any]:
    audit = Audit(folder, _state_of(folder)[1])
    for fault in audit.verify():
        raise fault
    return list(reversed(audit.read()))


def _read_access(folder: Path) -> list[Any]:
    database = open_access(folder)
    try:
        return [row for table in tables_of(database) for row in table.all()]
    finally:
        database.close()


_QUESTIONS: dict[str, Callable[[Path], list[Any]]] = {
    "receipts": _read_receipts,
    "purposes": _read_purposes,
    "masked": _read_masked,
    "audience": _read_audience,
    "parts": _read_parts,
    "quarantine": _read_quarantine,
    "aside": _read_aside,
    "waiting": _read_waiting,
    "known": _read_known,
    "seen": _read_seen,
    "vault": _read_vault,
    "texts": _read_texts,
    "personal": _read_personal,
    "edges": _read_edges,
    "scored": _read_scored,
    "acts": _read_acts,
    "ledger": _read_ledger,
    "rights": _read_rights,
    "restrictions": _read_restrictions,
    "files": _read_files,
    "write keys": _read_keys,
    "outbox": _read_outbox,
    "cursors": _read_cursors,
    "register": _read_register,
    "audit": _read_audit,
    "access": _read_access,
    "figures": _read_figures,
}

HARMS = ("cut", "flip", "zero", "double", "reorder", "garbage", "lengthen", "gone")


def list_files(folder: Path) -> dict[str, list[Path]]:
    """Return the files of ``.parcours`` by kind, relative to it."""
    root = folder / ".parcours"
    kinds: dict[str, list[Path]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.stat().st_size:
            relative = path.relative_to(root)
            kind = relative.parts[0] if len(relative.parts) > 1 else relative.name
            kinds.setdefault(kind, []).append(relative)
    return kinds


def spoil(content: bytes, harm: str, draw: random.Random) -> bytes:
    """Return ``content`` after ``harm``; pages of databases and other blocks are harmed alike."""
    size = len(content)
    block = draw.choice([1, 16, 512, PAGE, PAGE, 3 * PAGE]) if size >= 2 * PAGE else draw.choice([1, 8, 64])
    blocks = max(1, size // block)
    one, other = (place * block for place in (draw.sample(range(blocks), 2) if blocks > 1 else (0, 0)))
    if harm == "cut":
        return content[: draw.choice([0, 1, draw.randrange(size), one, size - 1])]
    if harm == "flip":
        place = draw.randrange(size)
        return content[:place] + bytes([content[place] ^ (1 << draw.randrange(8))]) + content[place + 1 :]
    if harm == "zero":
        return content[:one] + bytes(len(content[one : one + block])) + content[one + block :]
    if harm == "double":
        return content[:other] + content[one : one + block] + content[other + block :]
    if harm == "reorder":
        first, last = sorted((one, other))
        moved, middle = content[last : last + block], content[first + block : last]
        return content[:first] + moved + middle + content[first : first + block] + content[last + block :]
    if harm == "garbage":
        return content[:one] + draw.randbytes(len(content[one : one + block])) + content[one + block :]
    return content + draw.randbytes(draw.choice([1, block]))


class Case(NamedTuple):
    """One thing that is done to one file of one company."""

    number: int
    state: str
    file: Path
    harm: str
    seed: int


def draw_cases(companies: dict[str, Path], count: int, seed: int) -> list[Case]:
    """Return ``count`` cases over every kind of file and every harm, the same for the same ``seed``."""
    draw = random.Random(seed)
    kinds = {state: list_files(folder) for state, folder in companies.items()}
    pairs = [(state, kind) for state, found in kinds.items() for kind in found]
    # What SQLite makes anew, and what holds nothing, is tried less often.
    worth = [pair for pair in pairs if not pair[1].endswith("-shm") and pair[1] not in ("lock", "master.key")]
    cases: list[Case] = []
    while len(cases) < count:
        draw.shuffle(pairs)
        for state, kind in pairs[: count - len(cases)]:
            file = draw.choice(kinds[state][kind])
            cases.append(Case(len(cases), state, file, draw.choice(HARMS), draw.randrange(1 << 30)))
        pairs += worth * (len(cases) == len(pairs)) * 3
    return cases


class Truth(NamedTuple):
    """What companies say unharmed, and what they say after each change that stands in a log (``-wal``), by its name."""

    whole: dict[str, Told]
    earlier: dict[str, list[Told]]


def find_truth(companies: dict[str, Path], place: Path) -> Truth:
    """Ask copies of the companies everything, the one that crashed also with each log cut behind each of its changes.

    Raises:
        AssertionError: An unharmed company does not answer everything.
    """
    whole = {state: _ask_copy(folder, place) for state, folder in companies.items()}
    assert not any(told.errors for told in whole.values()), whole
    crashed, earlier = companies["crashed"], {}
    for log in sorted((crashed / ".parcours").glob("*-wal")):
        lengths = [0, *_find_changes(log.read_bytes())]
        earlier[log.name] = [_ask_copy(crashed, place, log.name, length) for length in lengths]
    return Truth(whole, earlier)


def _ask_copy(company: Path, place: Path, log: str = "", length: int = 0) -> Told:
    folder = shutil.copytree(company, place / "copy")
    if log:
        os.truncate(folder / ".parcours" / log, length)
    try:
        return ask_everything(folder)
    finally:
        shutil.rmtree(folder)


def _find_changes(log: bytes) -> list[int]:
    """Return where each change of a log ends: behind a frame that gives the size of the file (walformat.html, 4)."""
    ends = []
    for start in range(32, len(log) - PAGE - 23, PAGE + 24):
        size, salts = log[start + 4 : start + 8], log[start + 8 : start + 16]
        if salts != log[16:24]:
            break
        if any(size):
            ends.append(start + 24 + PAGE)
    return ends


class Verdict(NamedTuple):
    """What became of a case, and what was seen.

    ``harmless``: every answer is as before; ``mended``: so it is, and the damage was named; ``named``: some answers
    are an error that names the damage, the others as before; ``prefix``: the company is as it was after an earlier
    change of the log; ``missed``: an answer of `_LOOKED_UP` is short, and only `verify` named the damage; ``WRONG``:
    anything else.
    """

    word: str
    detail: str


def try_case(case: Case, companies: dict[str, Path], truth: Truth, place: Path) -> Verdict:
    """Harm a copy of a company, ask it everything, and judge what it says."""
    folder = place / f"case-{case.number}-{case.seed}"
    shutil.copytree(companies[case.state], folder)
    _harm(folder / ".parcours" / case.file, case)
    # A process that hangs ends with what it was doing; the folder that is left names the case.
    faulthandler.dump_traceback_later(PATIENCE_S, exit=True)
    try:
        return _judge(case, folder, truth)
    except ParcoursError as error:
        return Verdict("WRONG", f"an error went through: {error}")
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Verdict("WRONG", f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})")
    finally:
        faulthandler.cancel_dump_traceback_later()
        shutil.rmtree(folder, ignore_errors=True)


def _harm(path: Path, case: Case) -> None:
    if case.harm == "gone":
        path.unlink()
        return
    content, draw = path.read_bytes(), random.Random(case.seed)
    # A block of zeros that is zeroed is no harm.
    spoilt = next((made for _ in range(20) if (made := spoil(content, case.harm, draw)) != content), b"")
    path.write_bytes(spoilt)


def _judge(case: Case, folder: Path, truth: Truth) -> Verdict:
    unreadable = bool(results.damaged(folder))
    # Reading everything may move a log into its file: every other company is asked without that.
    first = ask_everything(folder) if case.number % 2 else None
    read = verify(folder, Settings(), Silent())
    told = first or ask_everything(folder)
    named = sorted({fault.code for fault in read.faults if fault.level == "error"})
    named += ["result_damaged"] * unreadable
    if poor := [*told.remediless, *_without_remedy(read.faults)]:
        return Verdict("WRONG", f"no remedy: {poor}")
    changed = _find_changed(told, truth.whole[case.state], named)
    if told.errors and not named:
        return Verdict("WRONG", f"verify found nothing, reading did: {told.errors}")
    if changed and not any(_goes_with(told, earlier) for earlier in truth.earlier.get(case.file.name, ())):
        short = {name for name in _LOOKED_UP & changed.keys() if _is_less(told, truth.whole[case.state], name)}
        word = "missed" if named and short == changed.keys() else "WRONG"
        return Verdict(word, f"silently changed: {changed}; verify: {named}, errors: {told.errors}")
    if told.errors:
        return Verdict("named", ", ".join(sorted(set(told.errors.values()))))
    if changed:
        return Verdict("prefix", ", ".join(sorted(changed)))
    return Verdict("mended", ", ".join(named)) if named else Verdict("harmless", "")


_LOOKED_UP = {"texts", "comments", "personal", "vault", "register", "cursors", "figures"}
"""Answers that may be short without an error of their own, though never strange.

Identifiers and texts may have been erased, links not been answered, inlets never have begun: that a row or its key is
missing is only seen beside all others. Figures are sums over indexes, which are not compared with the table.
"""


def _is_less(told: Told, whole: Told, name: str) -> bool:
    return not Counter(told.answers[name]) - Counter(whole.answers[name])


def _find_changed(told: Told, whole: Told, named: list[str]) -> dict[str, str]:
    """Return by question how answers differ from what the unharmed company says."""
    pairs = {name: (answer, whole.answers[name]) for name, answer in told.answers.items()}
    changed = {name: _tell_change(answer, was) for name, (answer, was) in pairs.items() if answer != was}
    if "result_damaged" in named and told.answers.get("report") == []:
        changed.pop("report", None)  # As before the first run: the next one writes it anew.
    return changed


def _tell_change(answer: list[str], was: list[str]) -> str:
    strange = next((f", first {row[:200]}" for row in answer if row not in was), "")
    return f"{len(was)} -> {len(answer)} rows{strange}"


def _goes_with(told: Told, earlier: Told) -> bool:
    """Return whether every answer is that of one and the same earlier moment."""
    return all(answer == earlier.answers.get(name) for name, answer in told.answers.items())
