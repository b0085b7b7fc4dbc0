"""A blueprint as BPMN 2.0: what BPMN has words for as elements and flows, the rest beside them as extensions."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from parcours.blueprint.bpmn.layout import add_diagram
from parcours.blueprint.bpmn.names import (
    BACK,
    BOUNDS,
    CUSTOMER,
    DIAGRAM,
    EDGES,
    FRONT,
    LINES,
    MODEL,
    OURS,
    SUPPORT,
    Lane,
    model,
    ours,
)
from parcours.blueprint.form import to_plain
from parcours.blueprint.records import Blueprint, Operation, Touchpoint
from parcours.words import Language, Words

_PREFIXES = {"bpmn": MODEL, "bpmndi": DIAGRAM, "dc": BOUNDS, "di": EDGES, "parcours": OURS}
_OWN_SECTIONS = ("touchpoints", "operations")
_OWN_FIELDS = ("supports", "follows", "line")


def write_bpmn(blueprint: Blueprint, language: Language = "fr") -> str:
    """Return ``blueprint`` as a BPMN 2.0 document whose names are in ``language``.

    Two participants (customer, company) and four lanes (customer, front, back, support); a touchpoint is a task on
    each side of the line of interaction joined by a message flow, an operation a task behind the line of
    visibility; ``supports`` and ``follows`` are sequence flows. Everything else stands in ``extensionElements`` as
    JSON, so that `read_bpmn` gives an equal blueprint back.
    """
    for prefix, address in _PREFIXES.items():
        ET.register_namespace(prefix, address)
    root = ET.Element(model("definitions"), {"id": "definitions", "targetNamespace": f"{OURS}:{blueprint.company.id}"})
    rest = {name: value for name, value in to_plain(blueprint).items() if name not in _OWN_SECTIONS}
    _extend(root, "blueprint", rest, language=language)
    _add_collaboration(root, blueprint, language)
    _add_customer(root, blueprint, language)
    _add_company(root, blueprint, language)
    add_diagram(root, blueprint)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def shown_name(label: Words, language: Language) -> str:
    """Return a label as the name of an element: on one line, without what XML cannot hold."""
    text = "".join(letter if letter.isprintable() else " " for letter in label.in_language(language))
    return " ".join(text.split())


def _add_collaboration(root: ET.Element, blueprint: Blueprint, language: Language) -> None:
    collaboration = ET.SubElement(root, model("collaboration"), {"id": "collaboration"})
    participants = (("customer", CUSTOMER.label), ("company", blueprint.company.label))
    for role, label in participants:
        ET.SubElement(
            collaboration,
            model("participant"),
            {"id": f"participant_{role}", "name": shown_name(label, language), "processRef": f"process_{role}"},
        )
    for touchpoint in blueprint.touchpoints:
        ends = {"sourceRef": f"customer_{touchpoint.id}", "targetRef": f"front_{touchpoint.id}"}
        ET.SubElement(collaboration, model("messageFlow"), {"id": f"message_{touchpoint.id}", **ends})


def _add_customer(root: ET.Element, blueprint: Blueprint, language: Language) -> None:
    process = _process(root, "customer")
    ids = [f"customer_{touchpoint.id}" for touchpoint in blueprint.touchpoints]
    _add_lanes(process, "customer", [(CUSTOMER, ids)], language)
    for touchpoint, id in zip(blueprint.touchpoints, ids, strict=True):
        ET.SubElement(process, model("task"), {"id": id, "name": shown_name(touchpoint.label, language)})


def _add_company(root: ET.Element, blueprint: Blueprint, language: Language) -> None:
    process = _process(root, "company")
    fronts = [f"front_{touchpoint.id}" for touchpoint in blueprint.touchpoints]
    behind = {
        lane.role: [f"operation_{item.id}" for item in blueprint.operations if LINES[item.line] is lane]
        for lane in (BACK, SUPPORT)
    }
    lanes = [(FRONT, fronts), (BACK, behind["back"]), (SUPPORT, behind["support"])]
    _add_lanes(process, "company", lanes, language)
    flows = _flows(blueprint)
    human = {channel.id for channel in blueprint.channels if channel.kind == "human"}
    for touchpoint in blueprint.touchpoints:
        tag = "userTask" if touchpoint.channel in human else "serviceTask"
        _add_task(process, tag, f"front_{touchpoint.id}", touchpoint, flows, language)
    for operation in blueprint.operations:
        _add_task(process, "task", f"operation_{operation.id}", operation, flows, language)
    for id, source, target in flows:
        ET.SubElement(process, model("sequenceFlow"), {"id": id, "sourceRef": source, "targetRef": target})


def _flows(blueprint: Blueprint) -> list[tuple[str, str, str]]:
    """Return every sequence flow as (id, source, target), in the order of ``supports`` and ``follows``."""
    flows: list[tuple[str, str, str]] = []
    for operation in blueprint.operations:
        here = f"operation_{operation.id}"
        pairs = [(here, f"front_{id}") for id in operation.supports]
        pairs += [(f"operation_{id}", here) for id in operation.follows]
        flows += [(f"flow_{len(flows) + n}", *pair) for n, pair in enumerate(pairs)]
    return flows


def _add_task(
    process: ET.Element,
    tag: str,
    id: str,
    item: Touchpoint | Operation,
    flows: list[tuple[str, str, str]],
    language: Language,
) -> None:
    task = ET.SubElement(process, model(tag), {"id": id, "name": shown_name(item.label, language)})
    kind = "touchpoint" if isinstance(item, Touchpoint) else "operation"
    _extend(task, kind, {name: value for name, value in to_plain(item).items() if name not in _OWN_FIELDS})
    for flow, _, target in flows:
        if target == id:
            ET.SubElement(task, model("incoming")).text = flow
    for flow, source, _ in flows:
        if source == id:
            ET.SubElement(task, model("outgoing")).text = flow


def _process(root: ET.Element, role: str) -> ET.Element:
    return ET.SubElement(root, model("process"), {"id": f"process_{role}", "isExecutable": "false"})


def _add_lanes(process: ET.Element, role: str, lanes: list[tuple[Lane, list[str]]], language: Language) -> None:
    lane_set = ET.SubElement(process, model("laneSet"), {"id": f"lanes_{role}"})
    for lane, ids in lanes:
        name = shown_name(lane.label, language)
        element = ET.SubElement(lane_set, model("lane"), {"id": f"lane_{lane.role}", "name": name})
        extension = ET.SubElement(element, model("extensionElements"))
        visible = "true" if lane.visible else "false"
        ET.SubElement(extension, ours("lane"), {"role": lane.role, "visible": visible})
        for id in ids:
            ET.SubElement(element, model("flowNodeRef")).text = id


def _extend(element: ET.Element, tag: str, plain: dict[str, Any], **attributes: str) -> None:
    """Put ``plain`` beside an element as JSON, in letters that every XML tool leaves alone."""
    extension = ET.SubElement(element, model("extensionElements"))
    ET.SubElement(extension, ours(tag), attributes).text = json.dumps(plain, ensure_ascii=True)
