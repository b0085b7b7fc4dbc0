"""`parcours.toml`, good and bad."""

from __future__ import annotations

from pathlib import Path

import pytest

from parcours.errors import ParcoursError
from parcours.settings import Settings, read_settings


def test_no_file_gives_the_defaults_and_binds_to_this_machine(tmp_path: Path) -> None:
    assert read_settings(tmp_path) == Settings()
    assert Settings().serve.host == "127.0.0.1"


@pytest.mark.parametrize("text", ["language = 'de'", "colour = 'red'", "language = ", "[serve]\nport = 'x'"])
def test_a_faulty_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "parcours.toml").write_text(text, "utf-8")
    with pytest.raises(ParcoursError) as caught:
        read_settings(tmp_path)
    assert caught.value.code == "settings_unreadable"
    assert caught.value.faults[0].file == str(tmp_path / "parcours.toml")


def test_a_place_comes_from_the_environment_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(places={"lake": "inside"})
    monkeypatch.delenv("PARCOURS_PLACE_LAKE", raising=False)
    assert settings.locate("${lake}/a.csv", tmp_path) == tmp_path / "inside" / "a.csv"
    monkeypatch.setenv("PARCOURS_PLACE_LAKE", str(tmp_path / "outside"))
    assert settings.locate("${lake}/a.csv", tmp_path) == tmp_path / "outside" / "a.csv"


def test_a_place_that_is_set_nowhere_says_where_to_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARCOURS_PLACE_SEA", raising=False)
    with pytest.raises(ParcoursError, match="PARCOURS_PLACE_SEA"):
        Settings().locate("${sea}/a.csv", tmp_path)
