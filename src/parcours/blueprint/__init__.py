"""What the company promises: the service blueprint's records, its YAML form, its rules, and BPMN in and out."""

from parcours.blueprint.automaton import Automaton, compile_journey
from parcours.blueprint.bpmn.read import Imported, read_bpmn
from parcours.blueprint.bpmn.write import write_bpmn
from parcours.blueprint.read import check_blueprint, read_blueprint
from parcours.blueprint.records import Blueprint
from parcours.blueprint.schema import blueprint_schema
from parcours.blueprint.templates import copy_template, template_names, template_path

__all__ = [
    "Automaton",
    "Blueprint",
    "Imported",
    "blueprint_schema",
    "check_blueprint",
    "compile_journey",
    "copy_template",
    "read_blueprint",
    "read_bpmn",
    "template_names",
    "template_path",
    "write_bpmn",
]
