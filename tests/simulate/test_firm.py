"""The firm as a folder: same seed same bytes, every size, bad rows counted, a truth that the product never reads."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from parcours.blueprint import check_blueprint
from parcours.progress import Silent
from parcours.simulate import make
from parcours.simulate.panel import draw

PRODUCT = Path(__file__).resolve().parents[2] / "src" / "parcours"


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("firm")
    make(folder, 500, 3, Silent())
    return folder


def digest(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def lines_of(folder: Path, file: str) -> list[str]:
    encoding = "cp1252" if file in {"orders.csv.gz", "store_visits.csv.gz"} else "utf-8"
    return gzip.decompress((folder / "data" / file).read_bytes()).decode(encoding).split("\n")[:-1]


def table_of(folder: Path, file: str) -> list[dict[str, str]]:
    header, *rows = lines_of(folder, file)
    return [dict(zip(header.split(";"), row.split(";"), strict=True)) for row in rows]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(firm: Path, tmp_path: Path) -> None:
    make(tmp_path / "again", 500, 3, Silent())
    assert digest(tmp_path / "again") == digest(firm)
    stamps = {path.read_bytes()[4:8] for path in (firm / "data").glob("*.gz")}
    assert stamps == {bytes(4)}, "a gzip header that holds the hour differs from run to run"
    make(tmp_path / "other", 500, 4, Silent())
    other, same = digest(tmp_path / "other"), digest(firm)
    differing = {name for name in same if other[name] != same[name]}
    assert differing >= {name for name in same if name.startswith("data/")} | {"truth.json"}


def test_every_source_has_its_file_and_the_blueprint_has_no_error(firm: Path) -> None:
    blueprint, faults = check_blueprint(firm)
    assert blueprint is not None
    assert not [fault for fault in faults if fault.level == "error"]
    assert blueprint.company.synthetic
    named = {
        line.split()[-1].removeprefix("data/")
        for source in (firm / "sources").glob("*.yaml")
        for line in source.read_text("utf-8").splitlines()
        if line.startswith("file:")
    }
    assert named == {path.name for path in (firm / "data").iterdir()}


@pytest.mark.parametrize("customers", [100, 1_500])
def test_every_size_is_made_and_counted(tmp_path: Path, customers: int) -> None:
    rows = make(tmp_path, customers, 1, Silent())
    counted = sum(
        pq.read_metadata(path).num_rows
        if path.suffix == ".parquet"
        else len(lines_of(tmp_path, path.name)) - path.name.endswith(".csv.gz")
        for path in (tmp_path / "data").iterdir()
    )
    assert rows == counted
    assert rows > 25 * customers
    assert json.loads((tmp_path / "truth.json").read_text())["customers"] == customers


def test_every_bad_row_that_is_planted_is_listed_and_there(firm: Path) -> None:
    flaws = json.loads((firm / "truth.json").read_text())["bad_rows"]
    assert len(flaws) == 12
    assert {flaw["reason"] for flaw in flaws} == {"bad_date", "missing_key", "bad_number"}
    for file in {flaw["file"] for flaw in flaws}:
        planted = [flaw for flaw in flaws if flaw["file"] == file]
        last = lines_of(firm, file.removeprefix("data/"))[-len(planted) :]
        for flaw, line in zip(planted, last, strict=True):
            cell = line.split(";") if ".csv" in file else [str(value) for value in json.loads(line).values()]
            assert flaw["value"] in cell


def test_the_exports_hold_the_draw_cell_by_cell(firm: Path) -> None:
    world = draw(3, 350)
    incidents = table_of(firm, "incidents.csv.gz")[:-1]
    sites = sorted({row["magasin"] for row in incidents})
    logged = np.zeros(world.operations["it_incidents"].shape)
    for row in incidents:
        day, month, year = row["ouvert_le"][:10].split("/")
        week = (np.datetime64(f"{year}-{month}-{day}") - np.datetime64("2025-01-06")).astype(int) // 7
        logged[sites.index(row["magasin"]), week] += 1
    assert np.array_equal(logged, world.operations["it_incidents"])
    answers = [json.loads(line) for line in lines_of(firm, "surveys.jsonl.gz")[:-2]]
    scores = [row["score"] for row in answers if row["survey"] == "delivery"]
    heard = world.visits["delivery"].score
    assert scores == heard[~np.isnan(heard)].tolist()


def test_the_truth_lists_causes_by_strength_and_all_else_that_is_planted(firm: Path) -> None:
    truth = json.loads((firm / "truth.json").read_text())
    assert truth["synthetic"] is True
    assert (truth["seed"], truth["customers"]) == (3, 500)
    assert {"touchpoint", "operation", "effect", "unit"} <= set(truth["causes"][0])
    width = [float(cause["unit"].split("–")[1].split(")")[0]) for cause in truth["causes"]]
    low = [float(cause["unit"].split("(")[1].split("–")[0]) for cause in truth["causes"]]
    share = [abs(c["effect"]) / (high - least) for c, high, least in zip(truth["causes"], width, low, strict=True)]
    assert share == sorted(share, reverse=True)
    assert truth["uneven_channels"][0]["gap"] > 1
    assert truth["defections"]["chance_after_bad"] > truth["defections"]["chance_otherwise"]
    assert truth["treatment_effects"][0]["rate_ratio"] == 1.3
    assert truth["shared_devices"]


def test_nothing_of_the_product_knows_the_truth_or_the_firm() -> None:
    for path in PRODUCT.rglob("*.py"):
        if "simulate" in path.parts:
            continue
        text = path.read_text("utf-8")
        assert "truth.json" not in text, path
        if "cli" not in path.parts:
            assert "parcours.simulate" not in text, path


def test_what_was_in_the_folder_stays(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("à garder", "utf-8")
    make(tmp_path, 100, 1, Silent())
    assert (tmp_path / "notes.txt").read_text("utf-8") == "à garder"
