"""The firm (synthetic) that the clients send to: what it declares, and where each client's events are sorted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

BLUEPRINT = """\
company: {id: shop, label: {fr: Boutique (données synthétiques), en: Shop (synthetic data)}, synthetic: true}
stages:
  - {id: buy, label: {fr: Achat, en: Purchase}}
channels:
  - {id: web, label: {fr: Site, en: Website}, kind: digital}
teams:
  - {id: sales, label: {fr: Ventes, en: Sales}}
touchpoints:
  - id: order
    label: {fr: Commande, en: Order}
    stage: buy
    channel: web
    owner: sales
    events: [Order Completed]
  - id: product_page
    label: {fr: Fiche produit, en: Product page}
    stage: buy
    channel: web
    owner: sales
    events: [Page Viewed, Screen Viewed]
operations:
  - id: preparation
    label: {fr: Préparation, en: Preparation}
    owner: sales
    events: [Order Packed]
    measure: {count: true, unit: orders}
    supports: [order, product_page]
purposes:
  - {id: improve, label: {fr: Améliorer, en: Improve}, basis: legitimate_interest, measures: [all], retention_days: 30}
  - {id: personalise, label: {fr: Choisir, en: Choose}, basis: consent, measures: [funnel]}
  - {id: advertise, label: {fr: Publicité, en: Advertising}, basis: consent, measures: [funnel]}
groups:
  - {id: segment, label: {fr: Segment, en: Segment}, field: segment}
fields:
  - {id: page_kind, kind: category, label: {fr: Page, en: Page}}
  - {id: town, kind: category, label: {fr: Ville, en: Town}}
  - {id: gift, kind: category, label: {fr: Cadeau, en: Gift}}
  - {id: quantity, kind: number, label: {fr: Quantité, en: Quantity}}
objects: [order, group]
money: {event: Order Completed, field: amount, currency: EUR}
"""

SOURCE = """\
source: {source}
connector: http
options: {{sdk: {sdk}}}
"""


def write_firm(folder: Path, sources: Iterable[tuple[str, str]]) -> None:
    """Write a company folder with one HTTP source for each id and kind of SDK."""
    (folder / "sources").mkdir(parents=True)
    (folder / "blueprint.yaml").write_text(BLUEPRINT, "utf-8")
    (folder / "parcours.toml").write_text('language = "en"\n', "utf-8")
    for source, sdk in sources:
        text = SOURCE.format(source=source, sdk=sdk)
        (folder / "sources" / f"{source}.yaml").write_text(text, "utf-8")
