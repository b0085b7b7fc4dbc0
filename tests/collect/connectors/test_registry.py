"""Connectors found by entry point: ours, others', broken ones and those whose library is missing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from tests.collect.connectors.conftest import node_of

from parcours.collect.connectors.contract import Connector
from parcours.collect.connectors.options import check_connector, kind_of
from parcours.collect.connectors.registry import connector_names, find_connector
from parcours.errors import ParcoursError

GOOD = """
from parcours.collect.connectors.faults import one_way

class Quiet:
    name = "quiet"
    roles = frozenset({"in"})
    secrets = ("token",)
    def check(self, options, where):
        return []
    def kind(self, options):
        return "batch"
    def open_inlet(self, source, options, settings, folder):
        raise NotImplementedError
    def open_outlet(self, destination, options, settings, folder):
        raise one_way(self.name, "out")

CONNECTOR = Quiet()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a package of somebody else: its module and its entry points."""
    count = 0

    def install_one(module: str, code: str, **entries: str) -> None:
        nonlocal count
        count += 1
        place = tmp_path / f"site-{count}"
        info = place / f"other_{count}-1.0.dist-info"
        info.mkdir(parents=True)
        (place / f"{module}.py").write_text(dedent(code))
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: other-{count}\nVersion: 1.0\n")
        lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
        (info / "entry_points.txt").write_text(f"[parcours.connectors]\n{lines}")
        monkeypatch.syspath_prepend(str(place))

    return install_one


def test_ours_are_registered_like_anybody_elses() -> None:
    assert {"folder", "http", "kafka", "sql", "webhook"} <= set(connector_names())
    for name in ("folder", "kafka", "sql", "webhook"):
        found = find_connector(name)
        assert isinstance(found, Connector)
        assert found.name == name


def test_a_third_party_adds_one_by_its_entry_point(install: Callable[..., None]) -> None:
    install("quiet_connector", GOOD, quiet="quiet_connector:CONNECTOR")
    assert "quiet" in connector_names()
    assert find_connector("quiet").kind({}) == "batch"
    node = node_of("source: x\nconnector: quiet\noptions: {token: in-the-clear}\n")
    (fault,) = check_connector("quiet", {"token": "in-the-clear"}, node, "in")
    assert (fault.code, fault.line) == ("secret_in_clear", 3)
    assert [one.code for one in check_connector("quiet", {}, node, "out")] == ["connector_role"]


def test_a_name_that_nobody_registered_is_one_fault_that_names_those_that_exist() -> None:
    node = node_of("source: x\nconnector: kafak\n")
    (fault,) = check_connector("kafak", {}, node, "in")
    assert (fault.code, fault.line) == ("connector_unknown", 2)
    assert "“kafka”" in fault.remedy.en
    assert "folder, http, kafka, sql, webhook" in fault.remedy.en


BROKEN = {
    "raises": "raise RuntimeError('boom')",
    "is no connector": "CONNECTOR = object()",
    "is a class": GOOD.replace("CONNECTOR = Quiet()", "CONNECTOR = Quiet"),
    "has no such name": "OTHER = 1",
    "is no Python": "def (",
    "exits": "import sys; sys.exit(0)",
}


@pytest.mark.parametrize("way", BROKEN)
def test_a_broken_one_is_told_and_stops_no_other(
    install: Callable[..., None], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("broken_connector", BROKEN[way], broken="broken_connector:CONNECTOR")
    monkeypatch.delitem(sys.modules, "broken_connector", raising=False)
    with pytest.raises(ParcoursError) as told:
        find_connector("broken")
    assert told.value.code == "connector_broken"
    assert told.value.faults[0].remedy.en
    assert find_connector("webhook").name == "webhook"
    node = node_of("source: x\nconnector: broken\n")
    assert [fault.code for fault in check_connector("broken", {}, node, "in")] == ["connector_broken"]
    assert kind_of("broken", {}) == "rows"


def test_one_that_breaks_while_it_checks_is_told_without_its_text(install: Callable[..., None]) -> None:
    code = GOOD.replace("return []", "raise KeyError('secret text')").replace("quiet", "loud")
    install("loud_connector", code, loud="loud_connector:CONNECTOR")
    (fault,) = check_connector("loud", {}, node_of("connector: loud\n"), "in")
    assert fault.code == "connector_broken"
    assert "secret text" not in str(fault)


def test_one_whose_library_is_missing_names_what_to_install(
    install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("needy_connector", "import nothing_of_that_name", needy="needy_connector:CONNECTOR")
    with pytest.raises(ParcoursError) as told:
        find_connector("needy")
    assert told.value.code == "library_missing"
    assert "pip install nothing_of_that_name" in str(told.value)


@pytest.mark.parametrize(
    ("name", "library", "extra"), [("sql", "sqlalchemy", "sql"), ("kafka", "confluent_kafka", "kafka")]
)
def test_ours_name_the_extra_to_install(name: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = [module for module in sys.modules if module.partition(".")[0] == library]
    ours = [module for module in sys.modules if module.startswith(f"parcours.collect.connectors.{name}")]
    for module in (*gone, *ours):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ParcoursError) as told:
        find_connector(name)
    assert told.value.code == "library_missing"
    assert f"pip install parcours[{extra}]" in str(told.value)
    assert find_connector("webhook").name == "webhook"


def test_nobody_takes_the_name_of_one_of_ours(install: Callable[..., None]) -> None:
    install("sly_connector", GOOD.replace('"quiet"', '"webhook"'), webhook="sly_connector:CONNECTOR")
    assert type(find_connector("webhook")).__module__ == "parcours.collect.connectors.webhook"


def test_http_is_served_and_not_opened_and_goes_one_way() -> None:
    node = node_of("connector: http\noptions: {sdk: segmnet}\n")
    (fault,) = check_connector("http", {"sdk": "segmnet"}, node, "in")
    assert (fault.code, fault.line) == ("unknown_choice", 2)
    assert [one.code for one in check_connector("http", {}, node, "out")] == ["connector_role"]
    assert kind_of("http", {}) == "batch"
