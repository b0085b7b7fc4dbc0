"""What the documentation shows of connectors is true: its YAML has no fault, its connector keeps every rule."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from parcours.blueprint.form import yaml_name
from parcours.blueprint.yaml_lines import Node, parse_yaml
from parcours.collect.connectors import proving
from parcours.collect.connectors.contract import Connector, Inlet
from parcours.collect.connectors.destinations import Destination
from parcours.collect.connectors.http import HttpOptions
from parcours.collect.connectors.kafka import KafkaIn, KafkaOut, Security
from parcours.collect.connectors.memory import MemoryPort
from parcours.collect.connectors.options import check_connector
from parcours.collect.connectors.proving import INLET_RULES, InletCase
from parcours.collect.connectors.sql import SqlOptions
from parcours.collect.connectors.webhook import WebhookOptions
from parcours.collect.source import Source
from parcours.settings import Settings

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs/reference/connectors.md"
GUIDE = ROOT / "docs/guides/connect-live-sources.md"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def shown() -> list[tuple[str, Node]]:
    found = [parse_yaml(block, page.name) for page in (REFERENCE, GUIDE) for block in blocks(page, "yaml")]
    return [(f"{node.file}-{number}", node) for number, node in enumerate(found)]


@pytest.mark.parametrize("node", [node for _, node in shown()], ids=[name for name, _ in shown()])
def test_the_options_that_are_shown_have_no_fault(node: Node) -> None:
    role: Any = "in" if "source" in node.data else "out"
    found = check_connector(node.data["connector"], node.data["options"], node, role)
    assert [fault for fault in found if fault.level == "error"] == []


@pytest.mark.parametrize("record", [HttpOptions, SqlOptions, KafkaIn, KafkaOut, Security, WebhookOptions, Destination])
def test_every_option_is_documented(record: type[msgspec.Struct]) -> None:
    text = REFERENCE.read_text("utf-8")
    for field in msgspec.structs.fields(record):
        assert f"`{yaml_name(field.name)}`" in text or f"`{field.name}`" in text, field.name


def test_every_fault_that_is_named_exists() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "src/parcours/collect").rglob("*.py"))
    table = REFERENCE.read_text("utf-8").partition("## Faults of connectors")[2]
    named = re.findall(r"`([a-z]+(?:_[a-z]+)+)`", table)
    assert len(named) > 15
    assert [name for name in named if f'"{name}"' not in code] == []


class PostboxCase:
    """The postbox of the guide, whose letters the example fetches."""

    secrets = ("open-sesame-8126",)

    def __init__(self, connector: Connector, namespace: dict[str, Any]) -> None:
        self.connector = connector
        self.letters: list[dict[str, Any]] = []
        self.closed = False
        namespace["fetch_letters"] = self.fetch

    def fetch(self, token: str, after: int, limit: int) -> list[dict[str, Any]]:
        if self.closed:
            raise ConnectionError(f"no way to the postbox with {token}")
        return [letter for letter in self.letters if letter["number"] > after][: min(limit, 2)]

    def open(self) -> Inlet:
        source = Source(source="letters", connector="postbox")
        return self.connector.open_inlet(source, {"token": "${POSTBOX_TOKEN}"}, Settings(), Path())

    def make_port(self) -> MemoryPort:
        return MemoryPort()

    def put(self, ids: Sequence[str]) -> None:
        self.letters += [{"number": len(self.letters) + 1 + at, "id": one} for at, one in enumerate(ids)]

    def read_ids(self, port: MemoryPort) -> list[str]:
        return [msgspec.json.decode(record)["id"] for record in port.records]

    def take_away(self) -> None:
        self.closed = True

    def give_back(self) -> None:
        self.closed = False


@pytest.mark.parametrize("rule", INLET_RULES, ids=lambda rule: rule.__name__)
def test_the_connector_of_the_guide_keeps_the_contract(
    rule: Callable[[InletCase], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSTBOX_TOKEN", "open-sesame-8126")
    (example,) = [block for block in blocks(GUIDE, "python") if "class Postbox:" in block]
    namespace: dict[str, Any] = {}
    exec(compile(example, "acme_postbox.py", "exec"), namespace)
    assert isinstance(namespace["CONNECTOR"], Connector)
    rule(PostboxCase(namespace["CONNECTOR"], namespace))


def test_the_rules_that_the_guide_names_are_those_that_exist() -> None:
    (example,) = [block for block in blocks(GUIDE, "python") if "INLET_RULES" in block]
    assert "from parcours.collect.connectors.proving import INLET_RULES" in example
    assert proving.OUTLET_RULES
