"""BPMN in: our own file with what a tool changed, somebody else's as a draft, and a hostile one refused."""

from pathlib import Path

import pytest

from parcours.blueprint import Blueprint, read_blueprint, read_bpmn, template_path, write_bpmn
from parcours.errors import ParcoursError

FOREIGN = """<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="x">
  <collaboration id="c">
    <participant id="pool_client" name="Client" processRef="p1"/>
    <participant id="pool_clinic" name="Clinique" processRef="p2"/>
    <messageFlow id="m1" sourceRef="book" targetRef="welcome"/>
    <messageFlow id="m2" sourceRef="send" targetRef="pool_client"/>
  </collaboration>
  <process id="p1"><task id="book" name="Prendre rendez-vous"/></process>
  <process id="p2">
    <laneSet id="lanes">
      <lane id="l1" name="Accueil"><flowNodeRef>welcome</flowNodeRef><flowNodeRef>send</flowNodeRef></lane>
      <lane id="l2" name="Laboratoire"><flowNodeRef>analyse</flowNodeRef><flowNodeRef>verify</flowNodeRef></lane>
    </laneSet>
    <userTask id="welcome" name="Accueillir"/>
    <task id="analyse" name="Analyser l'échantillon"/>
    <task id="verify" name="Vérifier"/>
    <exclusiveGateway id="gate"/>
    <sendTask id="send" name="Envoyer les résultats"/>
    <sequenceFlow id="s1" sourceRef="welcome" targetRef="analyse"/>
    <sequenceFlow id="s2" sourceRef="analyse" targetRef="verify"/>
    <sequenceFlow id="s3" sourceRef="verify" targetRef="gate"/>
    <sequenceFlow id="s4" sourceRef="gate" targetRef="send"/>
  </process>
</definitions>
"""


@pytest.fixture
def loans() -> Blueprint:
    return read_blueprint(template_path("loans"))


def write(folder: Path, text: str) -> Path:
    path = folder / "clinic.bpmn"
    path.write_text(text, "utf-8")
    return path


def test_a_foreign_file_gives_what_it_says(tmp_path: Path) -> None:
    imported = read_bpmn(write(tmp_path, FOREIGN))
    assert imported.blueprint is None
    assert "id: accueillir" in imported.text
    assert "id: envoyer_les_resultats" in imported.text
    assert "id: prendre_rendez_vous" not in imported.text
    work = imported.text.split("operations:")[1]
    assert "- analyser_l_echantillon" in work.split("id: verifier")[1]
    assert "- envoyer_les_resultats" in work.split("id: verifier")[1]


def test_the_faults_of_a_foreign_file_say_what_is_missing(tmp_path: Path) -> None:
    imported = read_bpmn(write(tmp_path, FOREIGN), "draft.yaml")
    lines = imported.text.splitlines()
    missing = [fault for fault in imported.faults if fault.code == "missing_field"]
    assert {fault.file for fault in missing} == {"draft.yaml"}
    assert {lines[(fault.line or 0) - 1] for fault in missing} == {
        "- id: accueillir",
        "- id: envoyer_les_resultats",
        "- id: analyser_l_echantillon",
        "- id: verifier",
    }
    assert {"touchpoint_without_event", "operation_without_event"} <= {fault.code for fault in imported.faults}


def test_arrows_that_a_blueprint_has_no_word_for_are_named(tmp_path: Path) -> None:
    imported = read_bpmn(write(tmp_path, FOREIGN))
    left_out = [fault for fault in imported.faults if fault.code == "bpmn_arrows_left_out"]
    assert [fault.level for fault in left_out] == ["warning"]
    assert "accueillir → analyser_l_echantillon." in left_out[0].sentence.en


def test_a_name_changed_in_a_tool_is_taken_over(tmp_path: Path, loans: Blueprint) -> None:
    text = write_bpmn(loans, "en").replace('name="Offer sent"', 'name="Offer posted"')
    imported = read_bpmn(write(tmp_path, text))
    assert imported.blueprint is not None
    label = imported.blueprint.touchpoint("offer_sent").label
    assert (label.fr, label.en) == ("Offre envoyée", "Offer posted")


def test_an_arrow_removed_in_a_tool_is_gone(tmp_path: Path, loans: Blueprint) -> None:
    kept = [
        line
        for line in write_bpmn(loans).splitlines()
        if 'sourceRef="operation_validation_work" targetRef="front_application_declined"' not in line
    ]
    imported = read_bpmn(write(tmp_path, "\n".join(kept)))
    assert imported.blueprint is not None
    assert loans.operation("validation_work").supports == (
        "loan_activated",
        "missing_papers_call",
        "application_declined",
    )
    assert imported.blueprint.operation("validation_work").supports == ("loan_activated", "missing_papers_call")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('<!DOCTYPE x [<!ENTITY a "b">]>\n<x>&a;</x>', "xml_doctype"),
        ("<definitions>\n<task></definitions>", "xml_malformed"),
        ("", "xml_malformed"),
        ("<html/>", "not_bpmn"),
        (FOREIGN.replace("Task", "Thing").replace("<task", "<thing"), "not_bpmn"),
    ],
)
def test_what_is_not_bpmn_is_refused(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(ParcoursError) as raised:
        read_bpmn(write(tmp_path, text))
    assert raised.value.code == code


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParcoursError) as raised:
        read_bpmn(tmp_path / "absent.bpmn")
    assert raised.value.code == "file_unreadable"


def test_a_damaged_extension_is_refused(tmp_path: Path, loans: Blueprint) -> None:
    text = write_bpmn(loans).replace('{"id": "offer_sent"', "{")
    with pytest.raises(ParcoursError) as raised:
        read_bpmn(write(tmp_path, text))
    assert raised.value.code == "bpmn_extension_damaged"
