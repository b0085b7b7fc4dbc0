"""A company folder's blueprint: one file or several, empty or broken, and never an exception for what it holds."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.blueprint import check_blueprint, read_blueprint, template_path
from parcours.blueprint.read import check_node, check_text
from parcours.blueprint.yaml_lines import Node, parse_yaml
from parcours.errors import ParcoursError

FIRM = """company: {id: acme, label: {fr: Acme, en: Acme}}
stages: [{id: buy, label: {fr: Achat, en: Purchase}}]
channels: [{id: shop, label: {fr: Magasin, en: Shop}, kind: human}]
teams: [{id: sales, label: {fr: Ventes, en: Sales}}]
"""
MEETING = """touchpoints:
  - {id: till, label: {fr: Caisse, en: Till}, stage: buy, channel: shop, owner: sales, events: [Paid]}
"""
WORK = """operations:
  - id: queue
    label: {fr: File, en: Queue}
    owner: sales
    events: [Queued]
    measure: {count: true, unit: people}
    supports: [till]
"""


def write(folder: Path, **files: str) -> None:
    (folder / "blueprint").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / "blueprint" / f"{name}.yaml").write_text(text, "utf-8")


def codes(folder: Path) -> list[tuple[str, str, int | None]]:
    _, faults = check_blueprint(folder)
    return [
        (fault.code, Path(fault.file or "").name, fault.line)
        for fault in faults
        if fault.code not in ("touchpoint_without_score", "measure_without_purpose")
    ]


def test_several_files_are_one_blueprint(tmp_path: Path) -> None:
    (tmp_path / "blueprint.yaml").write_text(FIRM, "utf-8")
    second = MEETING.replace("id: till", "id: desk").replace("Paid", "Asked")
    write(tmp_path, a=MEETING, b=second + WORK.replace("[till]", "[till, desk]"))
    blueprint = read_blueprint(tmp_path)
    assert [one.id for one in blueprint.touchpoints] == ["till", "desk"]
    assert blueprint.operations[0].supports == ("till", "desk")


def test_a_fault_names_its_own_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, a=FIRM + MEETING, b="# a remark\n" + MEETING.replace("owner: sales", "owner: sals") + WORK)
    _, faults = check_blueprint(tmp_path)
    found = {fault.code: fault for fault in faults}
    assert Path(found["unknown_team"].file or "").name == "b.yaml"
    assert found["unknown_team"].line == 3
    twice = found["duplicate_id"]
    assert (Path(twice.file or "").name, twice.line) == ("b.yaml", 3)
    assert f"{tmp_path / 'blueprint' / 'a.yaml'}:6" in twice.sentence.en


def test_a_section_that_cannot_be_merged_names_both_files(tmp_path: Path) -> None:
    write(tmp_path, a=FIRM + MEETING, b="company: {id: other}\n" + WORK)
    assert codes(tmp_path) == [("section_twice", "b.yaml", 1)]


def test_an_empty_file_among_others_is_a_warning(tmp_path: Path) -> None:
    write(tmp_path, a=FIRM + MEETING + WORK, b="# nothing yet\n")
    blueprint, faults = check_blueprint(tmp_path)
    assert blueprint is not None
    assert ("file_empty", "warning") in {(fault.code, fault.level) for fault in faults}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"- a\n- b\n", "blueprint_not_sections"),
        (b"company: [\n", "yaml_malformed"),
        ("company: été".encode("cp1252"), "yaml_encoding"),
        (b"\xff\xfea\x00:\x001\x00", "yaml_encoding"),
    ],
)
def test_a_file_that_says_nothing_readable_is_one_error(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "blueprint.yaml").write_bytes(content)
    assert codes(tmp_path) == [(code, "blueprint.yaml", 1 if code != "yaml_malformed" else 2)]


def test_a_broken_file_does_not_hide_the_faults_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, a=FIRM.replace("human", "humane") + MEETING, b="operations: [\n")
    found = codes(tmp_path)
    assert ("unknown_choice", "a.yaml", 3) in found
    assert ("yaml_malformed", "b.yaml", 2) in found


def test_a_folder_without_blueprint_says_how_to_start(tmp_path: Path) -> None:
    _, (fault,) = check_blueprint(tmp_path)
    assert fault.code == "blueprint_missing"
    assert "parcours init" in fault.remedy.en


def test_reading_raises_every_error_and_no_warning(tmp_path: Path) -> None:
    (tmp_path / "blueprint.yaml").write_text(FIRM.replace("human", "humane") + MEETING + "operation: []\n", "utf-8")
    with pytest.raises(ParcoursError) as raised:
        read_blueprint(tmp_path)
    assert [fault.code for fault in raised.value.faults] == [
        "unknown_choice",
        "touchpoint_without_operation",
        "unknown_key",
    ]


def test_unknown_keys_are_answered_with_the_nearest_one() -> None:
    _, faults = check_text(FIRM + MEETING.replace("channel:", "chanel:") + WORK, "f")
    remedies = {fault.code: fault.remedy for fault in faults}
    assert "“channel”" in remedies["unknown_key"].en
    assert "« channel »" in remedies["unknown_key"].fr


def places_of(data: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [here, *(place for key, item in pairs for place in places_of(item, (*here, key)))]


def replace(data: Any, place: tuple[str | int, ...], value: Any) -> Any:
    if not place:
        return value
    copy = dict(data) if isinstance(data, dict) else list(data)
    copy[place[0]] = replace(copy[place[0]], place[1:], value)  # type: ignore[index]
    return copy


LOANS = parse_yaml((template_path("loans") / "blueprint.yaml").read_text("utf-8"), "blueprint.yaml")
ODD = st.sampled_from([None, True, -1, 0, 1.5, float("nan"), 10**30, "", "x", "30d", [], {}, [1], {"fr": 1}, {"a": []}])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_blueprint_gives_faults_and_never_an_exception(data: st.DataObject) -> None:
    place = data.draw(st.sampled_from(places_of(LOANS.data)))
    changed = replace(LOANS.data, place, data.draw(ODD))
    blueprint, faults = check_node(Node("blueprint.yaml", changed, LOANS.lines))
    sections = isinstance(changed, dict) and bool(changed)  # anything else is refused when files are merged
    assert (blueprint is None) == (any(fault.level == "error" for fault in faults) or not sections)
    for fault in faults:
        assert fault.sentence.fr
        assert fault.sentence.en
        assert fault.remedy.fr
        assert fault.remedy.en
        assert fault.file == "blueprint.yaml"
