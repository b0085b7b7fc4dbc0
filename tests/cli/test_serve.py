"""`parcours serve`: an address that is taken, and one that is open to others."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import call

from parcours.errors import ParcoursError
from parcours.know import Access
from parcours.serving import run
from parcours.settings import Settings
from parcours.words import Words


def test_a_taken_port_is_said_before_any_page_is_promised(made: tuple[Path, dict[str, Any]]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = call("serve", made[0], "--port", holder.getsockname()[1])
    assert done.returncode == 1
    assert "[address_taken]" in done.stderr
    assert "http://" not in done.stderr


def test_pages_open_to_others_need_an_administrator_and_are_warned_about(
    firm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[Any, ...]] = []

    def serve(company: Any, host: str, port: int, collect: Any, visitors: int, token: str, announce: Any) -> None:
        served.append((host, collect))
        announce(None if collect is None else 4711)

    monkeypatch.setattr(run, "serve", serve)
    done = call("serve", firm, "--host", "0.0.0.0", "--port", 0)
    assert (done.returncode, "[no_administrator]" in done.stderr) == (1, True)
    assert f"parcours people {firm} add LOGIN --role it" in done.stderr
    Access(firm, Settings()).add("cli", "ada", "it", (), "correct horse battery staple", 0)
    told = call("serve", firm, "--host", "0.0.0.0", "--port", 0).stderr
    assert "Beware" in told
    assert "open?token=" not in told
    assert "Collection: http://127.0.0.1:4711/" in told
    told = call("serve", firm, "--port", 0, "--no-collect").stderr
    assert "Beware" not in told
    assert "To come in, once, within 15 minutes: http://127.0.0.1:" in told
    assert "Collection" not in told
    settings = Settings()
    assert served == [("0.0.0.0", (settings.collect.host, settings.collect.port)), (settings.serve.host, None)]


def test_nothing_is_promised_before_it_is_there(
    made: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(*_: Any) -> None:
        raise ParcoursError("already_serving", Words("Déjà.", "Already."), Words("Arrêtez.", "Stop."))

    monkeypatch.setattr(run, "serve", serve)
    done = call("serve", made[0], "--port", 0)
    assert (done.returncode, "http://" in done.stderr) == (1, False)
