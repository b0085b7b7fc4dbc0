"""The rules themselves: named once, said in both languages, cited, and listed in the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from parcours.collect.conform import ALL, SECTIONS, select_rules
from parcours.collect.conform.rule import Rule
from parcours.errors import ParcoursError
from parcours.words import Words

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "conformance.md"
FRENCH = re.compile(r"[éèàçêôîûœ«»]|\b(?:un|une|des|les|sans|dans|avec|puis|sur|clé|chaque|deux)\b")


def test_each_rule_has_one_id_under_a_section_that_has_a_label() -> None:
    ids = [rule.id for rule in ALL]
    assert len(set(ids)) == len(ids) >= 180
    assert {rule.section for rule in ALL} == set(SECTIONS)
    assert all(re.fullmatch(r"[a-z]+\.[a-z0-9_]+", id) for id in ids)
    assert all(label.fr and label.en for label in SECTIONS.values())


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_each_rule_is_said_in_both_languages_and_cited(rule: Rule) -> None:
    for words in (rule.sent, rule.contract):
        assert words.fr
        assert words.en
        assert not FRENCH.search(words.en), words.en
    assert rule.source
    assert rule.profiles
    assert "|" not in rule.sent.en + rule.contract.en + rule.source


def test_every_profile_is_a_part_of_all() -> None:
    whole = {rule.id for rule in select_rules("all")}
    parts = {profile: {rule.id for rule in select_rules(profile)} for profile in ("segment", "rudderstack", "jitsu")}
    assert set.union(*parts.values()) == whole == {rule.id for rule in ALL}
    assert {"routes.t", "settings.answer", "auth.body"} <= parts["segment"] - parts["rudderstack"] - parts["jitsu"]
    assert {"routes.import", "routes.merge", "sizes.rudder_4mb"} <= parts["rudderstack"] - parts["segment"]
    assert {"routes.jitsu_track", "auth.x_write_key"} <= parts["jitsu"] - parts["segment"]


@pytest.mark.parametrize(
    ("only", "sections", "expected"),
    [
        (("routes.t",), (), {"routes.t"}),
        (("auth.unknown_*",), (), {"auth.unknown_basic", "auth.unknown_body", "auth.unknown_batch",
                                   "auth.unknown_browser"}),
        (("settings",), (), {rule.id for rule in ALL if rule.section == "settings"}),
        ((), ("pixel",), {rule.id for rule in ALL if rule.section == "pixel"}),
        (("routes.t",), ("pixel",), {"routes.t"} | {rule.id for rule in ALL if rule.section == "pixel"}),
    ],
)  # fmt: skip
def test_a_run_can_be_narrowed(only: tuple[str, ...], sections: tuple[str, ...], expected: set[str]) -> None:
    assert {rule.id for rule in select_rules("segment", only, sections)} == expected


@pytest.mark.parametrize("pattern", ["nothing", "routes.jitsu_track", "Routes.t", ""])
def test_what_names_no_rule_of_the_profile_is_refused(pattern: str) -> None:
    with pytest.raises(ParcoursError) as caught:
        select_rules("segment", (pattern,))
    assert caught.value.code == "unknown_rule"


def test_the_page_lists_every_rule_as_it_is() -> None:
    text = PAGE.read_text("utf-8")
    listed = re.findall(r"<!-- rules -->\n(.*?)\n<!-- /rules -->", text, re.DOTALL)[0]
    assert listed == "\n".join(write_table())


def write_table() -> list[str]:
    """Return the table of the documentation: paste it there when a rule changes."""
    marks = {"segment": "S", "rudderstack": "R", "jitsu": "J"}
    lines = ["| rule | for | sent | contract | where |", "|---|---|---|---|---|"]
    for section in SECTIONS:
        for rule in [rule for rule in ALL if rule.section == section]:
            served = "".join(marks[profile] for profile in rule.profiles) + ("" if rule.level == "required" else " ·")
            cells = (f"`{rule.id}`", served, escape(rule.sent), escape(rule.contract), rule.source)
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def escape(words: Words) -> str:
    """Return English words as Markdown takes them literally."""
    return re.sub(r"([*_\\])", r"\\\1", words.en)
