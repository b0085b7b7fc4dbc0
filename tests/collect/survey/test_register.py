"""The register: the first answer stands, across processes and after a restart, and an altered line is named."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from tests.collect.survey.asking import KEYS, NOW_MS

from parcours.collect.survey.register import FILE, Register
from parcours.errors import ParcoursError

ANSWER, OTHER = b"a" * 16, b"b" * 16
FIRST, SECOND = b"1" * 16, b"2" * 16
UNTIL_MS = NOW_MS + 1000


@pytest.fixture
def register(tmp_path: Path) -> Register:
    """An empty register."""
    return Register(tmp_path, KEYS.register)


def test_what_was_never_answered_is_not_there(register: Register) -> None:
    assert register.find(ANSWER) is None


def test_the_first_answer_stands_once_it_is_safe(register: Register) -> None:
    entry = register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)
    register.settle(entry)
    for digest in (FIRST, SECOND):
        held = register.claim(ANSWER, digest, NOW_MS + 500, UNTIL_MS + 500)
        assert held == entry._replace(accepted=True)
    assert register.find(OTHER) is None


def test_the_same_answer_keeps_its_first_moment_before_it_is_safe(register: Register) -> None:
    register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)
    assert register.claim(ANSWER, FIRST, NOW_MS + 500, UNTIL_MS).moment_ms == NOW_MS


def test_another_answer_takes_the_place_of_one_that_was_never_safe(register: Register) -> None:
    register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)
    held = register.claim(ANSWER, SECOND, NOW_MS + 500, UNTIL_MS)
    assert (held.digest, held.moment_ms, held.accepted) == (SECOND, NOW_MS, False)


def test_it_remembers_after_a_restart(register: Register, tmp_path: Path) -> None:
    register.settle(register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS))
    register.close()
    held = Register(tmp_path, KEYS.register).find(ANSWER)
    assert held is not None
    assert held.accepted


def test_what_nobody_can_ask_about_goes(register: Register) -> None:
    register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)
    register.claim(OTHER, FIRST, NOW_MS, UNTIL_MS + 1)
    assert register.sweep(UNTIL_MS) == 0
    assert register.sweep(UNTIL_MS + 1) == 1
    assert register.find(ANSWER) is None
    assert register.find(OTHER) is not None


@pytest.mark.parametrize(
    "change",
    ["digest = x'00'", "moment_ms = moment_ms + 1", "kept_until_ms = 0", "accepted = 1", "accepted = 2",
     "digest = 'text'", "checksum = zeroblob(16)", "checksum = 'text'", "moment_ms = 'soon'"],
)  # fmt: skip
def test_an_altered_line_is_named_and_never_returned(register: Register, tmp_path: Path, change: str) -> None:
    register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)
    register.claim(OTHER, FIRST, NOW_MS, UNTIL_MS)
    assert register.find_damaged() == []
    with sqlite3.connect(tmp_path / ".parcours" / FILE) as file:
        file.execute(f"UPDATE answered SET {change} WHERE answer = ?", (ANSWER,))
    for read in (lambda: register.find(ANSWER), lambda: register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)):
        with pytest.raises(ParcoursError) as told:
            read()
        assert told.value.code == "survey_register_damaged"
        assert ANSWER.hex() in told.value.faults[0].sentence.en
    assert register.find_damaged() == [ANSWER.hex()]
    assert register.find(OTHER) is not None


def test_a_line_moved_to_another_answer_is_refused(register: Register, tmp_path: Path) -> None:
    register.settle(register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS))
    with sqlite3.connect(tmp_path / ".parcours" / FILE) as file:
        file.execute("UPDATE answered SET answer = ?", (OTHER,))
    with pytest.raises(ParcoursError):
        register.find(OTHER)


def test_a_file_that_is_no_register_is_told(tmp_path: Path) -> None:
    (tmp_path / ".parcours").mkdir()
    (tmp_path / ".parcours" / FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(ParcoursError) as told:
        Register(tmp_path, KEYS.register)
    assert told.value.code == "database_damaged"


RACER = """
import sys
from pathlib import Path
from parcours.collect.survey.register import Register

register = Register(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]))
entry = register.claim(b"a" * 16, bytes([int(sys.argv[3])]) * 16, 0, 1000)
print("claimed", flush=True)
sys.stdin.readline()
print(register.settle(entry), flush=True)
"""


def test_of_several_processes_one_settles(tmp_path: Path, register: Register) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path), KEYS.register.hex()]
    racers = [
        subprocess.Popen([*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for number in range(1, 4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "claimed\n"
    said = [racer.communicate("go\n", timeout=60)[0].strip() for racer in racers]
    assert sorted(said) == ["False", "False", "True"]
    held = register.find(ANSWER)
    assert held is not None
    assert (held.digest, held.accepted) == (bytes([said.index("True") + 1]) * 16, True)


def test_settling_the_same_answer_twice_is_harmless(register: Register) -> None:
    entry = register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS)
    assert register.settle(entry)
    assert register.settle(entry)
    assert not register.settle(entry._replace(digest=SECOND))


def test_it_holds_neither_names_nor_words(tmp_path: Path) -> None:
    register = Register(tmp_path, KEYS.register)
    register.settle(register.claim(ANSWER, FIRST, NOW_MS, UNTIL_MS))
    with sqlite3.connect(tmp_path / ".parcours" / FILE) as file:
        columns = {row[1]: row[2] for row in file.execute("PRAGMA table_info(answered)")}
    assert columns == {
        "answer": "BLOB", "digest": "BLOB", "moment_ms": "INTEGER", "kept_until_ms": "INTEGER", "accepted": "INTEGER",
        "checksum": "BLOB",
    }  # fmt: skip
