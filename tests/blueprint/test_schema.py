"""The JSON Schema in docs is the one that the records give, and it says the YAML form."""

import json
from pathlib import Path

from parcours.blueprint import blueprint_schema

WRITTEN = Path(__file__).parents[2] / "docs" / "reference" / "blueprint.schema.json"


def test_the_written_schema_is_current() -> None:
    assert json.loads(WRITTEN.read_text("utf-8")) == blueprint_schema(), "run: scripts/write-schema"


def test_every_reference_inside_the_schema_holds() -> None:
    schema = blueprint_schema()
    text = json.dumps(schema)
    named = {part.split('"')[0] for part in text.split("#/$defs/")[1:]}
    assert named == set(schema["$defs"])


def test_the_schema_says_labels_durations_and_events_as_they_are_written() -> None:
    schema = blueprint_schema()
    stage = schema["$defs"]["Stage"]
    assert "deadline_ms" not in stage["properties"]
    assert stage["properties"]["deadline"]["pattern"].endswith("(w|d|h|min|s|ms)$")
    assert {"type": "string"} in schema["$defs"]["EventMatch"]["anyOf"]
    assert {"type": "string"} in schema["$defs"]["Words"]["anyOf"]
    assert {"id", "label", "stage", "channel", "owner", "events"} == set(schema["$defs"]["Touchpoint"]["required"])
    assert schema["additionalProperties"] is False
