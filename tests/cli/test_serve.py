"""`parcours serve`: an address that is taken, and one that is open to others."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import call

from parcours.serving import run
from parcours.settings import Settings


def test_a_taken_port_is_said_before_any_page_is_promised(made: tuple[Path, dict[str, Any]]) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        done = call("serve", made[0], "--port", holder.getsockname()[1])
    assert done.returncode == 1
    assert "[address_taken]" in done.stderr
    assert "http://" not in done.stderr


def test_pages_open_to_others_are_warned_about(
    made: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[tuple[str, int]] = []

    def note(company: Any, host: str, port: int, *others: Any) -> None:
        served.append((host, port))
        others[-1](None)

    monkeypatch.setattr(run, "serve", note)
    assert "Beware" in call("serve", made[0], "--no-collect", "--host", "0.0.0.0", "--port", 0).stderr
    assert "Beware" not in call("serve", made[0], "--no-collect", "--port", 0).stderr
    assert [host for host, _ in served] == ["0.0.0.0", Settings().serve.host]
    assert all(port > 0 for _, port in served)
