"""What is declared: connectors by source, read once until a file changes, and what a fault leaves readable."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from parcours.blueprint import read_blueprint
from parcours.blueprint.records import Blueprint
from parcours.collect.declared import read_declared
from parcours.settings import Settings

RETAIL = Path(__file__).parents[2] / "examples" / "retail"
SETTINGS = Settings()


@pytest.fixture(scope="module")
def blueprint() -> Blueprint:
    """The retail blueprint."""
    return read_blueprint(RETAIL)


def write(folder: Path, name: str, text: str, age: int = 1) -> None:
    path = folder / "sources" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    os.utime(path, ns=(age, age))  # a clock too coarse must not decide the test


def test_a_company_that_declares_nothing(tmp_path: Path, blueprint: Blueprint) -> None:
    declared = read_declared(tmp_path, blueprint, SETTINGS)
    assert (declared.connectors, declared.destinations, declared.faults) == ({}, (), ())


def test_a_file_counts_as_a_connector(tmp_path: Path, blueprint: Blueprint) -> None:
    write(tmp_path, "web.yaml", "source: web\nconnector: http\n")
    write(
        tmp_path,
        "calls.yaml",
        "source: calls\nfile: calls.csv\ntime: at\nids: {user: client}\nevents: [Call Ended]\n",
    )
    assert read_declared(tmp_path, blueprint, SETTINGS).connectors == {"calls": "file", "web": "http"}


def test_it_is_read_once_until_a_file_changes(tmp_path: Path, blueprint: Blueprint) -> None:
    write(tmp_path, "web.yaml", "source: web\nconnector: http\n")
    first = read_declared(tmp_path, blueprint, SETTINGS)
    assert read_declared(tmp_path, blueprint, SETTINGS) is first
    write(tmp_path, "web.yaml", "source: site\nconnector: http\n", age=2)
    assert read_declared(tmp_path, blueprint, SETTINGS).connectors == {"site": "http"}
    write(tmp_path, "app.yaml", "source: app\nconnector: http\n")
    assert set(read_declared(tmp_path, blueprint, SETTINGS).connectors) == {"app", "site"}


def test_another_blueprint_is_another_reading(tmp_path: Path, blueprint: Blueprint) -> None:
    write(tmp_path, "web.yaml", "source: web\nconnector: http\n")
    first = read_declared(tmp_path, blueprint, SETTINGS)
    assert read_declared(tmp_path, msgspec.structs.replace(blueprint), SETTINGS) is not first


def test_a_fault_is_told_and_the_others_stay_known(tmp_path: Path, blueprint: Blueprint) -> None:
    write(tmp_path, "web.yaml", "source: web\nconnector: http\n")
    write(tmp_path, "shop.yaml", "source: shop\nconnector: pigeon\n")
    write(tmp_path, "torn.yaml", "source: [")
    (tmp_path / "destinations").mkdir()
    (tmp_path / "destinations" / "hook.yaml").write_text("destination: hook\nconnector: webhook\npurpose: none\n")
    declared = read_declared(tmp_path, blueprint, SETTINGS)
    assert declared.connectors == {"web": "http", "shop": "pigeon"}
    assert declared.destinations == ("hook",)
    assert {"connector_unknown", "unknown_purpose"} <= {fault.code for fault in declared.faults}
