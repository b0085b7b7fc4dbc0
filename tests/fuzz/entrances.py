"""What must hold at the entrance of the pages for any bytes at all: nobody comes in, and nothing breaks inside."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from tests.boutique import make_company
from tests.oidc_provider import CLIENT, OidcProvider
from tests.signed_in import make_token

from parcours.company import Company
from parcours.know import Access
from parcours.serving.interfaces import list_interfaces
from parcours.serving.one_customer import TIMELINE
from parcours.settings import ProviderSettings
from parcours.workspaces.app import create_app
from parcours.workspaces.forms import FORM_TYPE
from parcours.workspaces.signing_in.fetching import AwayError
from parcours.workspaces.signing_in.provider import Provider, UntrueError
from parcours.workspaces.signing_in.ways import Way, begin_way, open_way, seal_way

BACK = "http://127.0.0.1/sign-in/back"
HOST = (b"host", b"127.0.0.1")
TURNED_AWAY = {
    f"/{language}/sign-in?why={why}" for language in ("fr", "en") for why in ("provider", "away", "stranger")
}


ASKING = ThreadPoolExecutor(1)


class House(NamedTuple):
    """The pages of a shop whose people a provider signs in, and what belongs to them."""

    app: Starlette
    access: Access
    company: Company
    oidc: OidcProvider
    provider: Provider
    way: Way
    token: bytes


@cache
def open_house() -> House:
    """Return the one house of this process; its provider signs whatever `OidcProvider.sign` returns."""
    oidc = OidcProvider(lambda: {BACK}, public=True)
    told = f'[sign_in.provider]\nissuer = "{oidc.issuer}"\nclient_id = "{CLIENT}"\n'
    company = make_company(Path(tempfile.mkdtemp(prefix="entrances-")) / "shop", settings=told)
    access = Access(company.folder, company.settings)
    access.add("cli", "ada@example.com", "cco", (), None, 0)
    app = create_app(company, more=list_interfaces(lambda: company, lambda: True, lambda: b"", None))
    way = begin_way("en", "", time.time())
    provider = Provider(ProviderSettings(issuer=oidc.issuer, client_id=CLIENT))
    token = make_token(company.folder, "dpo")["Authorization"].encode()
    return House(app, access, company, oidc, provider, way, token)


class Told(NamedTuple):
    """What came back."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


def ask(
    method: str, path: str, query: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = (), body: bytes = b""
) -> Told:
    """Ask the pages with any bytes at all, past what a client library would mend; a fault inside goes through."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query}
    scope |= {"headers": [HOST, *headers], "scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 9)}
    app = open_house().app
    # In a thread of its own: a browser that is open in this one has a loop that runs.
    ASKING.submit(lambda: asyncio.run(app(scope | {"http_version": "1.1", "root_path": ""}, receive, send))).result()
    told = b"".join(one.get("body", b"") for one in sent[1:])
    return Told(sent[0]["status"], dict(sent[0]["headers"]), told)


def _line(data: bytes) -> bytes:
    """Return bytes as a header can hold them."""
    return data.translate(None, b"\r\n\0")


def check_callback(data: bytes) -> None:
    """No answer of a provider that was not asked for lets anybody in, whatever its address and cookie hold."""
    house, (query, _, cookie) = open_house(), data.partition(b"\n")
    entrance = house.app.state.entrance
    if len(data) % 2:
        # The browser was on its way: the answer is still none to what was asked.
        cookie = b"parcours_way=" + seal_way(house.way, entrance.secret).encode() + b"; " + cookie
    told = ask("GET", "/sign-in/back", query.replace(b"#", b""), ((b"cookie", _line(cookie)),))
    assert told.status == 303, told
    assert told.headers[b"location"].decode() in TURNED_AWAY, told
    _check_nobody_came(told)


def check_id_token(data: bytes) -> None:
    """A provider's token counts as it was signed; with any bytes of it changed it tells of nobody."""
    house = open_house()
    good = OidcProvider.sign(house.oidc, house.way.nonce)
    changed = _splice(good.encode(), data).decode("latin-1")
    house.oidc.sign = lambda _: changed  # type: ignore[method-assign]
    code = house.oidc.authorize(bring_question(house)).partition("code=")[2].partition("&")[0]
    try:
        found = house.provider.identify(house.way, code, BACK, time.time())
    except (UntrueError, AwayError):
        return
    # Bits of a last character that say nothing may differ.
    assert found.subject == f"{house.oidc.issuer}\n{house.oidc.person['sub']}", changed
    assert changed.rpartition(".")[0] == good.rpartition(".")[0], changed


