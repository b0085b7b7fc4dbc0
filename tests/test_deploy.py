"""What is in deploy/: a unit and a container that give no right too many, and a proxy that tells the truth."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from parcours.settings import CollectSettings

DEPLOY = Path(__file__).parents[1] / "deploy"


def read_unit() -> dict[str, list[str]]:
    section, found = "", {}
    for line in (DEPLOY / "parcours.service").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(f"{section}.{name}", []).append(value)
    return found


def test_the_unit_gives_no_right_that_is_not_needed() -> None:
    unit = read_unit()
    assert unit["Service.User"] == ["parcours"]
    assert unit["Service.NoNewPrivileges"] == ["yes"]
    assert unit["Service.ProtectSystem"] == ["strict"]
    assert unit["Service.CapabilityBoundingSet"] == [""]
    assert unit["Service.UMask"] == ["0077"]
    assert unit["Service.ReadWritePaths"] == ["/var/lib/parcours"]
    assert "serve" in unit["Service.ExecStart"][0]
    assert not any("KEY" in value for values in unit.values() for value in values)


def test_the_unit_waits_longer_than_a_stop_takes() -> None:
    from parcours.serving.supervisor import STOP_S

    assert int(read_unit()["Service.TimeoutStopSec"][0]) >= 3 * STOP_S


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: the unit was parsed by the tests above alone")
    unit = tmp_path / "parcours.service"
    text = (DEPLOY / "parcours.service").read_text("utf-8").replace("/opt/parcours/bin/parcours", "/bin/true")
    unit.write_text(text, "utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], check=False, capture_output=True, text=True)
    complaints = [line for line in done.stderr.splitlines() if "parcours.service" in line]
    assert complaints == []


def test_the_container_runs_without_rights() -> None:
    lines = (DEPLOY / "Containerfile").read_text("utf-8").splitlines()
    orders = [line.split()[0] for line in lines if re.match(r"[A-Z]+ ", line)]
    assert orders.index("USER") < orders.index("ENTRYPOINT")
    user = next(line for line in lines if line.startswith("USER"))
    assert not user.split()[1].startswith(("0", "root"))
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert "STOPSIGNAL SIGTERM" in lines
    assert not any(":latest" in line or " ADD " in line for line in lines)
    copied = [word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]]
    assert all((DEPLOY.parent / word).exists() for word in copied)


def test_the_proxy_sends_only_collection_out_and_replaces_what_clients_claim() -> None:
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    assert f"127.0.0.1:{CollectSettings().port}" in text
    assert "8600" not in text
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text
    assert text.count("{") == text.count("}")
