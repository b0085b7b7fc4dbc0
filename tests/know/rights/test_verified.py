"""Whatever is kept about rights and was altered, or is missing, is named when everything is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.spoiling import ask_for_rights

from parcours.know import verify
from parcours.know.state import open_state
from parcours.progress import Silent
from parcours.settings import Settings

from .conftest import open_company

CHANGES = {
    "tombstones": "until_ms = until_ms + 1",
    "requests": "due_ms = due_ms + 1",
    "request_acts": "note = 'nothing'",
    "erasures": "receipt = x'00'",
    "retained": "until_ms = until_ms - 1",
    "restrictions": "principal = principal + 1",
    "dsr_keys": "callbacks = '[\"https://elsewhere.example/\"]'",
    "callbacks": "url = 'https://elsewhere.example/'",
}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    company = open_company(folder)
    company.know.door()
    ask_for_rights(folder, company)
    return folder


def find_faults(folder: Path) -> list[str]:
    return [one.sentence.en for one in verify(folder, Settings(), Silent()).faults if one.level == "error"]


def test_what_nobody_altered_is_sound(asked: Path) -> None:
    assert find_faults(asked) == []


@pytest.mark.parametrize("table", CHANGES)
@pytest.mark.parametrize("gone", [False, True])
def test_an_altered_or_lost_row_is_named(asked: Path, tmp_path: Path, table: str, gone: bool) -> None:
    folder = shutil.copytree(asked, tmp_path / "copy")
    one = f"rowid = (SELECT min(rowid) FROM {table})"
    if table in ("tombstones", "dsr_keys"):
        key = "mark" if table == "tombstones" else "digest"
        one = f"{key} = (SELECT min({key}) FROM {table})"
    sql = f"DELETE FROM {table} WHERE {one}" if gone else f"UPDATE {table} SET {CHANGES[table]} WHERE {one}"
    state = open_state(folder)
    state.execute(sql)
    state.close()
    assert any(f"“{table}”" in fault for fault in find_faults(folder))
