"""Tests of the registers in an erasure: two sources may number their rows alike, and only the person's rows go."""

from __future__ import annotations

from pathlib import Path

from tests.know.rights.conftest import IDS, ORDERS, Living, open_company

from parcours import flow
from parcours.collect.known import open_known
from parcours.engine.store.manifest import Manifest
from parcours.progress import Silent

RETURNS = ORDERS.replace("source: orders", "source: returns").replace("data/orders.csv", "data/returns.csv")


def known_rows(folder: Path) -> dict[str, int]:
    manifest = Manifest(folder)
    rows = {one.source: len(open_known(folder, one).keys) for one in manifest.registers()}
    manifest.close()
    return rows


def test_rows_of_another_source_with_the_same_keys_are_no_rows_of_the_person(company: Living) -> None:
    lines = (company.folder / "data" / "orders.csv").read_text("utf-8").splitlines()
    others = [line.replace(IDS["user"], "other-1").replace(IDS["mail"], "o1@x.fr") for line in lines[1:]]
    assert len({line.split(",")[0] for line in others}) == len(others)
    (company.folder / "sources" / "returns.yaml").write_text(RETURNS, "utf-8")
    clean = [",".join([*line.split(",")[:4], "", *line.split(",")[5:-1], "plain"]) for line in others]
    (company.folder / "data" / "returns.csv").write_text("\n".join([lines[0], *clean]) + "\n", "utf-8")
    company = open_company(company.folder)
    flow.run(company, Silent())
    before = known_rows(company.folder)
    receipt = flow.forget(company, f"user:{IDS['user']}", "cli")
    after = known_rows(company.folder)
    assert after["returns"] == before["returns"]
    assert before["orders"] - after["orders"] == receipt.gone["events orders"]
    assert receipt.proof.found == {}
    # Read again with one more line, the file brings that line alone.
    with (company.folder / "data" / "returns.csv").open("a", encoding="utf-8") as file:
        file.write("O99,2025-03-12T10:00:00Z,other-1,o1@x.fr,,yes,10,Lyon,plain\n")
    held = company.know.held
    flow.run(open_company(company.folder), Silent())
    assert open_company(company.folder).know.held == held + 1
