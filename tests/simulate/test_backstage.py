"""The work behind the line: in every export, the mean of a cell is the planted value."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.simulate.backstage import export_backstage, recentre
from parcours.simulate.calendar import WEEKS
from parcours.simulate.exports import Export
from parcours.simulate.life import live
from parcours.simulate.panel import Draw, draw
from parcours.simulate.people import SITES, gather_people

FIRST_MS = 1_736_118_000_000
"""Monday 6 January 2025, midnight in Paris."""


@pytest.fixture(scope="module")
def work() -> tuple[Draw, dict[str, Export]]:
    world, people = draw(2, 1_400), gather_people(2_000, 2)
    made = export_backstage(world, live(world, people, 2), 2)
    return world, {export.file: export for export in made}


def week_numbers(column: pa.Array) -> np.ndarray:
    """The week of each moment, however it is written, on the stores' clock."""
    if pa.types.is_integer(column.type):
        stamps = column.cast(pa.timestamp("ms", "UTC"))
        local = pc.local_timestamp(stamps.cast(pa.timestamp("ms", "Europe/Paris")))
    elif "T" in column[0].as_py():
        stamps = pc.strptime(column, "%Y-%m-%dT%H:%M:%SZ", "s").cast(pa.timestamp("s", "UTC"))
        local = pc.local_timestamp(stamps.cast(pa.timestamp("s", "Europe/Paris")))
    else:
        local = pc.strptime(column, "%d/%m/%Y %H:%M:%S", "s")
    days = local.cast(pa.timestamp("s")).to_numpy(zero_copy_only=False) - np.datetime64("2025-01-06")
    return days.astype("timedelta64[D]").astype(int) // 7


def cell_means(site: pa.Array, week: np.ndarray, value: np.ndarray) -> np.ndarray:
    cell = np.array([SITES.index(name) for name in site.to_pylist()]) * WEEKS + week
    count = np.bincount(cell, minlength=len(SITES) * WEEKS)
    assert count.min() >= 1, "every cell has an event"
    return (np.bincount(cell, weights=value, minlength=len(count)) / count).reshape(len(SITES), WEEKS)


@pytest.mark.parametrize(
    ("operation", "file", "at", "site", "value", "factor"),
    [
        ("stock_gaps", "stock_checks.csv.gz", "controle_le", "magasin", "introuvables_pct", 1),
        ("picking_delay", "picking.csv.gz", "prepare_le", "magasin", "attente_min", 1),
        ("packing_errors", "packing_checks.csv.gz", "controle_le", "magasin", "erreurs_pour_cent", 1),
        ("carrier_delay", "carrier_scans.parquet", "scanned_ms", "site", "delay_min", 60),
        ("staff_shortage", "rosters.csv.gz", "clos_le", "magasin", "non_pourvu_pct", 1),
        ("agent_absence", "shifts.csv.gz", "clos_le", "magasin", "absences_pct", 1),
        ("refund_delay", "refund_processing.csv.gz", "traite_le", "magasin", "delai_jours", 1 / 24),
        ("points_delay", "points_runs.jsonl.gz", "computed_at", "site", "delay_h", 1),
        ("page_latency", "latency.parquet", "measured_ms", "site", "seconds", 1 / 1000),
        ("credit_check_time", "credit_checks.parquet", "checked_ms", "site", "duration_s", 1),
    ],
)
def test_the_mean_of_each_cell_is_the_planted_value(
    work: tuple[Draw, dict[str, Export]], operation: str, file: str, at: str, site: str, value: str, factor: float
) -> None:
    world, made = work
    columns = made[file].columns
    values = columns[value].to_numpy()
    assert values.min() > 0
    means = cell_means(columns[site], week_numbers(columns[at]), values)
    assert np.allclose(means, world.operations[operation] * factor, rtol=1e-5)


def test_tickets_wait_as_long_as_planted(work: tuple[Draw, dict[str, Export]]) -> None:
    world, made = work
    columns = made["tickets.jsonl.gz"].columns
    opened, answered = (
        pc.strptime(columns[name], "%Y-%m-%dT%H:%M:%SZ", "s").to_numpy(zero_copy_only=False)
        for name in ("opened_at", "answered_at")
    )
    hours = (answered - opened).astype(float) / 3600
    means = cell_means(columns["site"], week_numbers(columns["opened_at"]), hours)
    assert np.abs(means - world.operations["ticket_backlog"]).max() <= 1.01 / 3600
    assert len(set(columns["ticket"].to_pylist())) == len(hours)


def test_there_are_as_many_incidents_as_planted(work: tuple[Draw, dict[str, Export]]) -> None:
    world, made = work
    columns = made["incidents.csv.gz"].columns
    cell = np.array([SITES.index(s) for s in columns["magasin"].to_pylist()]) * WEEKS
    cell += week_numbers(columns["ouvert_le"])
    assert np.array_equal(np.bincount(cell).reshape(len(SITES), WEEKS), world.operations["it_incidents"])


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), min_size=1, max_size=50))
def test_noise_that_is_recentred_has_no_mean_in_any_cell(rows: list[tuple[int, float]]) -> None:
    cell = np.array([place for place, _ in rows])
    noise = recentre(np.array([value for _, value in rows]), cell, 6)
    sums = np.bincount(cell, weights=noise, minlength=6)
    assert np.abs(sums).max() <= 1e-6
