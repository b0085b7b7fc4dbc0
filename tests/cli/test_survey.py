"""`parcours survey`: one link, or a list with its links; results on stdout, what to know on stderr."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import call

from parcours import company as companies
from parcours.collect.survey.answers import SOURCE
from parcours.collect.survey.desk import STATUSES
from parcours.collect.survey.forms import MOST_COMMENT
from parcours.collect.survey.invitations import MOST_DAYS
from parcours.collect.survey.links import Link, derive_keys, open_link
from parcours.collect.survey.pace import MOST_FORMS
from parcours.collect.survey.questions import MOST_SCORES
from parcours.words import speak

RETAIL = Path(__file__).parents[2] / "examples" / "retail"
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "ask-customers.md"
DAY_MS = 86_400_000


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """A company folder with a public address, before anything was loaded."""
    folder = Path(shutil.copytree(RETAIL, tmp_path / "acme", ignore=shutil.ignore_patterns(".parcours")))
    with (folder / "parcours.toml").open("a") as file:
        file.write('\n[collect]\npublic_url = "https://avis.acme.fr"\n')
    return folder


def open_one(folder: Path, link: str) -> Link:
    """Return what a link of the company says."""
    keys = derive_keys(companies.open(folder).know.survey_key())
    return open_link(link.strip().rpartition("/")[2], keys, int(time.time() * 1000))


def test_a_link_is_printed_alone(acme: Path) -> None:
    done = call("survey", acme, "delivery", "--user", "C-1", "--object", "order=O-1", "--lang", "en", "--days", 7)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith("https://avis.acme.fr/s/1")
    assert done.stderr == ""
    said = open_one(acme, done.stdout)
    assert (said.touchpoint, said.who, said.objects, said.language) == (
        "delivery", {"user": "C-1"}, {"order": "O-1"}, "en",
    )  # fmt: skip
    assert said.expires_ms - said.issued_ms == 7 * DAY_MS


def test_a_link_without_its_order_warns(acme: Path) -> None:
    done = call("survey", acme, "delivery", "--mail", "ada@lovelace.fr")
    assert done.returncode == 0
    assert "Links without “order”: 1." in done.stderr
    said = open_one(acme, done.stdout)
    assert said.who == {"mail": "ada@lovelace.fr"}
    assert said.language == "fr"


def test_without_a_public_address_links_lead_to_this_machine_and_say_so(acme: Path) -> None:
    (acme / "parcours.toml").write_text("[collect]\nport = 8777\n")
    done = call("survey", acme, "loyalty", "--user", "C-1", "--object", "order=O-1")
    assert done.stdout.startswith("http://127.0.0.1:8777/s/1")
    assert "public_url" in done.stderr


def test_a_list_gets_its_links(acme: Path, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("user;order;first name\nC-1;O-1;Ada\n;O-2;Zoë\nC-3;;Ana\n", "utf-8")
    done = call("survey", acme, "delivery", "--csv", path)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout), delimiter=";"))
    assert [row["first name"] for row in rows] == ["Ada", "Ana"]
    assert open_one(acme, rows[0]["link"]).objects == {"order": "O-1"}
    assert "Line 3 left out: Nobody is named." in done.stderr
    assert "Links without “order”: 1." in done.stderr
    assert "Links: 2. Lines left out: 1." in done.stderr


def test_a_list_may_come_from_another_program(acme: Path) -> None:
    command = [sys.executable, "-m", "parcours", "survey", str(acme), "delivery", "--csv", "-"]
    done = subprocess.run(command, input="user,order\nC-1,O-1\n", capture_output=True, text=True, check=True)
    assert done.stdout.startswith("user,order,link\nC-1,O-1,https://avis.acme.fr/s/1")


def test_many_lines_left_out_are_counted_not_listed(acme: Path, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("user,order\n" + ",O-1\n" * 40, "utf-8")
    done = call("survey", acme, "delivery", "--csv", path)
    assert done.stdout == "user,order,link\n"
    assert done.stderr.count(" left out: Nobody") == 10
    assert "Links: 0. Lines left out: 40." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("delivery",), 1, "[survey_nobody]"),
        (("newsletter", "--user", "C-1"), 1, "[survey_not_scored]"),
        (("nowhere", "--user", "C-1"), 1, "[survey_no_touchpoint]"),
        (("delivery", "--user", "C-1", "--object", "basket=1"), 1, "[survey_unknown_object]"),
        (("delivery", "--user", "C-1", "--object", "order"), 2, "order=O-1"),
        (("delivery", "--user", "C-1", "--days", "0"), 2, "--days"),
        (("delivery", "--user", "C-1", "--days", "366"), 2, "--days"),
        (("delivery", "--user", "C-1", "--lang", "de"), 2, "--lang"),
        (("delivery", "--csv", "nowhere.csv"), 1, "[survey_list_missing]"),
        (("delivery", "--csv", "nowhere.csv", "--user", "C-1"), 2, "--csv"),
        ((), 2, "TOUCHPOINT"),
    ],
)
def test_what_is_wrong_is_said(acme: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = call("survey", acme, *arguments)
    assert done.returncode == status
    assert said in done.stderr
    assert done.stdout == ""


def test_a_question_that_cannot_be_asked_makes_no_key(acme: Path) -> None:
    assert call("survey", acme, "newsletter", "--user", "C-1").returncode == 1
    assert not (acme / ".parcours").exists()


def test_a_public_address_that_is_none_is_refused(acme: Path) -> None:
    (acme / "parcours.toml").write_text('[collect]\npublic_url = "avis.acme.fr"\n')
    done = call("survey", acme, "delivery", "--user", "C-1")
    assert done.returncode == 1
    assert "[survey_address]" in done.stderr


def test_it_speaks_french(acme: Path) -> None:
    done = call("--lang", "fr", "survey", acme, "delivery", "--user", "C-1")
    assert "Liens sans « order » : 1." in done.stderr
    speak(None)


COMMANDS = re.findall(r"^parcours (survey [^#\n]*)", GUIDE.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_guide_runs(acme: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(acme.parent)
    Path("people.csv").write_text("user,order\nC-1,O-1\n", "utf-8")
    done = call(*command.split())
    assert (done.returncode, done.stdout.count("https://avis.acme.fr/s/1")) == (0, 1), done.stderr


def test_the_guide_tells_every_status_and_limit() -> None:
    text = GUIDE.read_text("utf-8")
    assert len(COMMANDS) == 2
    table = text.partition("| status |")[2].partition("## ")[0]
    told = {int(number) for number in re.findall(r"\b\d{3}\b", table)}
    assert told == {*STATUSES.values(), 303, 415, 422}
    for limit in (
        f"{MOST_DAYS})",
        f"{MOST_SCORES} scores",
        f"{MOST_COMMENT:,} characters",
        f"{MOST_FORMS} forms",
        SOURCE,
    ):
        assert limit in text


def test_two_runs_open_under_one_key(acme: Path) -> None:
    first, second = (
        call("survey", acme, "delivery", "--user", "C-1", "--object", "order=O-1").stdout for _ in range(2)
    )
    assert open_one(acme, first).who == open_one(acme, second).who
