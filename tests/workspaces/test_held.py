"""A running server follows the company's files; a fault in them is said and the pages stay."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from firm import RETAIL, Firm
from starlette.testclient import TestClient
from tests.signed_in import sign_in

from parcours.blueprint import read_blueprint
from parcours.words import Words
from parcours.workspaces.app import create_app
from parcours.workspaces.held import Held
from parcours.workspaces.readable import Readable


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A company folder with the retail blueprint."""
    (tmp_path / "blueprint.yaml").write_text((RETAIL / "blueprint.yaml").read_text("utf-8"), "utf-8")
    return tmp_path


def reopen(folder: Path) -> Readable:
    return Firm(folder, read_blueprint(folder))


def edit(folder: Path, before: str, after: str, age: int) -> None:
    path = folder / "blueprint.yaml"
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")
    os.utime(path, ns=(age, age))  # a clock too coarse must not decide the test


def test_an_edited_blueprint_is_on_the_next_page(folder: Path) -> None:
    client = TestClient(
        create_app(reopen(folder), reopen=lambda: reopen(folder)), "http://localhost", cookies=sign_in(folder)
    )
    assert "Pages d&#39;aide" in client.get("/fr/map").text
    edit(folder, "Pages d'aide", "Foire aux questions", 1)
    text = client.get("/fr/map").text
    assert "Foire aux questions" in text
    assert "Pages d&#39;aide" not in text


def test_a_fault_is_said_and_the_version_before_stays(folder: Path) -> None:
    client = TestClient(
        create_app(reopen(folder), reopen=lambda: reopen(folder)), "http://localhost", cookies=sign_in(folder)
    )
    edit(folder, "metric: refund_delay", "metric: nothing", 1)
    answer = client.get("/fr/touchpoint/refund")
    assert answer.status_code == 200
    assert "montrent encore la version d’avant" in answer.text
    assert "blueprint.yaml:" in answer.text
    assert str(folder) not in answer.text
    assert "Traitement des remboursements" in answer.text
    edit(folder, "metric: nothing", "metric: refund_delay", 2)
    assert "montrent encore" not in client.get("/fr/touchpoint/refund").text


def test_a_file_in_the_blueprint_folder_counts_too(tmp_path: Path) -> None:
    opened: list[Firm] = []
    (tmp_path / "blueprint").mkdir()
    part = tmp_path / "blueprint" / "care.yaml"
    part.write_text("teams: []")

    def count() -> Firm:
        opened.append(Firm(tmp_path))
        return opened[-1]

    first = Firm(tmp_path)
    held = Held(first, count)
    assert held.take() is first
    os.utime(part, ns=(1, 1))
    assert held.take() is held.take() is opened[0]
    assert len(opened) == 1


def test_without_a_way_to_reopen_it_stays_as_it_was(firm: Firm) -> None:
    assert Held(firm).take() is firm


def test_a_notice_is_shown_in_the_readers_language(firm: Firm) -> None:
    copy = Firm(firm.folder)
    copy.notice = Words("Attention ici.", "Mind this.")
    client = TestClient(create_app(copy), "http://localhost", cookies=sign_in(copy.folder))
    assert "Attention ici." in client.get("/fr/journey").text
    assert "Mind this." in client.get("/en/journey").text
