"""Secrets and personal values put wherever one can: nothing that `parcours serve` says or keeps has them in clear."""

from __future__ import annotations

import base64
import json
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from hashlib import md5, sha1, sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as pq
import pytest
import zstandard
from tests.boutique import make_company, make_event
from tests.served import Served, run_parcours, serving
from tests.signed_in import begin_session, make_token

from parcours.collect.journal.opening import open_journal
from parcours.know import Access, Role
from parcours.settings import Settings
from parcours.workspaces.routes import FORMS, PAGES

SPANS = "spans"
WATCH = """
import os
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

file = open(os.environ["PARCOURS_TEST_SPANS"], "a", buffering=1, encoding="utf-8")
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=file)))
trace.set_tracer_provider(provider)
"""
"""What an interpreter runs when it starts, in every process of `serve`: spans are written to a file."""


class Canaries:
    """Values that stand for personal data and secrets; each has a word in it that stands nowhere else."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}
        self._random: set[str] = set()

    def make(self, where: str, form: str = "{}") -> str:
        """Return a new one for some place; of several there each is looked for."""
        named = where if where not in self.words else f"{where} {len(self.words)}"
        self.words[named] = "qzk" + secrets.token_hex(6)
        return form.format(self.words[named])

    def keep(self, where: str, secret: str) -> str:
        """Look for a secret of 256 random bits that the product made, too; a digest of it tells nothing."""
        self.words[where] = secret
        self._random.add(where)
        return secret

    def find(self, content: bytes) -> set[str]:
        """Return the places whose canary stands in some bytes: as it is, coded, or under a hash without a key."""
        lower = content.lower()
        forms = {where: _write(word, where not in self._random) for where, word in self.words.items()}
        return {where for where, written in forms.items() if any(one in lower for one in written)}


def _write(word: str, hashed: bool) -> Iterator[bytes]:
    plain = word.encode()
    yield plain.lower()
    yield word.encode("utf-16-le").lower()
    yield plain.hex().encode()
    for shift in range(3):
        # However it stands in what was coded: what depends on its neighbours is left out.
        coded = base64.b64encode(b"\0" * shift + plain)[(4 if shift else 0) :]
        yield coded[: len(coded) // 4 * 4 - 4].lower()
    for digest in (md5, sha1, sha256) if hashed else ():
        yield digest(plain).hexdigest().encode()


def read_all(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield everything that lies in a folder: files as they are, and what is packed in them unpacked."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        content, place = path.read_bytes(), str(path.relative_to(folder))
        yield place, content
        if path.suffix == ".parquet":
            yield place, json.dumps(pq.read_table(path).to_pylist(), default=str, ensure_ascii=False).encode()
        if path.suffix == ".db":
            yield from _read_cells(path, place)
        yield from ((place, plain) for plain in _unpack(content))


def _read_cells(path: Path, place: str) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(path)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                for cell in row:
                    told = cell if isinstance(cell, bytes) else str(cell).encode()
                    yield f"{place} {table}", told
                    yield from ((f"{place} {table}", plain) for plain in _unpack(told))


def _unpack(content: bytes) -> Iterator[bytes]:
    for start in (0, 8):
        with suppress(zstandard.ZstdError):
            yield zstandard.ZstdDecompressor().decompress(content[start:], 64 << 20)


def send_events(served: Served, key: str, canaries: Canaries) -> None:
    """Send events that are taken, put aside or refused, with something personal in every place of theirs."""
    make = canaries.make
    traits = {"email": make("trait mail", "{}@maison.fr"), "name": make("trait name"), "phone": make("trait phone")}
    context = {
        "ip": make("context ip"),
        "userAgent": make("agent"),
        "traits": {"email": make("context mail", "{}@b.fr")},
    }
    page = {"url": make("page url", "https://x.fr/?email={}"), "referrer": make("referrer"), "title": make("title")}
    survey = make_event(3, make("user"), messageId=make("message"), anonymousId=make("device"), context=context)
    survey["properties"] |= {"comment": make("comment", "My name is {}"), "birthday": make("undeclared")}
    events: list[Any] = [
        survey,
        make_event(4, make("page's user"), context={**context, "page": page}),
        {"type": "identify", "userId": make("identified"), "messageId": "m-identify", "traits": traits},
        make_event(5, make("put aside"), event="Never Declared", properties={"note": make("put aside field")}),
        make_event(8, make("bad time"), timestamp=make("timestamp")),
        make("no object"),
    ]
    served.wait_for(lambda: served.send(key, *events) == 200, "the key")
    assert served.send(make("wrong key"), survey) == 401
    assert served.ask("POST", "/v1/batch", make("broken", '{{"batch": [{{"x": "{}').encode(), basic(key))[0] == 400
    address = make("address", f"/v1/track?writeKey={key}&who={{}}")
    for path in (address, make("no address", "/v1/{}"), f"/v1/pixel/track?data={quote(json.dumps(survey))}&{key}"):
        told = {
            "User-Agent": canaries.words["agent"],
            "Referer": make("header referer"),
            "Cookie": make("cookie", "a={}"),
        }
        served.ask("GET", path, told=told)


def basic(key: str) -> dict[str, str]:
    """Return how a request says its write key."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def ask_everything(served: Served, canaries: Canaries) -> None:
    """Open every page with strange parameters and send every form with strange fields, in the roles that may most."""
    make, pages = canaries.make, served.pages
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{pages}"}
    roles: tuple[Role, ...] = ("it", "dpo")
    for role in roles:
        inside = {
            "Cookie": f"parcours_{pages}={canaries.keep(f'session of {role}', begin_session(served.folder, role))}"
        }
        for page in PAGES:
            query = "&".join(f"{name}={make(f'{page.path} {name}')}" for name in page.parameters)
            path = page.path.replace("{id}", make(f"id of {page.path}"))
            assert served.ask("GET", f"/en/{path}?{query}", told=inside, port=pages)[0] < 500, path
        for one in FORMS:
            fields = "&".join(f"{name}={make(f'{one.path} {name}')}" for name in ("kind", "thing", "person", "source"))
            body = f"token={make('a token')}&{fields}".encode()
            assert served.ask("POST", f"/en/{one.path}", body, form | inside, pages)[0] == 403, one.path


