"""Reading YAML: plain values, the line of each, and a fault for whatever cannot be read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.blueprint.yaml_lines import DEEPEST, parse_yaml, read_yaml, write_yaml


def test_every_value_has_its_line() -> None:
    node = parse_yaml("a: 1\nb:\n  - x\n  - c: true\n    d: [1.5,\n        ~]\n", "f.yaml")
    assert node.data == {"a": 1, "b": ["x", {"c": True, "d": [1.5, None]}]}
    assert node.lines[("a",)] == 1
    assert node.lines[("b", 1, "c")] == 4
    assert node.lines[("b", 1, "d", 1)] == 6
    assert node.where(("b", 1, "c", "deeper", 3)) == ("f.yaml", 4)


@pytest.mark.parametrize("word", ["no", "on", "007", "2026-01-31", "12:30", "0x1F", "1_000", "1e5x", "<<"])
def test_what_yaml_1_1_would_twist_stays_text(word: str) -> None:
    assert parse_yaml(f"k: {word}", "f").data == {"k": word}


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_bytes("a: 1\nb: 2\nc: été\n".encode("cp1252"))
    (fault,) = read_yaml(path).faults
    assert (fault.code, fault.line, fault.file) == ("yaml_encoding", 3, str(path))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    node = read_yaml(path)
    assert (node.data, node.faults) == ({"a": 1}, ())


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    (fault,) = read_yaml(tmp_path / "absent.yaml").faults
    assert fault.code == "file_unreadable"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3),
        ("a: 1\n  b: 2\n", 2),
        ("a: 'open\n", 2),
        ("a: 1\nb: \x07\n", 2),
        ("a: *nobody\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("? [x, y]\n: 1\n", 1),
        ("a: 1\nb: !!int seven\n", 2),
    ],
)
def test_malformed_yaml_names_the_line(text: str, line: int) -> None:
    faults = parse_yaml(text, "f.yaml").faults
    assert [(fault.code, fault.line) for fault in faults] == [("yaml_malformed", line)]


def test_duplicate_keys_are_all_named_and_the_first_is_kept() -> None:
    node = parse_yaml("a: 1\nb: 2\na: 3\nb: 4\n", "f.yaml")
    assert [(fault.code, fault.line) for fault in node.faults] == [("yaml_duplicate_key", 3), ("yaml_duplicate_key", 4)]
    assert node.data == {"a": 1, "b": 2}


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    node = parse_yaml("\n".join(lines), "f.yaml")
    assert [fault.code for fault in node.faults] == ["yaml_too_large"]
    assert node.data is None


@pytest.mark.parametrize("text", ["a: &a [*a]", "[" * 2000 + "]" * 2000, "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2)])
def test_what_nests_without_end_is_refused(text: str) -> None:
    assert [fault.code for fault in parse_yaml(text, "f.yaml").faults] == ["yaml_too_large"]


def test_a_tag_that_would_build_an_object_is_refused() -> None:
    node = parse_yaml("a: 1\nb: !!python/object/apply:os.system [ls]\n", "f.yaml")
    assert [(fault.code, fault.line) for fault in node.faults] == [("yaml_tag", 2)]


def test_an_empty_file_holds_nothing() -> None:
    assert parse_yaml("# only a remark\n", "f.yaml").data is None


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abé1 :#-", min_size=1), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abc"), plain))
def test_what_is_written_is_read_back_equal(data: dict[str, object]) -> None:
    node = parse_yaml(write_yaml(data), "f.yaml")
    assert node.faults == ()
    assert node.data == data


def test_a_section_is_a_node_of_its_own_with_the_lines_of_the_file() -> None:
    node = parse_yaml("source: x\noptions:\n  url: a\n  inner: {deep: 1}\n", "x.yaml")
    section = node.section("options")
    assert section.data == {"url": "a", "inner": {"deep": 1}}
    assert [section.where(place) for place in ((), ("url",), ("inner", "deep"), ("nowhere",))] == [
        ("x.yaml", 2),
        ("x.yaml", 3),
        ("x.yaml", 4),
        ("x.yaml", 2),
    ]
    missing = node.section("options", "none", "at all")
    assert (missing.data, missing.where(())) == (None, ("x.yaml", 2))
