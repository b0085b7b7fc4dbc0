"""What is asked of a provider: https or the loopback, of no machine of ours for others, and for so long only."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from tests.oidc_provider import OidcProvider

from parcours.workspaces.signing_in import fetching
from parcours.workspaces.signing_in.fetching import AwayError, fetch


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    """A provider that runs on this machine."""
    opened = OidcProvider(set)
    yield opened
    opened.close()


def test_the_loopback_is_asked_for_a_provider_that_is_there(provider: OidcProvider) -> None:
    assert fetch(f"{provider.issuer}/keys")["keys"]


def test_a_provider_elsewhere_cannot_have_this_machine_asked(provider: OidcProvider) -> None:
    with pytest.raises(AwayError, match="neither https nor the loopback"):
        fetch(f"{provider.issuer}/keys", loopback=False)


@pytest.mark.parametrize(
    "url", ["http://example.com/", "ftp://127.0.0.1/", "", "//127.0.0.1", "http://[::1", "http://127.0.0.1:port/"]
)
def test_no_other_address_is_asked(url: str) -> None:
    with pytest.raises(AwayError):
        fetch(url)


def test_an_answer_that_comes_drop_by_drop_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LONGEST_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,), daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(AwayError):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/")
        # Every piece came in time for the limit of one read: it would have gone on for ten seconds.
        assert time.monotonic() - began < 5
        thread.join(10)


def drip(server: socket.socket) -> None:
    """Answer one caller a byte at a time, for ten seconds or until they hang up."""
    channel, _ = server.accept()
    with channel:
        channel.recv(4096)
        channel.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n")
        for _ in range(200):
            try:
                channel.sendall(b" ")
            except OSError:
                return
            time.sleep(0.05)
