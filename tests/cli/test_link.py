"""`parcours link`: says in one sentence what is missing, and what it did as JSON or in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import call
from tests.know.linking.test_batch import PEOPLE, TWICE, make_people

pytest.importorskip("splink")
BLUEPRINT = """company: {id: acme, label: {fr: Acme, en: Acme}}
stages: [{id: buy, label: {fr: Achat, en: Purchase}}]
channels: [{id: shop, label: {fr: Magasin, en: Shop}, kind: human}]
teams: [{id: sales, label: {fr: Ventes, en: Sales}}]
touchpoints:
  - {id: till, label: {fr: Caisse, en: Till}, stage: buy, channel: shop, owner: sales, events: [Ordered]}
operations:
  - {id: queue, label: {fr: File, en: Queue}, owner: sales, events: [Queued], supports: [till],
     measure: {count: true, unit: people}}
purposes: [{id: know, label: {fr: Connaître, en: Know}, basis: legitimate_interest, measures: [all]}]
"""
LINK = """fields:
  - {id: first_name, kind: personal}
  - {id: last_name, kind: personal}
  - {id: birth_date, kind: personal}
  - {id: postcode, kind: personal}
link:
  purpose: know
  compare:
    - {field: first_name, compare: name}
    - {field: last_name, compare: name}
    - {field: birth_date, compare: date}
    - {field: postcode, compare: postcode}
  accept: 0.99
"""
SOURCE = """source: people
file: people.csv
key: [row]
time: {column: at}
ids: {user: user, mail: mail}
fields: {first_name: first_name, last_name: last_name, birth_date: birth_date, postcode: postcode}
events: [{name: Ordered}]
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return make_shop(tmp_path)


def make_shop(tmp_path: Path) -> Path:
    """Make a company whose people can be linked; nothing is declared of that yet."""
    (tmp_path / "sources").mkdir()
    (tmp_path / "blueprint.yaml").write_text(BLUEPRINT, "utf-8")
    (tmp_path / "sources" / "people.yaml").write_text(SOURCE, "utf-8")
    fields = ("first_name", "last_name", "birth_date", "postcode")
    lines = ["row,at,user,mail," + ",".join(fields)]
    for row, event in enumerate(make_people()):
        told = [event[f"field_{field}"] for field in fields]
        lines.append(",".join([str(row), "2026-01-05T10:00:00Z", event.get("id_user", ""), event["id_mail"], *told]))
    (tmp_path / "people.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return tmp_path


def test_people_are_linked_from_a_file_and_known_the_second_time(shop: Path) -> None:
    assert "link_not_declared" in call("link", shop).stderr
    (shop / "blueprint.yaml").write_text(BLUEPRINT + LINK, "utf-8")
    assert call("run", shop, "--quiet").returncode == 0
    told = json.loads(call("link", shop, "--json", "--quiet").stdout)
    assert (told["people"], told["trained"]) == (PEOPLE + TWICE, True)
    assert told["accepted"] > TWICE * 0.8
    again = call("--lang", "fr", "link", shop, "--quiet").stdout
    assert "déjà appris" in again
    assert "En tout" in again
    assert call("verify", shop).returncode == 0
