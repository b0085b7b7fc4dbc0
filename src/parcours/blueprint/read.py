"""A company folder's blueprint: its files found, merged by section, read into records and checked by every rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from parcours.blueprint.draft import Draft
from parcours.blueprint.records import Blueprint, Money, Promise, Purpose, Touchpoint
from parcours.blueprint.rules import RULES
from parcours.blueprint.shape import read_record
from parcours.blueprint.yaml_lines import Node, Place, parse_yaml, read_yaml
from parcours.errors import Fault, ParcoursError
from parcours.words import Words

TOLD_BY_RULES = frozenset(
    {(Touchpoint, "owner"), (Touchpoint, "events"), (Promise, "metric"), (Purpose, "basis"), (Money, "currency")},
)
"""What a rule reports in better words than "a key is missing"."""


def read_blueprint(folder: Path) -> Blueprint:
    """Read ``folder``'s blueprint; every error at once in one `ParcoursError`, warnings left to `check_blueprint`."""
    blueprint, faults = check_blueprint(folder)
    if blueprint is None:
        raise ParcoursError.of([fault for fault in faults if fault.level == "error"])
    return blueprint


def check_blueprint(folder: Path) -> tuple[Blueprint | None, list[Fault]]:
    """Read and check ``folder``'s blueprint: the blueprint (None when there is an error) and every fault found."""
    paths = find_files(folder)
    if not paths:
        return None, [_no_blueprint(folder)]
    nodes = [read_yaml(path) for path in paths]
    return check_node(merge(nodes))


def check_text(text: str, file: str) -> tuple[Blueprint | None, list[Fault]]:
    """Check a blueprint that is not in a folder yet, such as one made from a BPMN file."""
    return check_node(merge([parse_yaml(text, file)]))


def check_node(node: Node) -> tuple[Blueprint | None, list[Fault]]:
    """Check a merged blueprint; faults come in the order of the files."""
    faults = list(node.faults)
    if isinstance(node.data, dict) and node.data:
        blueprint, shape_faults = read_record(node, Blueprint, TOLD_BY_RULES)
        draft = Draft(blueprint, node)
        faults += shape_faults
        for rule in RULES:
            faults += rule(draft)
        if not any(fault.level == "error" for fault in faults):
            return blueprint, _in_order(faults)
    return None, _in_order(faults)


def find_files(folder: Path) -> list[Path]:
    """Return the files of ``folder``'s blueprint: blueprint.yaml, then blueprint/*.yaml by name."""
    single = folder / "blueprint.yaml"
    several = sorted(path for path in (folder / "blueprint").glob("*") if path.suffix in (".yaml", ".yml"))
    return ([single] if single.exists() else []) + several


def merge(nodes: list[Node]) -> Node:
    """Merge files by section: lists follow one another, any other section may stand in one file only."""
    merged = _Merging(nodes[0].file)
    unreadable = any(node.faults for node in nodes)
    for node in nodes:
        merged.faults += node.faults
        if isinstance(node.data, dict) and node.data:
            for section in node.data:
                merged.add(node, section)
        elif not node.faults:
            merged.faults.append(_not_a_blueprint(node, alone=len(nodes) == 1))
    if not merged.data and not unreadable and not any(fault.level == "error" for fault in merged.faults):
        merged.faults.append(_nothing_said(nodes[0]))
    return Node(merged.file, merged.data, merged.lines, merged.files, tuple(merged.faults))


class _Merging:
    """What several files say, section by section."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: dict[str, Any] = {}
        self.lines: dict[Place, int] = {(): 1}
        self.files: dict[Place, str] = {}
        self.faults: list[Fault] = []

    def add(self, node: Node, section: str) -> None:
        """Add one section of one file; its items keep their file and lines under their new index."""
        value, here = node.data[section], self.data.get(section)
        if section not in self.data:
            self.data[section] = list(value) if isinstance(value, list) else value
            self._keep(node, (section,), (section,))
        elif isinstance(value, list) and isinstance(here, list):
            for index in range(len(value)):
                self._keep(node, (section, index), (section, len(here) + index))
            here += value
        else:
            self.faults.append(_section_twice(self, node, section))

    def _keep(self, node: Node, old: Place, new: Place) -> None:
        self.files[new] = node.file
        for place, line in node.lines.items():
            if place[: len(old)] == old:
                self.lines[(*new, *place[len(old) :])] = line


def _in_order(faults: list[Fault]) -> list[Fault]:
    files = list(dict.fromkeys(fault.file for fault in faults))
    return sorted(faults, key=lambda fault: (files.index(fault.file), fault.line or 0))


def _no_blueprint(folder: Path) -> Fault:
    return Fault(
        "blueprint_missing",
        Words("Ce dossier n'a pas de blueprint.", "This folder has no blueprint."),
        Words(
            "Écrivez blueprint.yaml, ou partez d'un modèle : parcours init DOSSIER --template retail.",
            "Write blueprint.yaml, or start from a template: parcours init DIR --template retail.",
        ),
        str(folder / "blueprint.yaml"),
    )


def _not_a_blueprint(node: Node, alone: bool) -> Fault:
    if node.data:
        return node.fault(
            "blueprint_not_sections",
            (),
            Words("Le fichier ne contient pas de sections.", "The file holds no sections."),
            Words(
                "Commencez par « company: », puis « stages: », « channels: » …",
                "Begin with “company:”, then “stages:”, “channels:” …",
            ),
        )
    fault = node.warning(
        "file_empty",
        (),
        Words("Le fichier est vide.", "The file is empty."),
        Words("Remplissez-le ou supprimez-le.", "Fill it or delete it."),
    )
    return msgspec.structs.replace(fault, level="error") if alone else fault


def _nothing_said(node: Node) -> Fault:
    return node.fault(
        "file_empty",
        (),
        Words("Tous les fichiers du blueprint sont vides.", "Every file of the blueprint is empty."),
        Words("Décrivez l'entreprise dans l'un d'eux.", "Describe the company in one of them."),
    )


def _section_twice(merged: _Merging, node: Node, section: str) -> Fault:
    first = f"{merged.files[(section,)]}:{merged.lines[(section,)]}"
    return node.fault(
        "section_twice",
        (section,),
        Words(f"La section « {section} » est déjà dans {first}.", f"The section “{section}” is already in {first}."),
        Words("Gardez-la dans un seul fichier.", "Keep it in one file."),
    )
