"""The report: the map, its findings and every touchpoint in one file that needs nothing else, in both languages."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import msgspec

from parcours.charts.numbers import write_period
from parcours.words import LANGUAGES, Language
from parcours.workspaces.pages.map import MapPage, read_map
from parcours.workspaces.pages.touchpoint import TouchpointPage, read_touchpoint
from parcours.workspaces.readable import Readable
from parcours.workspaces.readings import ask
from parcours.workspaces.render import render
from parcours.workspaces.static import STYLES


class ReportSection(msgspec.Struct, frozen=True, kw_only=True):
    """The report in one language; ``touchpoints`` come with their ids, which anchors are made of."""

    TEMPLATE = "report_section.html"

    language: Language
    company: str
    synthetic: bool
    period: str
    map: MapPage
    touchpoints: tuple[tuple[str, TouchpointPage], ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file: ``sections`` hold each language's HTML, the company's own first."""

    TEMPLATE = "report.html"

    language: Language
    title: str
    styles: str
    policy: str
    sections: tuple[tuple[Language, str], ...]


def write_report(company: Readable, path: Path) -> None:
    """Write ``path``: no script, no request, no comment of a customer. A half-written file is never seen."""
    fresh = path.with_suffix(".tmp")
    fresh.write_text(make_report(company), "utf-8")
    fresh.replace(path)


def make_report(company: Readable) -> str:
    """Return the report as HTML; its policy allows its own styles and nothing else."""
    first = company.settings.language
    ordered: list[Language] = [first, *(language for language in LANGUAGES if language != first)]
    digest = base64.b64encode(hashlib.sha256(STYLES.encode()).digest()).decode()
    return render(
        Report(
            language=first,
            title=company.blueprint.company.label.in_language(first),
            styles=STYLES,
            policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
            sections=tuple((language, render(read_section(company, language), language)) for language in ordered),
        ),
        first,
    )


def read_section(company: Readable, language: Language) -> ReportSection:
    """Read the report in one language."""
    result = ask(company, "experience")
    return ReportSection(
        language=language,
        company=company.blueprint.company.label.in_language(language),
        synthetic=company.blueprint.company.synthetic,
        period=write_period(result.period if result else None, language, company.settings.time_zone),
        map=read_map(company, language, prefix=f"#{language}-"),
        touchpoints=tuple(
            (touchpoint.id, read_touchpoint(company, language, touchpoint.id, comments=False))
            for touchpoint in company.blueprint.touchpoints
        ),
    )
