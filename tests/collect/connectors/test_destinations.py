"""`destinations/*.yaml`: every fault at once, with its line; a missing secret stops the start and not the check."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.collect.conftest import small_blueprint

from parcours.collect.connectors.destinations import check_destinations, read_destinations
from parcours.collect.connectors.registry import find_connector
from parcours.errors import ParcoursError
from parcours.settings import Settings

GOOD = """destination: crm
connector: webhook
options: {url: "https://crm.example.com/hook", secret: "${CRM_SECRET}"}
purpose: improve
events: [Order Completed]
"""


def write(folder: Path, name: str, text: str) -> None:
    (folder / "destinations").mkdir(exist_ok=True)
    (folder / "destinations" / name).write_text(text, "utf-8")


def test_a_company_without_destinations_has_no_fault(tmp_path: Path) -> None:
    assert check_destinations(tmp_path, small_blueprint()) == []
    assert read_destinations(tmp_path, small_blueprint()) == ()


def test_good_ones_are_read_in_the_order_of_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_SECRET", "x")
    write(tmp_path, "b.yaml", GOOD)
    write(tmp_path, "a.yml", GOOD.replace("crm\n", "lake\n", 1))
    assert check_destinations(tmp_path, small_blueprint()) == []
    read = read_destinations(tmp_path, small_blueprint())
    assert [one.destination for one in read] == ["lake", "crm"]
    assert read[0].events == ("Order Completed",)


def test_a_missing_secret_is_a_warning_to_check_and_an_error_to_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRM_SECRET", raising=False)
    write(tmp_path, "crm.yaml", GOOD)
    (fault,) = check_destinations(tmp_path, small_blueprint())
    assert (fault.code, fault.level, fault.line) == ("secret_not_set", "warning", 3)
    (read,) = read_destinations(tmp_path, small_blueprint())
    with pytest.raises(ParcoursError) as told:
        find_connector(read.connector).open_outlet(read.destination, read.options, Settings(), tmp_path)
    assert told.value.code == "secret_not_set"


def test_all_faults_of_all_files_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.yaml",
        """destination: "no spaces"
connector: webhok
options: {}
purpose: improv
events: [Order Complete, Parcel Delivered, Refunded]
""",
    )
    write(
        tmp_path,
        "b.yaml",
        """destination: crm
connector: webhook
options:
  url: http://example.com/
  secret: whsec_in_the_clear
  retries: 3
purpose: improve
events: []
""",
    )
    write(tmp_path, "c.yaml", "destination: crm\nevents: Order Completed\nextra: 1\n")
    write(tmp_path, "d.yaml", "destination: [\n")
    found = [
        (Path(fault.file or "").name, fault.line, fault.code)
        for fault in check_destinations(tmp_path, small_blueprint())
    ]
    assert sorted(found) == [
        ("a.yaml", 1, "bad_destination_id"),
        ("a.yaml", 2, "connector_unknown"),
        ("a.yaml", 4, "unknown_purpose"),
        ("a.yaml", 5, "unknown_event"),
        ("a.yaml", 5, "unknown_event"),
        ("b.yaml", 4, "not_https"),
        ("b.yaml", 5, "secret_in_clear"),
        ("b.yaml", 6, "unknown_key"),
        ("b.yaml", 8, "no_events"),
        ("c.yaml", 1, "destination_twice"),
        ("c.yaml", 1, "missing_field"),
        ("c.yaml", 1, "missing_field"),
        ("c.yaml", 2, "wrong_type"),
        ("c.yaml", 3, "unknown_key"),
        ("d.yaml", 2, "yaml_malformed"),
    ]
    with pytest.raises(ParcoursError) as told:
        read_destinations(tmp_path, small_blueprint())
    assert len(told.value.faults) == 15
    assert "in_the_clear" not in str(told.value)


def test_the_nearest_purpose_and_event_are_proposed(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", GOOD.replace("improve", "improv").replace("Order Completed", "Order Complete"))
    remedies = " ".join(fault.remedy.en for fault in check_destinations(tmp_path, small_blueprint()))
    assert "“improve”" in remedies
    assert "“Order Completed”" in remedies


@pytest.mark.parametrize("text", ["", "- a\n", "7\n", "destination: {a: 1}\nconnector: [x]\noptions: 3\n", "\x00"])
def test_what_is_no_destination_is_told_and_never_breaks(tmp_path: Path, text: str) -> None:
    write(tmp_path, "a.yaml", text)
    assert any(fault.level == "error" for fault in check_destinations(tmp_path, small_blueprint()))
