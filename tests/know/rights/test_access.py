"""Tests of access and portability: everything of one person and nobody else's, readable in both languages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import msgspec
import pytest

from parcours import flow
from parcours.blueprint.records import Field
from parcours.errors import ParcoursError
from parcours.know import write_json, write_letter
from parcours.words import Words

from .conftest import BLUEPRINT, CANARY, IDS, Living, open_company

MAIL = f"mail:{IDS['mail']}"


def test_access_is_everything_of_this_person_and_nobody_else(company: Living) -> None:
    dossier = flow.compile_dossier(company, MAIL, "access", "cli")
    assert {(one.name, one.value) for one in dossier.identifiers} == set(IDS.items())
    assert len(dossier.events) == sum(company.know.rights.preview(MAIL).events.values())
    assert any(CANARY in str(one.about.get("comment")) for one in dossier.events)
    assert {one.purpose for one in dossier.choices} == {"personalise"}
    assert [(one.purpose, one.basis, one.in_use) for one in dossier.uses] == [
        ("improve", "legitimate_interest", True),
        ("personalise", "consent", False),
    ]
    assert [one.name for one in dossier.recipients] == ["crm"]
    assert dossier.shared == 1
    for language in ("fr", "en"):
        written = write_json(dossier, language).decode() + write_letter(dossier, language)
        assert "other-" not in written


def test_portability_is_what_rests_on_consent_or_contract_and_infers_nothing(company: Living) -> None:
    whole = flow.compile_dossier(company, MAIL, "access", "cli")
    taken = flow.compile_dossier(company, MAIL, "portability", "cli")
    assert 0 < len(taken.events) < len(whole.events)
    assert all("personalise" in one.purposes for one in taken.events)
    assert (taken.profile, taken.recipients) == ("", ())
    told = json.loads(write_json(taken, "en"))
    assert told["scope"] == "portability"
    assert told["company"] == "firm"


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Ce que nous savons de vous"), ("en", "What we hold about you")]
)
def test_the_page_reads_in_both_languages_and_runs_nothing(company: Living, language: str, title: str) -> None:
    page = write_letter(flow.compile_dossier(company, MAIL, "access", "cli"), language)  # type: ignore[arg-type]
    assert f'<html lang="{language}">' in page
    assert f"<h1>{title}</h1>" in page
    assert IDS["mail"] in page
    assert "<script" not in page
    assert "http" not in page.replace("https", "")


def test_what_people_wrote_is_no_markup(company: Living, tmp_path: Path) -> None:
    from .conftest import deliver, event

    words = {"about": "delivery", "score": 7, "comment": "<script>alert(1)</script>", "order_id": "O0"}
    deliver(company.folder, company, event("Answered", {"user": IDS["user"]}, 800, **words))
    page = write_letter(flow.compile_dossier(company, MAIL, "access", "cli"), "en")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_nobody_gets_anything_after_an_erasure(company: Living) -> None:
    flow.forget(company, MAIL, "cli")
    with pytest.raises(ParcoursError) as caught:
        flow.compile_dossier(company, MAIL, "access", "cli")
    assert caught.value.code == "nobody_found"


def test_looking_is_noted_and_answers_the_request(company: Living) -> None:
    number = company.know.requests.open("access", [MAIL], "cli")
    company.know.requests.check_identity(number, "signed in", "cli")
    dossier = flow.compile_dossier(company, MAIL, "access", "cli", number)
    entry = company.know.audit.read(action="see_customer")[0]
    assert (entry.actor, entry.thing, entry.reason) == ("cli", dossier.profile, "access")
    assert company.know.requests.find(number).state == "done"


def test_the_page_calls_things_by_their_labels_and_says_for_whom_a_choice_was_made(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    town = Field(id="town", kind="personal", label=Words(fr="Ville", en="Town"))
    purposes = tuple(
        msgspec.structs.replace(one, label=Words(fr=f"But {one.id}", en=f"Aim {one.id}")) for one in BLUEPRINT.purposes
    )
    company = open_company(tmp_path, fields=(BLUEPRINT.fields[0], town), purposes=purposes)
    dossier = flow.compile_dossier(company, MAIL, "access", "cli")
    assert {one.kind for one in dossier.choices} >= {"user"}
    assert all(IDS[one.kind] != one.identifier for one in dossier.choices)
    french, english = write_letter(dossier, "fr"), write_letter(dossier, "en")
    for said in (
        "<td>Ville</td>",
        "<td>But personalise</td>",
        "<td>compte</td>",
        f"<td>compte •••{IDS['user'][-2:]}</td>",
    ):
        assert said in french, said
    called = next(one.label for one in dossier.events if one.name == "Called")
    assert called.en != "Called"
    for said in ("<td>Town</td>", "<td>Aim personalise</td>", "<td>account</td>", f"<td>{called.en}</td>"):
        assert said in english, said
    for raw in ("<td>town</td>", "<td>personalise</td>", "<td>user</td>"):
        assert raw not in french + english
    assert json.loads(write_json(dossier, "fr"))["labels"]["field:town"] == "Ville"


def test_the_page_tells_every_right_and_promises_nothing_that_the_company_alone_knows(company: Living) -> None:
    dossier = flow.compile_dossier(company, MAIL, "access", "cli")
    french, english = write_letter(dossier, "fr"), write_letter(dossier, "en")
    assert "une machine" not in french
    assert "a machine" not in english
    assert "receive what you gave us in a form that can be used elsewhere" in english
    assert "réutilisable ailleurs" in french
    assert "data protection officer" in english


def test_what_rests_on_legitimate_interest_alone_is_not_taken_along(company: Living) -> None:
    whole = flow.compile_dossier(company, MAIL, "access", "cli")
    assert [one.name for one in whole.values] == ["town"]
    assert not any(one.in_use for one in whole.uses if one.basis == "consent")
    assert flow.compile_dossier(company, MAIL, "portability", "cli").values == ()
    company.know.consents.record(MAIL, "personalise", True, "cli", "asked for it")
    assert [one.name for one in flow.compile_dossier(company, MAIL, "portability", "cli").values] == ["town"]
