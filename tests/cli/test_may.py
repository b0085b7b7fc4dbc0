"""Tests of `parcours may`: a decision with its rule and remedy, its exit code, and the table."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
from tests.cli.conftest import call, call_json

EXAMPLE = Path(__file__).parents[2] / "examples" / "retail"


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example: whoever asks there leaves something beside the blueprint."""
    return copytree(EXAMPLE, tmp_path_factory.mktemp("may") / "retail", ignore=ignore_patterns(".parcours"))


@pytest.mark.parametrize(
    ("words", "allowed", "said"),
    [
        (("cco", "see_results"), True, "groups of at least ten"),
        (("finance", "see_results"), False, "does not let"),
        (("cem", "see_results", "touchpoint:delivery", "--own", "transport"), True, "their own only"),
        (("cem", "see_results", "touchpoint:delivery", "--own", "stores"), False, "transport"),
        (("csm", "see_customer", "profile:1", "--own", "segment:loyal", "--of", "segment:loyal"), True, "own"),
        (("csm", "see_customer", "profile:1", "--own", "segment:loyal"), False, "is not"),
        (("dpo", "settle_merge", "merge:1", "--proposed-by-them"), False, "Nobody approves"),
        (("it", "run_erasure", "request:1", "--decided"), True, "decided"),
        (("it", "run_erasure", "request:1"), False, "decided"),
    ],
)
def test_it_says_whether_and_why(retail: Path, words: tuple[str, ...], allowed: bool, said: str) -> None:
    done = call("may", retail, *words)
    assert done.returncode == (0 if allowed else 1), done.stderr
    assert done.stdout.startswith("yes" if allowed else "no")
    assert said in done.stdout
    assert ("→" in done.stdout) == (not allowed)
    french = call("--lang", "fr", "may", retail, *words).stdout
    assert french.startswith("oui" if allowed else "non")


def test_it_prints_the_table(retail: Path) -> None:
    table = call_json("may", retail)
    assert table["finance"] == {
        "sign_in": "all",
        "see_permissions": "all",
        "see_methods": "all",
        "see_value": "groups",
        "propose_change": "all",
        "export_results": "groups",
    }
    assert "export_rows (export rows of customers)\n    nobody" in call("may", retail).stdout
    assert "value and cost" in call("may", retail, "finance").stdout


def test_a_touchpoint_that_is_not_there_is_told(retail: Path) -> None:
    done = call("may", retail, "cem", "see_results", "touchpoint:moon")
    assert (done.returncode, "no_touchpoint" in done.stderr) == (1, True)


def test_a_decision_as_json_says_its_rule(retail: Path) -> None:
    told = call_json("may", retail, "dpo", "see_customer")
    assert (told["allowed"], told["needs_reason"], told["masked"], told["code"]) == (True, True, True, "table")
