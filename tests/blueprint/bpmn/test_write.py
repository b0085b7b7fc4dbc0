"""BPMN out: two participants, four lanes, messages across the line of interaction alone, every id in its place."""

from xml.etree import ElementTree as ET

import pytest

from parcours.blueprint import read_blueprint, template_names, template_path, write_bpmn
from parcours.blueprint.bpmn.names import DIAGRAM, model, ours
from parcours.blueprint.bpmn.write import shown_name
from parcours.words import Words


@pytest.fixture(params=template_names())
def root(request: pytest.FixtureRequest) -> ET.Element:
    return ET.fromstring(write_bpmn(read_blueprint(template_path(request.param)), "en"))


def test_the_lanes_say_their_role_and_who_sees_them(root: ET.Element) -> None:
    lanes = [lane for element in root.iter(model("lane")) for lane in element.iter(ours("lane"))]
    assert [(lane.get("role"), lane.get("visible")) for lane in lanes] == [
        ("customer", "true"),
        ("front", "true"),
        ("back", "false"),
        ("support", "false"),
    ]


def test_messages_cross_the_line_of_interaction_and_sequences_do_not(root: ET.Element) -> None:
    processes = {process.get("id"): process for process in root.iter(model("process"))}
    side = {node.get("id"): name for name, process in processes.items() for node in process if node.get("id")}
    messages = list(root.iter(model("messageFlow")))
    assert messages
    for flow in messages:
        assert side[flow.get("sourceRef")] == "process_customer"
        assert side[flow.get("targetRef")] == "process_company"
    for flow in root.iter(model("sequenceFlow")):
        assert side[flow.get("sourceRef")] == side[flow.get("targetRef")] == "process_company"


def test_ids_are_unique_and_references_hold(root: ET.Element) -> None:
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    named = {
        element.get(name) for element in root.iter() for name in ("sourceRef", "targetRef", "processRef", "bpmnElement")
    }
    named |= {element.text for tag in ("flowNodeRef", "incoming", "outgoing") for element in root.iter(model(tag))}
    assert named - {None} <= set(ids)


def test_every_task_is_in_one_lane_and_drawn(root: ET.Element) -> None:
    tasks = [element.get("id") for tag in ("task", "userTask", "serviceTask") for element in root.iter(model(tag))]
    assert sorted(tasks) == sorted(ref.text or "" for ref in root.iter(model("flowNodeRef")))
    drawn = {shape.get("bpmnElement") for shape in root.iter(f"{{{DIAGRAM}}}BPMNShape")}
    assert set(tasks) <= drawn


def test_boxes_of_tasks_do_not_overlap(root: ET.Element) -> None:
    corners = [
        (bounds.get("x"), bounds.get("y"))
        for shape in root.iter(f"{{{DIAGRAM}}}BPMNShape")
        if not str(shape.get("bpmnElement")).startswith(("lane_", "participant_"))
        for bounds in shape
    ]
    assert len(corners) == len(set(corners))


def test_names_hold_on_one_line() -> None:
    assert shown_name(Words("a\n b\x00c\u00adé ", ""), "fr") == "a b c é"
