"""The work behind the line of visibility, as its systems export it: every cell's mean is the planted value."""

from __future__ import annotations

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from parcours.simulate.calendar import WEEKS, in_week, write_epoch, write_french, write_iso
from parcours.simulate.design import WORKS, Work
from parcours.simulate.exports import Export, Flaw
from parcours.simulate.life import Life, Occasion
from parcours.simulate.panel import Draw
from parcours.simulate.people import SITES, name_ids, name_sites

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PLANS_A_WEEK = 4
"""Rosters and shifts closed in each store and week."""


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one operation: their cell, moment, value, and the row that they are tied to (−1: none)."""

    site: Ints
    week: Ints
    moment_s: Ints
    value: Floats
    tied: Ints


def export_backstage(draw: Draw, life: Life, seed: int) -> list[Export]:
    """Return the export of every operation."""
    orders, parcels = life.occasions["checkout"], life.occasions["delivery"]
    works = {work.id: work for work in WORKS}

    def tie(number: int, operation: str, to: Occasion, delay_s: int) -> Events:
        random = np.random.default_rng([seed, 8, number])
        return _tie_events(works[operation], draw.operations[operation], (to, delay_s), random)

    placed = Occasion(visits=parcels.visits, person=parcels.person, moment_s=orders.moment_s[: len(parcels.person)])
    stock = tie(1, "stock_gaps", placed, 900)
    picked = tie(2, "picking_delay", placed, 5400)
    packed = tie(3, "packing_errors", placed, 9000)
    scanned = tie(4, "carrier_delay", placed, 10800)
    checked = tie(5, "credit_check_time", orders, 20)
    shown = tie(6, "page_latency", orders, -30)
    refunded = tie(7, "refund_delay", life.occasions["refund"], -900)
    counted = tie(8, "points_delay", life.occasions["loyalty"], -300)
    opened = tie(9, "ticket_backlog", life.occasions["call_centre"], -600)
    staffed, absent = (
        _repeat_events(works[operation], draw.operations[operation], PLANS_A_WEEK, [seed, 9, number])
        for number, operation in enumerate(("staff_shortage", "agent_absence"))
    )
    return [
        _french(stock, "stock_checks.csv.gz", "controle", "controle_le", "introuvables_pct", ("commande", "W")),
        _french(picked, "picking.csv.gz", "preparation", "prepare_le", "attente_min", ("commande", "W")),
        _french(packed, "packing_checks.csv.gz", "controle", "controle_le", "erreurs_pour_cent", ("colis", "P")),
        _french(staffed, "rosters.csv.gz", "planning", "clos_le", "non_pourvu_pct"),
        _french(absent, "shifts.csv.gz", "vacation", "clos_le", "absences_pct"),
        _french_refunds(refunded, life.occasions["refund"]),
        _parquet(scanned, "carrier_scans.parquet", ("scan", "scanned_ms", "delay_min"), ("parcel", "P"), 60.0),
        _parquet(checked, "credit_checks.parquet", ("check", "checked_ms", "duration_s"), ("order", "W"), 1.0),
        _parquet(shown, "latency.parquet", ("trace", "measured_ms", "seconds"), ("order", "W"), 1e-3),
        _export_points(counted, life.occasions["loyalty"]),
        _export_tickets(opened),
        _export_incidents(draw.operations["it_incidents"], seed),
    ]


def recentre(noise: Floats, cell: Ints, cells: int) -> Floats:
    """Return noise without its mean in each cell."""
    count = np.maximum(np.bincount(cell, minlength=cells), 1)
    centred: Floats = noise - (np.bincount(cell, weights=noise, minlength=cells) / count)[cell]
    return centred


def _tie_events(work: Work, cells: Floats, to: tuple[Occasion, int], random: np.random.Generator) -> Events:
    """Return one event a visit, in the visit's own cell, and one more in each cell where nobody came."""
    occasion, delay_s = to
    seen = np.zeros(cells.shape, np.bool_)
    seen[occasion.visits.site, occasion.visits.week] = True
    lonely_site, lonely_week = np.nonzero(~seen)
    site = np.concatenate([occasion.visits.site, lonely_site])
    week = np.concatenate([occasion.visits.week, lonely_week])
    moment = np.concatenate([occasion.moment_s + delay_s, in_week(lonely_week, random)])
    tied = np.concatenate([np.arange(len(occasion.person)), np.full(len(lonely_site), -1)])
    return Events(site=site, week=week, moment_s=moment, value=_scatter(work, cells, site, week, random), tied=tied)


