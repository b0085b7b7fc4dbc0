"""Where each BPMN element is drawn, so that a modelling tool opens the blueprint as a picture."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import msgspec

from parcours.blueprint.bpmn.names import BOUNDS, DIAGRAM, EDGES, LINES, model
from parcours.blueprint.records import Blueprint

_WIDE, _HIGH, _GAP = 120, 80, 40
_LEFT = 90
_ROW = _HIGH + 2 * _GAP
_ROWS = {"customer": 0, "front": 1, "back": 2, "support": 3}
_LINE_OF_INTERACTION = 40


class Box(msgspec.Struct, frozen=True):
    """A rectangle in pixels, from its upper left corner."""

    x: int
    y: int
    wide: int
    high: int

    @property
    def middle(self) -> tuple[int, int]:
        """The point where edges meet the box."""
        return self.x + self.wide // 2, self.y + self.high // 2


def add_diagram(root: ET.Element, blueprint: Blueprint) -> None:
    """Add one diagram to ``root``: touchpoints in the order of their stages, operations below what they support."""
    boxes = _task_boxes(blueprint)
    width = max((box.x + box.wide for box in boxes.values()), default=_LEFT) + _GAP
    diagram = ET.SubElement(root, f"{{{DIAGRAM}}}BPMNDiagram", {"id": "diagram"})
    plane = ET.SubElement(diagram, f"{{{DIAGRAM}}}BPMNPlane", {"id": "plane", "bpmnElement": "collaboration"})
    boxes |= {
        "participant_customer": Box(0, 0, width, _ROW),
        "participant_company": Box(0, _top("front"), width, 3 * _ROW),
    }
    boxes |= {f"lane_{role}": Box(30, _top(role), width - 30, _ROW) for role in _ROWS}
    for id, box in boxes.items():
        _add_shape(plane, id, box)
    for flow in (*root.iter(model("messageFlow")), *root.iter(model("sequenceFlow"))):
        _add_edge(plane, flow, boxes)


def _task_boxes(blueprint: Blueprint) -> dict[str, Box]:
    stages = {stage.id: order for order, stage in enumerate(blueprint.stages)}
    ordered = sorted(blueprint.touchpoints, key=lambda item: stages.get(item.stage, len(stages)))
    columns = {touchpoint.id: column for column, touchpoint in enumerate(ordered)}
    boxes = {}
    for id, column in columns.items():
        boxes[f"customer_{id}"] = _box("customer", column)
        boxes[f"front_{id}"] = _box("front", column)
    taken: dict[str, set[int]] = {"back": set(), "support": set()}
    for operation in blueprint.operations:
        role = LINES[operation.line].role
        column = min((columns[id] for id in operation.supports if id in columns), default=0)
        while column in taken[role]:
            column += 1
        taken[role].add(column)
        boxes[f"operation_{operation.id}"] = _box(role, column)
    return boxes


def _top(role: str) -> int:
    row = _ROWS[role]
    return row * _ROW + (_LINE_OF_INTERACTION if row else 0)


def _box(role: str, column: int) -> Box:
    return Box(_LEFT + column * (_WIDE + _GAP), _top(role) + _GAP, _WIDE, _HIGH)


def _add_shape(plane: ET.Element, id: str, box: Box) -> None:
    attributes = {"id": f"shape_{id}", "bpmnElement": id}
    if id.startswith(("participant_", "lane_")):
        attributes["isHorizontal"] = "true"
    shape = ET.SubElement(plane, f"{{{DIAGRAM}}}BPMNShape", attributes)
    sides = {"x": str(box.x), "y": str(box.y), "width": str(box.wide), "height": str(box.high)}
    ET.SubElement(shape, f"{{{BOUNDS}}}Bounds", sides)


def _add_edge(plane: ET.Element, flow: ET.Element, boxes: dict[str, Box]) -> None:
    id = flow.attrib["id"]
    edge = ET.SubElement(plane, f"{{{DIAGRAM}}}BPMNEdge", {"id": f"edge_{id}", "bpmnElement": id})
    for end in ("sourceRef", "targetRef"):
        x, y = boxes[flow.attrib[end]].middle
        ET.SubElement(edge, f"{{{EDGES}}}waypoint", {"x": str(x), "y": str(y)})
