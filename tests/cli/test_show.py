"""`parcours show`: every measure as a table and as the JSON that others rely on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import call, call_json

from parcours.measure import MEASURES

KEYS = {"measure", "question", "unit", "period", "n", "rows", "definition", "sql", "method", "warnings"}
ROW_KEYS = {
    "causes": "touchpoint operation effect low high unit grade n customers value",
    "experience": "touchpoint metric score low high n",
    "journey": "stage entered moved_on left under_way median_ms low high",
    "transitions": "source target count share low high",
}


@pytest.mark.parametrize("name", [measure.name for measure in MEASURES])
def test_json_holds_the_agreed_keys(made: tuple[Path, dict[str, Any]], name: str) -> None:
    result = call_json("show", made[0], name)
    assert result.keys() >= KEYS
    assert result["measure"] == name
    assert result["rows"]
    for row in result["rows"]:
        assert row.keys() >= set(ROW_KEYS.get(name, "").split())


@pytest.mark.parametrize("name", [measure.name for measure in MEASURES])
def test_the_table_reads_without_colour_in_both_languages(made: tuple[Path, dict[str, Any]], name: str) -> None:
    for language in ("fr", "en"):
        done = call("--lang", language, "show", made[0], name)
        assert done.returncode == 0, done.stderr
        assert "\x1b[" not in done.stdout
        measure = next(measure for measure in MEASURES if measure.name == name)
        assert done.stdout.startswith(measure.question.in_language("fr" if language == "fr" else "en"))


def test_a_split_is_offered_and_an_unknown_one_is_refused(made: tuple[Path, dict[str, Any]]) -> None:
    split = call_json("show", made[0], "experience", "--by", "channel")
    assert {"web", "store"} & {row.get("channel") for row in split["rows"]}
    refused = call("show", made[0], "experience", "--by", "moon")
    assert refused.returncode == 1
    assert "channel" in refused.stderr


def test_an_unknown_measure_names_those_there_are(made: tuple[Path, dict[str, Any]]) -> None:
    refused = call("show", made[0], "magic")
    assert refused.returncode == 1
    assert "experience" in refused.stderr


def test_a_purpose_that_does_not_cover_the_measure_gives_no_row(made: tuple[Path, dict[str, Any]]) -> None:
    refused = call("show", made[0], "causes", "--purpose", "personalise")
    assert refused.returncode == 1
    assert "[purpose_does_not_cover]" in refused.stderr
    assert refused.stdout == ""


def test_a_role_is_shown_what_it_sees_and_refused_the_rest(made: tuple[Path, dict[str, Any]]) -> None:
    refused = call("show", made[0], "experience", "--as", "finance")
    assert refused.returncode == 1
    assert "[not_permitted]" in refused.stderr
    assert "Who may" in refused.stderr
    shown = call_json("show", made[0], "experience", "--by", "week", "--as", "cco")
    hidden = [row for row in shown["rows"] if row["seen"] == "hidden"]
    assert hidden
    assert all(row["score"] is row["n"] is None for row in hidden)
    assert "Hidden from this role" in shown["warnings"][0]
    assert "masqué" in call("--lang", "fr", "show", made[0], "experience", "--by", "week", "--as", "cco").stdout
    own = call_json("show", made[0], "experience", "--by", "group:segment", "--as", "sales", "--own", "segment:loyal")
    assert {row["group"] for row in own["rows"]} <= {"loyal"}
    assert call("show", made[0], "experience", "--own", "segment:loyal").returncode == 2
    for role in ("cem", "sales"):
        done = call("show", made[0], "experience", "--by", "group:segment", "--as", role)
        assert (done.returncode, "--own TEAM (cem), --own GROUP:LABEL (csm, sales)" in done.stderr) == (1, True)