def _repeat_events(work: Work, cells: Floats, times: int, seed: list[int]) -> Events:
    random = np.random.default_rng(seed)
    site, week = (np.repeat(axis.ravel(), times) for axis in np.indices(cells.shape))
    return Events(
        site=site,
        week=week,
        moment_s=in_week(week, random),
        value=_scatter(work, cells, site, week, random),
        tied=np.full(len(site), -1),
    )


def _scatter(work: Work, cells: Floats, site: Ints, week: Ints, random: np.random.Generator) -> Floats:
    """Return event values around their cell's; the spread shrinks where it could make one negative."""
    spread = np.minimum(work.spread, cells[site, week] / 8)
    noise = spread * np.clip(random.normal(size=len(site)), -3, 3)
    return cells[site, week] + recentre(noise, site * cells.shape[1] + week, cells.size)


def _french(events: Events, file: str, key: str, at: str, value: str, tied: tuple[str, str] | None = None) -> Export:
    columns = {key: name_ids("K", _count(events)), at: write_french(events.moment_s)}
    columns["magasin"] = name_sites(events.site)
    if tied:
        columns[tied[0]] = name_ids(tied[1], events.tied)
    columns[value] = pa.array(np.round(events.value, 6))
    flaws = (Flaw(at, "31/02/2025 10:00:00", "bad_date"),) if key == "preparation" else ()
    return Export(file=file, columns=columns, flaws=flaws)


def _french_refunds(events: Events, refunds: Occasion) -> Export:
    columns = {
        "dossier": name_ids("K", _count(events)),
        "traite_le": write_french(events.moment_s),
        "magasin": name_sites(events.site),
        "commande": name_ids("W", _order_of(events, refunds)),
        "delai_jours": pa.array(np.round(events.value / 24, 8)),
    }
    return Export(file="refund_processing.csv.gz", columns=columns)


def _parquet(events: Events, file: str, names: tuple[str, str, str], tied: tuple[str, str], factor: float) -> Export:
    columns = {
        names[0]: pa.array(_count(events)),
        names[1]: write_epoch(events.moment_s),
        names[2]: pa.array(events.value * factor),
        "site": name_sites(events.site),
        tied[0]: name_ids(tied[1], events.tied),
    }
    return Export(file=file, columns=columns)


def _export_points(events: Events, credits: Occasion) -> Export:
    columns = {
        "run": name_ids("K", _count(events)),
        "computed_at": write_iso(events.moment_s),
        "site": name_sites(events.site),
        "order": name_ids("W", _order_of(events, credits)),
        "delay_h": pa.array(np.round(events.value, 6)),
    }
    return Export(file="points_runs.jsonl.gz", columns=columns)


def _export_tickets(events: Events) -> Export:
    """Return tickets from opening to written answer; those that no call opened came in by mail."""
    by_mail = np.cumsum(events.tied < 0) - 1 + len(events.tied)
    columns = {
        "ticket": name_ids("T", np.where(events.tied >= 0, events.tied, by_mail)),
        "opened_at": write_iso(events.moment_s),
        "answered_at": write_iso(events.moment_s, np.rint(_whole_seconds(events)).astype(np.int64)),
        "site": name_sites(events.site),
    }
    return Export(file="tickets.jsonl.gz", columns=columns)


def _whole_seconds(events: Events) -> Floats:
    """Return waits in seconds such that rounding leaves each cell's sum within a second."""
    cell = events.site * WEEKS + events.week
    order = np.argsort(cell, kind="stable")
    total = np.cumsum(events.value[order] * 3600)
    waits = np.empty(len(total))
    waits[order] = np.diff(np.rint(total), prepend=0.0)
    return waits


def _export_incidents(cells: Floats, seed: int) -> Export:
    """Return as many incidents in each cell as were planted."""
    random = np.random.default_rng([seed, 11])
    count = cells.astype(np.int64).ravel()
    site = np.repeat(np.repeat(np.arange(len(SITES)), cells.shape[1]), count)
    week = np.repeat(np.tile(np.arange(cells.shape[1]), len(SITES)), count)
    columns = {
        "incident": name_ids("I", np.arange(len(site))),
        "ouvert_le": write_french(in_week(week, random)),
        "magasin": name_sites(site),
    }
    return Export(file="incidents.csv.gz", columns=columns, flaws=(Flaw("incident", "", "missing_key"),))


def _count(events: Events) -> Ints:
    return np.arange(len(events.site), dtype=np.int64)


def _order_of(events: Events, occasion: Occasion) -> Ints:
    return np.where(events.tied >= 0, occasion.visits.origin[events.tied], -1)