def ask_pages(served: Served, canaries: Canaries) -> None:
    """Ask the pages in every way in which somebody may tell them what they should not keep."""
    make, pages = canaries.make, served.pages
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://127.0.0.1:{pages}"}
    secret = canaries.keep("session", begin_session(served.folder, "cem"))
    token = make_token(served.folder, "dpo")
    canaries.keep("token", token["Authorization"].partition(" ")[2])
    inside = {"Cookie": f"parcours_{pages}={secret}"}
    wrong = f"login={make('wrong login')}&password={make('wrong password')}&token=1.x".encode()
    served.ask("POST", "/en/sign-in", wrong, form, pages)
    found = f"kind=mail&value={make('looked for')}@b.fr&token=1.x".encode()
    served.ask("POST", "/en/customer/find", found, form | inside, pages)
    choice = f"profile={make('chosen for')}&reference={make('reference')}@b.fr&answer=granted&token=1.x".encode()
    served.ask("POST", "/en/customer/choice", choice, form | inside, pages)
    for path in ("/en/customer?id={}", "/en/customer/{}", "/open?token={}", "/en/{}", "/sign-in/back?code={}&state=x"):
        for told in ({}, inside, {"Cookie": make("cookie", "parcours={}")}):
            served.ask("GET", make(path, path), told=told, port=pages)
    served.ask("GET", "/en/map", told={"Authorization": make("bearer", "Bearer {}")}, port=pages)
    for customer in (f"user:{canaries.words['user']}", make("asked for", "mail:{}@b.fr"), make("no kind")):
        told = token | {"Content-Type": "application/json"}
        body = json.dumps({"id": customer, "reason": "check"}).encode()
        served.ask("POST", make("asked in an address", "/api/timeline?id={}"), body, told, pages)
    body = json.dumps(
        {"id": make("refused reference"), "reason": "check", "reference": make("told", "{}@b.fr")}
    ).encode()
    served.ask("POST", "/api/profile", body, token | {"Content-Type": "application/json"}, pages)


@pytest.mark.slow
def test_nothing_is_said_or_kept_in_clear(tmp_path: Path) -> None:
    folder, canaries = tmp_path / "shop", Canaries()
    make_company(folder, settings="[collect]\nevery_s = 0.3\n")
    (tmp_path / "sitecustomize.py").write_text(WATCH, "utf-8")
    access = Access(folder, Settings())
    access.add("cli", "ada", "it", (), canaries.make("password", "of ada {}"), 0)
    spans = tmp_path / SPANS
    told = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2] / 'src'}", "PARCOURS_TEST_SPANS": str(spans)}
    with serving(folder, **told) as served:
        key = canaries.keep("write key", served.make_key())
        send_events(served, key, canaries)
        ask_pages(served, canaries)
        ask_everything(served, canaries)
        user = canaries.words["user"]
        served.wait_for(lambda: served.look_at(f"user:{user}")["count"] == 1, "the events")
        served.wait_for(lambda: not list_waiting(folder), "the parts")
        served.stop()
        logs = served.logs()
    access.close()
    assert "take over" in spans.read_text("utf-8")
    # What they said, all of it: logs, what they printed, and spans.
    assert canaries.find(logs.encode() + spans.read_bytes()) == set()
    kept = {place: found for place, content in read_all(folder) if (found := canaries.find(content))}
    assert kept == {}
    # It is kept all the same, sealed: whoever has the keys is told.
    run_parcours("access", str(folder), f"user:{user}", "--out", str(tmp_path / "told.json"))
    opened = canaries.find((tmp_path / "told.json").read_bytes())
    assert {"user", "device", "comment"} <= opened
    assert not opened & {"undeclared", "context ip", "agent"}


def list_waiting(folder: Path) -> list[Any]:
    """Return the batches that the journal holds."""
    journal, close = open_journal(folder)
    try:
        return [*journal.read()]
    finally:
        close()


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    canaries, place = Canaries(), tmp_path / "folder"
    word = canaries.make("here")
    place.mkdir()
    plain = f"{{'mail': '{word}@b.fr'}}".encode()
    forms = [plain, plain.upper(), base64.b64encode(plain), base64.b64encode(b"x" + plain), plain.hex().encode(),
             zstandard.ZstdCompressor().compress(plain), sha256(word.encode()).hexdigest().encode()]  # fmt: skip
    for content in forms:
        (place / "file").write_bytes(content)
        assert any(canaries.find(told) for _, told in read_all(place)), content
    shutil.rmtree(place)
    place.mkdir()
    with closing(sqlite3.connect(place / "x.db")) as database:
        database.execute("CREATE TABLE t (a BLOB)")
        database.execute("INSERT INTO t VALUES (?)", (b"\0" * 8 + zstandard.ZstdCompressor().compress(plain),))
        database.commit()
    assert any(canaries.find(told) for _, told in read_all(place))