def bring_question(house: House) -> dict[str, str]:
    """Return what a browser brings to the provider."""
    return dict(parse_qsl(house.provider.ask(house.way, BACK).partition("?")[2]))


def check_session(data: bytes) -> None:
    """Nobody is signed in by a cookie or token that was not given to them."""
    value = _line(data)
    for header in ((b"cookie", b"parcours=" + value), (b"authorization", b"Bearer " + value), (b"cookie", value)):
        told = ask("GET", "/en/map", headers=(header,))
        assert told.status in (303, 401), told
        _check_nobody_came(told)


def check_sign_in(data: bytes) -> None:
    """No form but the one that this browser was given is looked at, and nothing of it is said back."""
    headers = ((b"content-type", FORM_TYPE.encode()), (b"origin", b"http://127.0.0.1"))
    told = ask("POST", "/en/sign-in", headers=headers, body=data)
    assert told.status in (403, 429), told
    _check_nobody_came(told)


def checkbring_question(data: bytes) -> None:
    """A program's question is answered or refused, in JSON, and never an accident inside."""
    headers = ((b"content-type", b"application/json"), (b"authorization", open_house().token))
    told = ask("POST", TIMELINE, headers=headers, body=data)
    assert told.status in (200, 400, 403, 404, 409, 413), told
    assert told.body[:1] == b"{"


def check_way(data: bytes) -> None:
    """What a browser carries to a provider opens as it was sealed, or not at all."""
    key, now_s = b"k" * 32, 1_000.0
    way = begin_way("fr", "/fr/map", now_s)
    carried = seal_way(way, key)
    changed = _splice(carried.encode(), data).decode("latin-1")
    found = open_way(changed, key, now_s)
    # Another letter for the same bits opens the same; no other bits open anything.
    assert found in (None, way)
    assert open_way(data.decode("latin-1"), key, now_s) is None


def _splice(good: bytes, data: bytes) -> bytes:
    """Return what is good with some of its bytes replaced by those of ``data``; without any of its own, ``data``."""
    if len(data) < 3 or data[0] % 4 == 0:
        return data
    place = int.from_bytes(data[1:3], "big") % len(good)
    length = data[0] // 4
    return good[:place] + data[3:] + good[place + length :]


def _check_nobody_came(told: Told) -> None:
    assert b"parcours=" not in told.headers.get(b"set-cookie", b"")
    assert all(session.how == "token" for session in open_house().access.sessions.all())


ENTRANCES: dict[str, Callable[[bytes], None]] = {
    "callback": check_callback,
    "id_token": check_id_token,
    "session": check_session,
    "sign_in": check_sign_in,
    "question": checkbring_question,
    "way": check_way,
}

ENTRANCE_SEEDS: dict[str, tuple[bytes, ...]] = {
    "callback": (
        b"code=x&state=y&iss=z\nparcours_way=AAAA",
        b"error=access_denied&state=%ff",
        b"\n",
        b"code=&code=x&state",
    ),
    "id_token": (b"e.e.e", b"\x05\x00\x03none", b"\x01\x00\x10\xff", b"eyJhbGciOiJub25lIn0.e30."),
    "session": (b"x", b'"a"; parcours=b', b"\xff\xfe", b"A" * 43),
    "sign_in": (b"login=ada&password=x&token=1.x", b"token=%", b"login=a&login=b", b"next=//x"),
    "question": (
        b'{"id":"user:1","reason":"check"}',
        b'{"id":"mail:a@b.fr","unmask":true}',
        b'{"id":"\\ud800","reason":"check"}',
    ),
    "way": (b"", b"\x05\x00\x01A", b"\x05\x00\x00", b"====", b"-_-_"),
}
