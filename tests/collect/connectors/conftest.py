"""What the tests of connectors share: real servers, and a source that names the columns it reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.services import broker, certificate, postgres_server, receiver

from parcours.blueprint.yaml_lines import Node, parse_yaml
from parcours.collect.connectors.contract import Role, Where
from parcours.collect.source import EventName, Source, SourceEvent, Time

__all__ = ["broker", "certificate", "postgres_server", "receiver"]


def where_of(text: str, role: Role) -> Where:
    """Return options, as they stand in YAML, with their lines."""
    return Where(parse_yaml(text, "options.yaml"), role)


def rows_source(connector: str, **changes: Any) -> Source:
    """Return a source of rows whose columns are ``id``, ``at`` and ``name``."""
    parts: dict[str, Any] = {
        "source": "shop",
        "connector": connector,
        "key": ("id",),
        "time": Time(column="at"),
        "events": (SourceEvent(name=EventName(column="name")),),
    }
    return Source(**{**parts, **changes})


def read_ids(records: list[bytes], column: str = "id") -> list[Any]:
    """Return one column of JSON records."""
    return [msgspec.json.decode(record)[column] for record in records]


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """An empty company folder."""
    return tmp_path


def node_of(text: str) -> Node:
    """Return YAML as a node."""
    return parse_yaml(text, "file.yaml")
