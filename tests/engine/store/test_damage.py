"""Harm to the bytes of any kept file: every answer is as before, of one earlier moment, or an error that names it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.spoiling import (
    HARMS,
    Case,
    Truth,
    Verdict,
    ask_everything,
    draw_cases,
    find_truth,
    list_files,
    make_companies,
    try_case,
)

CASES = 60
SEED = 20


class Bench(NamedTuple):
    """The companies (synthetic), what they say unharmed, and room for copies."""

    companies: dict[str, Path]
    truth: Truth
    place: Path

    def try_one(self, state: str, file: str, harm: str, number: int = 0) -> Verdict:
        """Return what becomes of one harm."""
        return try_case(Case(number, state, Path(file), harm, 5), self.companies, self.truth, self.place)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A company at rest, and one that crashed with its last changes in the logs."""
    place = tmp_path_factory.mktemp("damage")
    companies = make_companies(place)
    return Bench(companies, find_truth(companies, place), place)


@pytest.mark.parametrize("number", range(CASES))
def test_harm_is_never_silent(bench: Bench, number: int) -> None:
    case = draw_cases(bench.companies, CASES, SEED)[number]
    verdict = try_case(case, bench.companies, bench.truth, bench.place)
    assert verdict.word != "WRONG", f"{case}: {verdict.detail}"


def test_the_cases_reach_every_file_in_every_way(bench: Bench) -> None:
    cases = draw_cases(bench.companies, CASES, SEED)
    kinds = {kind for folder in bench.companies.values() for kind in list_files(folder)}
    databases = {"journal.db", "state.db", "keys.db", "surveys.db", "audit.db", "access.db"}
    databases |= {"journal.db-wal", "state.db-wal", "access.db-wal"}
    assert kinds >= {"parts", "seen", "known", "tables"} | databases
    assert {case.file.parts[0] for case in cases} == kinds
    assert {case.harm for case in cases} == set(HARMS)


@pytest.mark.parametrize("file", ["journal.db", "state.db", "keys.db", "surveys.db", "audit.db", "access.db"])
@pytest.mark.parametrize("number", [0, 1])
def test_a_database_that_is_gone_is_named(bench: Bench, file: str, number: int) -> None:
    assert bench.try_one("rest", file, "gone", number) == ("named", "database_damaged")


@pytest.mark.parametrize("log", ["journal.db-wal", "state.db-wal", "audit.db-wal", "access.db-wal"])
def test_a_log_cut_behind_any_change_is_told_or_an_exact_prefix(bench: Bench, log: str, tmp_path: Path) -> None:
    moments = bench.truth.earlier[log]
    assert len(moments) > 2
    assert moments[-1] == bench.truth.whole["crashed"]
    for earlier in moments:
        assert not earlier.remediless
        assert set(earlier.errors.values()) <= {"moments_apart"}
    # The bytes of half a frame behind the last whole change are those of a write that a power failure cut.
    folder = shutil.copytree(bench.companies["crashed"], tmp_path / "firm")
    with (folder / ".parcours" / log).open("ab") as file:
        file.write(bytes(2000))
    assert ask_everything(folder) == moments[-1]


def test_only_a_short_answer_whose_damage_is_named_may_be_missed(bench: Bench) -> None:
    told = bench.truth.whole["rest"]
    more = bench.truth.whole | {
        "rest": told._replace(answers=told.answers | {"texts": [*told.answers["texts"], "one"]})
    }
    truth = bench.truth._replace(whole=more)
    seen = list_files(bench.companies["rest"])["seen"][0]
    cases = [Case(0, "rest", Path("lock"), "garbage", 5), Case(0, "rest", seen, "gone", 5)]
    words = [try_case(case, bench.companies, truth, bench.place).word for case in cases]
    assert words == ["WRONG", "missed"]


def test_an_answer_that_changed_silently_is_found(bench: Bench) -> None:
    told = bench.truth.whole["rest"]
    parts = [*told.answers["parts"][:-1], "another row"]
    lied = bench.truth.whole | {"rest": told._replace(answers=told.answers | {"parts": parts})}
    case = Case(0, "rest", Path("lock"), "garbage", 5)
    verdict = try_case(case, bench.companies, bench.truth._replace(whole=lied), bench.place)
    assert verdict.word == "WRONG"
    assert "silently changed" in verdict.detail


def test_an_error_that_goes_through_is_found(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no sentence")

    monkeypatch.setattr("tests.spoiling.read_part", fail)
    verdict = bench.try_one("rest", "lock", "garbage")
    assert verdict.word == "WRONG"
    assert verdict.detail.startswith("ValueError: no sentence")
