"""The part of a BPMN file that a blueprint understands: tasks in their lanes, and what flows between them."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import msgspec

from parcours.blueprint.bpmn.names import model, ours
from parcours.blueprint.bpmn.tree import Tree
from parcours.errors import ParcoursError
from parcours.words import Words

_ACTIVITIES = (
    "task",
    "userTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "manualTask",
    "businessRuleTask",
    "scriptTask",
    "callActivity",
    "subProcess",
    "transaction",
    "adHocSubProcess",
)
ACTIVITIES = frozenset(model(tag) for tag in _ACTIVITIES)


class Task(msgspec.Struct, frozen=True):
    """An activity: its pool, its innermost lane, and the role of that lane when the file says it."""

    id: str
    name: str
    pool: str
    lane: str
    role: str
    element: ET.Element


class Model(msgspec.Struct, frozen=True):
    """Tasks in the order of the file; sequence flows as drawn; messages between tasks or pools."""

    tasks: tuple[Task, ...]
    flows: tuple[tuple[str, str], ...]
    messages: tuple[tuple[str, str], ...]
    pools: dict[str, str]

    def leads(self) -> dict[str, list[str]]:
        """Return which tasks each task leads to, gateways and events between them passed over."""
        ids = {task.id for task in self.tasks}
        onward: dict[str, list[str]] = {}
        for source, target in self.flows:
            onward.setdefault(source, []).append(target)
        return {id: list(_next_tasks(id, onward, ids)) for id in ids}


def read_model(tree: Tree) -> Model:
    """Return what ``tree`` says; `ParcoursError` (``not_bpmn``) when it is not BPMN 2.0 or holds no task."""
    root = tree.root
    pools = {
        element.get("processRef", ""): element.get("name", "")
        for element in root.iter(model("participant"))
        if element.get("processRef")
    }
    tasks = tuple(task for process in root.iter(model("process")) for task in _tasks(process, pools))
    if root.tag != model("definitions") or not tasks:
        raise ParcoursError(
            "not_bpmn",
            Words("Ce fichier ne contient aucune tâche BPMN 2.0.", "This file holds no BPMN 2.0 task."),
            Words("Exportez-le en « BPMN 2.0 XML ».", "Export it as “BPMN 2.0 XML”."),
            tree.file,
            1,
        )
    participants = {element.get("id", ""): element.get("name", "") for element in root.iter(model("participant"))}
    return Model(tasks, _ends(root, "sequenceFlow"), _ends(root, "messageFlow"), participants)


def _tasks(process: ET.Element, pools: dict[str, str]) -> Iterator[Task]:
    lanes: dict[str, ET.Element] = {}
    for lane in process.iter(model("lane")):
        # Nested lanes come after the one around them, so the innermost one counts.
        lanes.update({(ref.text or "").strip(): lane for ref in lane.findall(model("flowNodeRef"))})
    pool = pools.get(process.get("id", ""), process.get("name", ""))
    for element in process.iter():
        if element.tag in ACTIVITIES and element.get("id"):
            id = element.attrib["id"]
            lane_of = lanes.get(id)
            name = " ".join(element.get("name", "").split())
            yield Task(id, name, pool, _name(lane_of), _role(lane_of), element)


def _name(lane: ET.Element | None) -> str:
    return "" if lane is None else lane.get("name", "")


def _role(lane: ET.Element | None) -> str:
    said = None if lane is None else lane.find(f"{model('extensionElements')}/{ours('lane')}")
    return "" if said is None else said.get("role", "")


def _ends(root: ET.Element, tag: str) -> tuple[tuple[str, str], ...]:
    return tuple((flow.get("sourceRef", ""), flow.get("targetRef", "")) for flow in root.iter(model(tag)))


def _next_tasks(id: str, onward: dict[str, list[str]], ids: set[str]) -> Iterator[str]:
    seen: set[str] = set()
    open_ids = list(onward.get(id, []))
    while open_ids:
        here = open_ids.pop(0)
        if here in seen:
            continue
        seen.add(here)
        if here in ids:
            yield here
        else:
            open_ids += onward.get(here, [])
