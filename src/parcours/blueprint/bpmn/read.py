"""A BPMN 2.0 file as a blueprint: our own comes back equal, anyone else's gives a draft and what it lacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from parcours.blueprint.bpmn.foreign import draft_of
from parcours.blueprint.bpmn.model import Model, Task, read_model
from parcours.blueprint.bpmn.names import BACK, SUPPORT, ours
from parcours.blueprint.bpmn.tree import read_tree
from parcours.blueprint.bpmn.write import shown_name
from parcours.blueprint.read import check_text
from parcours.blueprint.records import Blueprint
from parcours.blueprint.yaml_lines import write_yaml
from parcours.errors import Fault, ParcoursError
from parcours.words import Language, Words

SECTIONS = ("company", "stages", "channels", "teams", "touchpoints", "operations")


class Imported(msgspec.Struct, frozen=True):
    """What a BPMN file gave: the text of a ``blueprint.yaml``, the blueprint when it is whole, and what it lacks.

    The faults name lines of ``text``, as if it stood in the file ``target``.
    """

    text: str
    blueprint: Blueprint | None
    faults: tuple[Fault, ...]


def read_bpmn(path: Path, target: str = "blueprint.yaml") -> Imported:
    """Read a BPMN 2.0 file; `ParcoursError` when it is no readable BPMN (see `read_tree`).

    A file written by `write_bpmn` gives an equal blueprint, with the names and arrows that a tool has changed since.
    Any other gives a draft: lanes become teams, tasks that exchange messages with the customer become touchpoints,
    the other tasks operations; the faults say what must be added.
    """
    tree = read_tree(path)
    bpmn = read_model(tree)
    own = tree.root.find(f".//{ours('blueprint')}")
    plain, left_out = draft_of(bpmn, path.stem) if own is None else (_own(bpmn, own, path), [])
    first = [name for name in SECTIONS if name in plain]
    ordered = {name: plain[name] for name in (*first, *(name for name in plain if name not in SECTIONS))}
    text = write_yaml(ordered)
    blueprint, faults = check_text(text, target)
    return Imported(text, blueprint, (*_left_out(left_out, path), *faults))


def _left_out(arrows: list[str], path: Path) -> tuple[Fault, ...]:
    if not arrows:
        return ()
    listed = ", ".join(arrows)
    warning = Fault(
        "bpmn_arrows_left_out",
        Words(
            f"Ces flèches ne vont pas du travail vers ce qu'il soutient et restent dehors : {listed}.",
            f"These arrows do not go from work to what it supports and stay outside: {listed}.",
        ),
        Words(
            "Vérifiez « supports: » et « follows: » : la cause d'abord, le point de contact ensuite.",
            "Check “supports:” and “follows:”: the cause first, then the touchpoint.",
        ),
        str(path),
        level="warning",
    )
    return (warning,)


def _own(bpmn: Model, element: ET.Element, path: Path) -> dict[str, Any]:
    """Put our own extensions together again, with the flows and names as they are now drawn."""
    plain = _decode(element, path)
    language: Language = "en" if element.get("language") == "en" else "fr"
    kinds = {task.id: _extension(task, path) for task in bpmn.tasks}
    touchpoints = {id: item for id, (kind, item) in kinds.items() if kind == "touchpoint"}
    operations = {id: item for id, (kind, item) in kinds.items() if kind == "operation"}
    for task in bpmn.tasks:
        if task.id in touchpoints or task.id in operations:
            _rename(kinds[task.id][1], task.name, language)
        if task.id in operations:
            operation = operations[task.id]
            if task.role == SUPPORT.role:
                operation["line"] = "support"
            elif task.role == BACK.role:
                operation.pop("line", None)
            supports = [touchpoints[to].get("id") for frm, to in bpmn.flows if frm == task.id and to in touchpoints]
            follows = [operations[frm].get("id") for frm, to in bpmn.flows if to == task.id and frm in operations]
            operation.update({name: ids for name, ids in (("supports", supports), ("follows", follows)) if ids})
    plain["touchpoints"] = list(touchpoints.values())
    if operations:
        plain["operations"] = list(operations.values())
    return plain


def _extension(task: Task, path: Path) -> tuple[str, dict[str, Any]]:
    for kind in ("touchpoint", "operation"):
        element = task.element.find(f".//{ours(kind)}")
        if element is not None:
            return kind, _decode(element, path)
    return "", {}


def _rename(item: dict[str, Any], name: str, language: Language) -> None:
    """Take over a name that was changed in a tool; the label keeps what one line of XML cannot hold."""
    label = item.get("label")
    known = Words(**label) if isinstance(label, dict) else Words(str(label or ""), "")
    if name and name != shown_name(known, language):
        item["label"] = {"fr": known.fr, "en": known.en, language: name}


def _decode(element: ET.Element, path: Path) -> dict[str, Any]:
    try:
        plain = json.loads(element.text or "")
    except ValueError as error:
        plain = error
    if isinstance(plain, dict):
        return plain
    raise ParcoursError(
        "bpmn_extension_damaged",
        Words("Une extension Parcours de ce fichier est abîmée.", "A Parcours extension of this file is damaged."),
        Words("Exportez de nouveau le blueprint.", "Export the blueprint again."),
        path,
    )
