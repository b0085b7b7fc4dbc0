"""Invitations: one link, or a list of them, with the rows that cannot be invited told and left out."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from tests.collect.survey.asking import DAY_MS, KEYS, MINUTE_MS, NOW_MS, make_inviter, read_retail

from parcours.collect.survey.invitations import LONGEST, Invited, Recipients, check_address
from parcours.collect.survey.links import Link, open_link
from parcours.errors import ParcoursError

OBJECTS = read_retail().objects


def open_one(link: str) -> Link:
    """Return what a whole link says."""
    return open_link(link.rpartition("/")[2], KEYS, NOW_MS)


def read_list(text: str) -> Recipients:
    """Return the recipients in ``text``."""
    return Recipients(io.StringIO(text, newline=""), "people.csv", OBJECTS)


def invite_list(text: str) -> list[Invited]:
    """Invite everybody in ``text``."""
    return list(make_inviter().invite_rows(read_list(text).rows()))


def test_a_link_says_who_is_asked_about_what_until_when() -> None:
    link = make_inviter(public_url="https://avis.acme.fr/voix/").invite({"user": " C-1 "}, {"order": "O-1"}, "en")
    assert link.startswith("https://avis.acme.fr/voix/s/1")
    said = open_one(link)
    assert (said.touchpoint, said.who, said.objects) == ("delivery", {"user": "C-1"}, {"order": "O-1"})
    assert (said.language, said.salt) == ("en", b"")
    assert said.issued_ms == NOW_MS - NOW_MS % MINUTE_MS
    assert said.expires_ms - said.issued_ms == 30 * DAY_MS


def test_without_an_object_a_link_is_one_of_a_kind() -> None:
    inviter = make_inviter("loyalty")
    first, second = (open_one(inviter.invite({"mail": "ada@lovelace.fr"}, {"order": "  "})) for _ in range(2))
    assert first.objects == {}
    assert first.salt != second.salt


@pytest.mark.parametrize(
    ("who", "objects", "code"),
    [
        ({}, {}, "survey_nobody"),
        ({"user": "  "}, {"order": "O-1"}, "survey_nobody"),
        ({"user": "C-1"}, {"basket": "B-1"}, "survey_unknown_object"),
        ({"user": "x" * (LONGEST + 1)}, {}, "survey_unusable_value"),
        ({"user": "C\x001"}, {}, "survey_unusable_value"),
        ({"user": "C-1"}, {"order": "O\n1"}, "survey_unusable_value"),
        ({"user": "\ud800"}, {}, "survey_unusable_value"),
        ({"user": "é" * 255, "mail": "é" * 255, "device": "é" * 255}, {}, "survey_link_long"),
    ],
)
def test_nobody_is_asked_by_a_link_that_says_nothing_usable(who: Any, objects: Any, code: str) -> None:
    with pytest.raises(ParcoursError) as refused:
        make_inviter().invite(who, objects)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "address", ["", "avis.acme.fr", "ftp://acme.fr", "https://", "https://acme.fr/?a=1", "https://a#b"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ParcoursError) as refused:
        check_address(address)
    assert refused.value.code == "survey_address"


def test_a_touchpoint_that_cannot_be_asked_about_gives_no_inviter() -> None:
    with pytest.raises(ParcoursError, match="survey_not_scored"):
        make_inviter("newsletter")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_row_gets_its_link_and_keeps_its_cells(delimiter: str) -> None:
    text = "user;order;first_name;language\nC-1;O-1;Ada;en\n\nC-2;O-2;Zoë;fr-CA\nC-3;O-3;Ana;pt\n".replace(
        ";", delimiter
    )
    first, second, third = invite_list("\ufeff" + text)
    assert [each.line for each in (first, second, third)] == [2, 4, 5]
    assert {key: first.row[key] for key in ("user", "order", "first_name")} == {
        "user": "C-1", "order": "O-1", "first_name": "Ada",
    }  # fmt: skip
    assert open_one(first.row["link"]).language == "en"
    assert open_one(second.row["link"]).language == "fr"
    assert open_one(third.row["link"]).language == "fr"
    assert open_one(third.row["link"]).who == {"user": "C-3"}


def test_quoted_cells_may_hold_lines_and_delimiters() -> None:
    (invited,) = invite_list('user,note,order\n"C,1","two\nlines","O-1"\n')
    assert open_one(invited.row["link"]).who == {"user": "C,1"}
    assert invited.row["note"] == "two\nlines"


def test_a_row_that_cannot_be_invited_says_why_and_the_rest_goes_on() -> None:
    nobody, odd, good = invite_list("user,mail,order\n,,O-1\nC\x012,,O-2\n,ada@lovelace.fr,O-3\n")
    assert nobody.reason is not None
    assert nobody.reason.en == "Nobody is named."
    assert odd.reason is not None
    assert "link" not in odd.row
    assert good.reason is None
    assert open_one(good.row["link"]).who == {"mail": "ada@lovelace.fr"}


def test_a_list_made_twice_names_the_same_answers() -> None:
    from parcours.collect.survey.links import name_answer

    text = "user,order\nC-1,O-1\n"
    (first,), (second,) = (
        invite_list(text),
        list(make_inviter(now_ms=NOW_MS + DAY_MS).invite_rows(read_list(text).rows())),
    )
    assert name_answer(open_one(first.row["link"]), KEYS) == name_answer(open_one(second.row["link"]), KEYS)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "No column names the recipients"),
        ("order,amount\nO-1,3\n", 1, "No column names the recipients"),
        ("user,user\nC-1,C-2\n", 1, "is there twice"),
        ("user,link\nC-1,x\n", 1, "kept for the link"),
        ("user,a,a\nC-1,x,y\n", 1, "a name of its own"),
        ("user,order\nC-1\n", 2, "Cells: 1; columns: 2"),
        ("user,order\nC-1,O-1\nC-2,O-2,more\n", 3, "Cells: 3; columns: 2"),
        ('user,order\n"C-1,O-1\n', 2, "It is not CSV"),
        ('user,order\n"C"-1,O-1\n', 2, "It is not CSV"),
    ],
)
def test_a_list_that_cannot_be_read_is_told_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ParcoursError) as refused:
        list(read_list(text).rows())
    (fault,) = refused.value.faults
    assert (fault.code, fault.file, fault.line) == ("survey_list_unreadable", "people.csv", line)
    assert said in fault.sentence.en


@pytest.mark.parametrize("data", [b"user,order\nC-\xff,O-2\n", b"us\xe9r\n", b"user\n" + b"C-1\n" * 4000 + b"\xff\n"])
def test_a_list_in_another_encoding_is_told(data: bytes) -> None:
    stream = io.TextIOWrapper(io.BytesIO(data), "utf-8", newline="")
    with pytest.raises(ParcoursError) as refused:
        list(Recipients(stream, "people.csv", OBJECTS).rows())
    assert "UTF-8" in refused.value.faults[0].sentence.en


@pytest.mark.parametrize("limit", [1 << 17, 1 << 20])
def test_a_line_that_never_ends_is_refused(limit: int) -> None:
    before = csv.field_size_limit(limit)
    with pytest.raises(ParcoursError) as refused:
        list(read_list("user\n" + "x" * 200_000 + "\n").rows())
    csv.field_size_limit(before)
    assert refused.value.code == "survey_list_unreadable"
