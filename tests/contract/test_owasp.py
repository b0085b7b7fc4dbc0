"""The OWASP API Security Top 10 (2023), item by item, tried on both ports of a real `parcours serve`."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.boutique import deliver, make_company, make_event, take_over
from tests.oidc_provider import OidcProvider
from tests.served import Served, run_parcours, serving

from parcours import company as companies
from parcours.collect.http.openapi import describe_api
from parcours.know import Access, Role
from parcours.settings import Settings
from parcours.workspaces.app import create_app
from parcours.workspaces.routes import FORMS, PAGES
from parcours.workspaces.signing_in.fetching import MOST_BYTES, AwayError, fetch
from parcours.workspaces.signing_in.guard import GuardedRoute

OURS, THEIRS = "CLIENT-1", "CLIENT-2"
"""The first is of the account ``segment:s1``; the second of another."""
WHY = {"reason": "check", "reference": "case 9"}
READ_BACK = "PARCOURS_READ_BACK_TOKEN"
TOKEN = "read-back-token-of-this-test"


class Shop(NamedTuple):
    """The shop as it is served, a write key of it, and its accounts."""

    served: Served
    key: str
    access: Access

    def token(self, role: Role, *scope: str, lasts_ms: int | None = None) -> dict[str, str]:
        """Return the header of somebody new in ``role`` whose own is ``scope``."""
        now_ms = time.time_ns() // 1_000_000
        person = self.access.add("cli", f"{role}-{time.time_ns()}", role, scope, None, now_ms)
        return {"Authorization": f"Bearer {self.access.sessions.begin(person, 'token', now_ms, lasts_ms)}"}

    def look(self, told: dict[str, str], customer: str, path: str = "/api/timeline", **more: Any) -> tuple[int, Any]:
        """Ask for one customer as a program does."""
        body = json.dumps({"id": customer, **more}).encode()
        headers = told | {"Content-Type": "application/json"}
        status, answer = self.served.ask("POST", path, body, headers, self.served.pages)
        return status, json.loads(answer)

    def get(self, path: str, told: dict[str, str] | None = None) -> http.client.HTTPResponse:
        """Ask the pages; the answer is read."""
        line = http.client.HTTPConnection("127.0.0.1", self.served.pages, timeout=30)
        line.request("GET", path, headers=told or {})
        answer = line.getresponse()
        answer.content = answer.read()  # type: ignore[attr-defined]
        line.close()
        return answer


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("owasp") / "shop"
    make_company(folder, settings="[collect]\nevery_s = 0.3\n")
    plan = folder / "blueprint.yaml"
    text = plan.read_text("utf-8")
    plan.write_text(text.replace("{id: colour, kind: category}", "{id: colour, kind: category, class: personal}"))
    company = companies.open(folder)
    deliver(company, *(make_event(n, OURS) for n in (0, 1, 2, 4)), make_event(6, THEIRS))
    take_over(company)
    with serving(folder, "--read-back", **{READ_BACK: TOKEN}) as served:
        access, key = Access(folder, Settings()), served.make_key()
        served.wait_for(lambda: served.send(key, make_event(40, "CLIENT-9")) == 200, "the key")
        yield Shop(served, key, access)
        access.close()


def test_api1_broken_object_level_authorization(shop: Shop) -> None:
    theirs = shop.token("csm", "segment:s1")
    for path in ("/api/timeline", "/api/profile"):
        assert shop.look(theirs, f"user:{OURS}", path)[0] == 200
        status, told = shop.look(theirs, f"user:{THEIRS}", path)
        assert (status, told["code"]) == (403, "not_permitted_own")
    (profile,) = companies.open(shop.served.folder).find_profiles(f"user:{THEIRS}")
    assert shop.get(f"/en/customer/{profile}", theirs).status == 403
    assert shop.get("/en/touchpoint/checkout", shop.token("cem", "another-team")).status == 403


def test_api2_broken_authentication(shop: Shop) -> None:
    good = shop.token("dpo")
    assert shop.look(good, f"user:{OURS}", **WHY)[0] == 200
    secret = good["Authorization"].partition(" ")[2]
    over = shop.token("dpo", lasts_ms=1)
    time.sleep(0.05)
    others = [
        {},
        over,
        *({"Authorization": one} for one in (f"Bearer {secret}x", f"Basic {secret}", f"Bearer {TOKEN}")),
    ]
    for told in (*others, {"Authorization": f"Bearer {shop.key}"}, {"Cookie": f"parcours={secret}"}):
        assert shop.look(told, f"user:{OURS}", **WHY)[0] in (401, 403), told
    assert shop.served.send(shop.key[:-1], make_event(41, "X")) == 401


def test_api3_broken_object_property_level_authorization(shop: Shop) -> None:
    status, told = shop.look(shop.token("dpo"), f"user:{OURS}", **WHY)
    assert (status, {event["fields"]["colour"] for event in told["events"]}) == (200, {"•••"})
    for added in ({"masked": False}, {"role": "it"}, {"aggregate_only": False}):
        assert shop.look(shop.token("dpo"), f"user:{OURS}", **WHY, **added)[0] == 400
    assert shop.look(shop.token("sales", "segment:s1"), f"user:{OURS}", unmask=True)[0] == 403


def test_api4_unrestricted_resource_consumption(shop: Shop) -> None:
    bomb, served = gzip.compress(b" " * 40_000_000), shop.served
    told = {"Content-Encoding": "gzip", "X-Write-Key": shop.key}
    status, answer = served.ask("POST", "/v1/batch", bomb, told)
    assert (status, json.loads(answer)["code"]) == (400, "body_too_large")
    assert shop.look(shop.token("dpo"), "user:" + "a" * 9_000)[0] == 413
    slow = run_parcours("key", str(served.folder), "add", "web", "--per-second", "1").stdout.strip()
    served.wait_for(lambda: served.send(slow, make_event(42, "X")) in (200, 429), "the key")
    assert 429 in {served.send(slow, *(make_event(n, "X") for n in range(50, 55))) for _ in range(4)}
    statuses = [guess(shop, "nobody")[0] for _ in range(8)]
    assert statuses[0] == 403
    assert statuses[-1] == 429


def guess(shop: Shop, login: str) -> tuple[int, bytes]:
    """Try one wrong password on the form, as a browser does."""
    form = shop.get("/en/sign-in")
    cookie = (form.getheader("set-cookie") or "").partition(";")[0]
    token = re.search(r'name="token" value="([^"]+)"', form.content.decode())  # type: ignore[attr-defined]
    assert token
    told = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{shop.served.pages}"}
    told |= {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"login={login}&password=wrong-all-along&token={token[1]}".encode()
    return shop.served.ask("POST", "/en/sign-in", body, told, shop.served.pages)


def test_api5_broken_function_level_authorization(shop: Shop) -> None:
    assert shop.get("/metrics", shop.token("csm", "segment:s1")).status == 403
    ours = {"Origin": f"http://127.0.0.1:{shop.served.pages}", "Content-Type": "application/x-www-form-urlencoded"}
    for path in ("people/add", "people/key", "sources/replay"):
        told = shop.token("cmo") | ours
        assert shop.served.ask("POST", f"/en/{path}", b"login=me&role=it", told, shop.served.pages)[0] == 403
    # A write key writes, and the token of the read-back reads what the conformance suite sent and no customer.
    assert shop.served.ask("GET", "/api/timeline", told={"Authorization": f"Bearer {shop.key}"})[0] == 404
    event = make_event(43, "CLIENT-9") | {"anonymousId": "conform-x"}
    assert shop.served.send(shop.key, make_event(44, "CLIENT-9") | {"anonymousId": "device-9"}, event) == 200
    reads = {"Authorization": f"Bearer {TOKEN}"}
    shop.served.wait_for(lambda: read_back(shop, "conform-x", reads) != [], "the event")
    assert read_back(shop, "device-9", reads) == []


def read_back(shop: Shop, anonymous_id: str, told: dict[str, str]) -> Any:
    """Return what the read-back interface tells of one device."""
    answer = shop.get(f"/read-back?anonymousId={anonymous_id}", told)
    assert answer.status == 200
    return json.loads(answer.content)["events"]  # type: ignore[attr-defined]


def test_api6_unrestricted_access_to_sensitive_business_flows(shop: Shop) -> None:
    # Looking at customers: not without a reason, and each look is in the log that the DPO reads.
    told = shop.token("cem", "sales")
    assert shop.look(told, f"user:{OURS}")[1]["code"] == "no_reason"
    before = shop.access.audit.read(limit=1)[0].entry_no
    for _ in range(3):
        assert shop.look(told, f"user:{OURS}", **WHY)[0] == 200
    looks = [one for one in shop.access.audit.read(limit=10) if one.entry_no > before]
    assert [one.action for one in looks] == ["see_customer"] * 3
    # The address that opens the pages opens them once.
    link = re.search(r"/open\?token=(\S+)", shop.served.logs())
    assert link
    assert open_with(shop, link[1]) == (True, False)


def open_with(shop: Shop, secret: str) -> tuple[bool, ...]:
    """Return whether a link lets a browser in, the first time and the second."""
    let_in = []
    for _ in range(2):
        form = shop.get(f"/open?token={secret}")
        let_in.append("parcours_" in (form.getheader("set-cookie") or "") and form.status == 303)
    return tuple(let_in)


def test_api7_server_side_request_forgery(shop: Shop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1.5)
        place = f"http://127.0.0.1:{server.getsockname()[1]}/"
        event = make_event(45, "CLIENT-9") | {"context": {"page": {"url": place, "referrer": place}, "avatar": place}}
        assert shop.served.send(shop.key, event | {"properties": {"url": place, "image": place}}) == 200
        shop.get(f"/en/sign-in?next={place}")
        shop.get("/en/map", shop.token("cco") | {"Referer": place, "X-Forwarded-Host": place, "Forwarded": place})
        with pytest.raises(TimeoutError):
            server.accept()
    # A provider elsewhere that names an address of this machine.
    with pytest.raises(AwayError, match="loopback"):
        fetch(place, loopback=False)


def test_api8_security_misconfiguration(shop: Shop) -> None:
    for path, told in (("/en/sign-in", {}), ("/en/map", shop.token("cco")), ("/en/nothing", shop.token("cco"))):
        answer = shop.get(path, told)
        assert "default-src 'none'" in (answer.getheader("content-security-policy") or "")
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("access-control-allow-origin") is None
        assert answer.getheader("server") is None
        assert "Traceback" not in answer.content.decode()  # type: ignore[attr-defined]
    assert shop.get("/en/map", {"Host": "evil.example"}).status == 421
    assert shop.served.ask("TRACE", "/v1/track")[0] in (404, 405, 501)
    done = run_parcours("serve", str(shop.served.folder), "--host", "0.0.0.0", "--port", "0", "--no-collect")
    assert (done.returncode, "[no_administrator]" in done.stderr) == (1, True)


def test_api9_improper_inventory_management(shop: Shop) -> None:
    status, document = shop.served.get("/openapi.json")
    assert (status, json.loads(document)) == (200, json.loads(json.dumps(describe_api())))
    for path in (
        "/v2/track",
        "/v1/export",
        "/admin",
        "/docs",
        "/debug",
        "/api/timeline",
        "/metrics",
        "/.parcours/access.db",
    ):
        assert shop.served.get(path)[0] == 404
        assert shop.get(path).status in (401, 405)
    app = create_app(companies.open(shop.served.folder))
    assert all(type(route) is GuardedRoute for route in app.routes)
    open_to_all = {route.path for route in app.routes if route.action is None}  # type: ignore[attr-defined]
    known = {"/", "/open", "/static/icon.svg"} | {f"/{one}/{page}" for one in ("fr", "en") for page in ("", "sign-in")}
    assert {path for path in open_to_all if not path.startswith("/static/")} <= known
    assert not {f"/en/{one.path}" for one in (*PAGES, *FORMS)} & open_to_all


def test_api10_unsafe_consumption_of_apis(shop: Shop) -> None:
    provider = OidcProvider(set)
    assert fetch(f"{provider.issuer}/keys")
    provider.configuration = {"padding": "x" * MOST_BYTES}
    with pytest.raises(AwayError):
        fetch(provider.issuer)
    provider.close()
    elsewhere, fine = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n{}", b"HTTP/1.1 200 OK\r\n\r\n"
    for answer in (elsewhere, fine + b"[1]", fine + b"[" * 100_000, b"\0" * 99):
        with socket.create_server(("127.0.0.1", 0)) as server:
            threading.Thread(target=say, args=(server, answer), daemon=True).start()
            with pytest.raises(AwayError):
                fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")


def say(server: socket.socket, answer: bytes) -> None:
    """Answer one caller with these bytes."""
    channel, _ = server.accept()
    with channel:
        channel.recv(4096)
        channel.sendall(answer)


def test_every_item_of_the_list_has_a_test() -> None:
    names = re.findall(r"^def test_api(\d+)_", Path(__file__).read_text("utf-8"), re.M)
    assert sorted(map(int, names)) == list(range(1, 11))
