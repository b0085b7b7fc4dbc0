"""What is wrong with a connector that YAML names: its name, its role, its secrets and its options, all at once."""

from __future__ import annotations

from typing import Any

from parcours.blueprint.yaml_lines import Node
from parcours.collect.connectors.contract import Connector, Kind, Role, Where
from parcours.collect.connectors.http import HTTP, check_http
from parcours.collect.connectors.registry import broken, find_connector
from parcours.collect.connectors.secrets import check_secrets
from parcours.errors import Fault, ParcoursError
from parcours.words import Words


def check_connector(name: str, options: dict[str, Any], node: Node, role: Role) -> list[Fault]:
    """Return every fault of ``connector: name`` and its ``options:``.

    Args:
        name: What the YAML calls the connector.
        options: Its options as plain data.
        node: The whole file, which holds ``connector`` and ``options``.
        role: Whether events are to come in or to go out.
    """
    if name == HTTP:
        return check_http(options, node.section("options")) if role == "in" else [_wrong_role(name, role, node)]
    try:
        connector = find_connector(name)
        if role not in connector.roles:
            return [_wrong_role(name, role, node)]
        where = Where(node.section("options"), role)
        return [*check_secrets(options, connector.secrets, where), *_ask(connector, options, where)]
    except ParcoursError as error:
        return [node.fault(one.code, ("connector",), one.sentence, one.remedy) for one in error.faults]


def kind_of(name: str, options: dict[str, Any]) -> Kind:
    """Return what a source with this connector brings; rows when its connector cannot be opened here."""
    if name == HTTP:
        return "batch"
    try:
        return find_connector(name).kind(options)
    except Exception:
        return "rows"


def _ask(connector: Connector, options: dict[str, Any], where: Where) -> list[Fault]:
    try:
        return list(connector.check(options, where))
    except ParcoursError:
        raise
    except Exception as error:
        raise broken(connector.name, f"{type(error).__name__} while it checks its options") from error


def _wrong_role(name: str, role: Role, node: Node) -> Fault:
    if role == "in":
        sentence = Words(f"Le connecteur « {name} » n'apporte rien.", f"The connector “{name}” brings nothing in.")
        remedy = Words("Nommez-le dans destinations/*.yaml.", "Name it in destinations/*.yaml.")
    else:
        sentence = Words(f"Le connecteur « {name} » n'emporte rien.", f"The connector “{name}” carries nothing out.")
        remedy = Words("Nommez-le dans sources/*.yaml.", "Name it in sources/*.yaml.")
    return node.fault("connector_role", ("connector",), sentence, remedy)
