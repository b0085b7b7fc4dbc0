"""`parcours export`: logs that other tools read, without anything that names a person."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from tests.cli.conftest import call

Made = tuple[Path, dict[str, Any]]


def export(made: Made, form: str, path: Path) -> Path:
    done = call("export", made[0], form, "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def test_parquet_and_csv_hold_the_same_touches(made: Made, tmp_path: Path) -> None:
    table = pq.read_table(export(made, "parquet", tmp_path / "log.parquet"))
    with export(made, "csv", tmp_path / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert table.num_rows == len(rows) > 1000
    assert [row["touchpoint"] for row in rows] == table["touchpoint"].to_pylist()


def test_xes_is_a_trace_a_customer_in_time_order(made: Made, tmp_path: Path) -> None:
    space = "{http://www.xes-standard.org/}"
    root = ET.parse(export(made, "xes", tmp_path / "log.xes")).getroot()
    traces = root.findall(f"{space}trace")
    names = [trace.find(f"{space}string").get("value") for trace in traces]  # type: ignore[union-attr]
    assert len(names) == len(set(names)) > 100
    for trace in traces[:50]:
        times = [date.get("value") or "" for date in trace.iter(f"{space}date")]
        assert times == sorted(times)


def test_ocel_ties_every_event_to_objects_that_exist(made: Made, tmp_path: Path) -> None:
    log = json.loads(export(made, "ocel", tmp_path / "log.jsonocel").read_text("utf-8"))
    objects = {one["id"]: one["type"] for one in log["objects"]}
    types = {one["name"] for one in log["eventTypes"]}
    ids = [event["id"] for event in log["events"]]
    assert len(ids) == len(set(ids))
    seen = {True: 0, False: 0}
    for event in log["events"]:
        assert event["type"] in types
        visible = next(one["value"] for one in event["attributes"] if one["name"] == "visible")
        seen[visible] += 1
        for tie in event["relationships"]:
            assert objects[tie["objectId"]] == tie["qualifier"]
    assert all(seen.values())


@pytest.mark.parametrize("form", ["xes", "ocel", "csv"])
def test_no_raw_identifier_leaves(made: Made, tmp_path: Path, form: str) -> None:
    with gzip.open(next((made[0] / "data").glob("customers*.csv.gz")), "rt", encoding="utf-8") as file:
        rows = list(csv.reader(file, delimiter=";"))
    raw = {cell for row in rows[1:40] for cell in row if "@" in cell}
    assert raw
    text = export(made, form, tmp_path / "log").read_text("utf-8")
    assert not [one for one in raw if one in text]


def test_a_folder_that_is_not_there_is_one_sentence(made: Made, tmp_path: Path) -> None:
    done = call("export", made[0], "csv", "--out", tmp_path / "nowhere" / "log.csv")
    assert done.returncode == 1
    assert "[no_such_folder]" in done.stderr


def test_what_the_system_refuses_is_a_sentence_too(made: Made, tmp_path: Path) -> None:
    done = call("export", made[0], "xes", "--out", tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


def test_an_export_names_its_purpose_and_is_noted(made: Made, tmp_path: Path) -> None:
    done = call("--lang", "en", "export", made[0], "csv", "--out", tmp_path / "log.csv")
    assert "for the purpose improve_service" in done.stdout
    entries = call("audit", made[0], "--json").stdout
    assert "export_rows" in entries
    assert "improve_service" in entries
    refused = call("export", made[0], "csv", "--out", tmp_path / "no.csv", "--purpose", "personalise")
    assert (refused.returncode, (tmp_path / "no.csv").exists()) == (1, False)
