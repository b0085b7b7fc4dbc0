"""Maison Rivière, made: one folder with its blueprint, its sources, its exports and the truths beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from parcours.blueprint.templates import template_path
from parcours.progress import Progress
from parcours.simulate.backstage import export_backstage
from parcours.simulate.browsing import export_app, export_emails, export_web
from parcours.simulate.calendar import WEEKS
from parcours.simulate.exports import Export, write_export
from parcours.simulate.frontstage import export_accounts, export_meetings, export_orders, export_words
from parcours.simulate.life import live
from parcours.simulate.muddle import gather_muddle
from parcours.simulate.panel import draw
from parcours.simulate.people import SITES, gather_people
from parcours.simulate.requests import write_requests
from parcours.simulate.truth import write_truth
from parcours.words import Words

DEFAULT_CUSTOMERS = 40_000
DELIVERIES_PER_CUSTOMER = 0.7
SMALLEST = 100


def make(folder: Path, customers: int, seed: int, progress: Progress) -> int:
    """Make the firm in ``folder`` and return the rows written, bad ones included.

    The same ``customers`` and ``seed`` give the same bytes. What stands in ``folder`` beside the files written here
    is left alone.

    Args:
        folder: Where the company goes; made when it is not there.
        customers: How many people, at least `SMALLEST`; fewer are rounded up.
        seed: Any non-negative integer.
        progress: Told after each export.
    """
    customers = max(customers, SMALLEST)
    _copy_company(folder)
    world = draw(seed, round(customers * DELIVERIES_PER_CUSTOMER), len(SITES), WEEKS)
    people = gather_people(customers, seed)
    life = live(world, people, seed)
    muddle = gather_muddle(people, life, seed)
    makers: tuple[Callable[[], list[Export]], ...] = (
        lambda: export_accounts(people, life, muddle, seed),
        lambda: [export_web(people, life, muddle, seed)],
        lambda: [export_emails(people, life, seed), export_app(people, life, seed)],
        lambda: [export_orders(people, life, seed), *export_meetings(people, life)],
        lambda: export_words(people, life, seed),
        lambda: export_backstage(world, life, seed),
    )
    progress.begin(Words(fr="Fabrication de Maison Rivière", en="Making Maison Rivière"), len(makers))
    rows = 0
    made: list[Export] = []
    for maker in makers:
        for export in maker():
            rows += write_export(export, folder)
            made.append(export)
        progress.advance()
    write_requests(folder, muddle)
    write_truth(folder, world, people, life, muddle, made)
    progress.end()
    return rows


def _copy_company(folder: Path) -> None:
    template = template_path("retail")
    (folder / "sources").mkdir(parents=True, exist_ok=True)
    for path in (
        template / "parcours.toml",
        template / "blueprint.yaml",
        *sorted((template / "sources").glob("*.yaml")),
    ):
        shutil.copyfile(path, folder / path.relative_to(template))
