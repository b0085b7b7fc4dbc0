"""The page rule: a template asks for exactly the fields of its page's record."""

from __future__ import annotations

import jinja2
import jinja2.meta
import jinja2.nodes
import msgspec
import pytest

from parcours.workspaces.pages.account import AccountPage
from parcours.workspaces.pages.consent import ConsentPage
from parcours.workspaces.pages.customer import CustomerPage
from parcours.workspaces.pages.fault import FaultPage
from parcours.workspaces.pages.journey import JourneyPage
from parcours.workspaces.pages.linking import LinkingPage
from parcours.workspaces.pages.map import MapPage
from parcours.workspaces.pages.measure import MeasurePage
from parcours.workspaces.pages.measures import MeasuresPage
from parcours.workspaces.pages.patterns import PatternsPage
from parcours.workspaces.pages.people import PeoplePage
from parcours.workspaces.pages.permission import PermissionPage
from parcours.workspaces.pages.review import ReviewPage
from parcours.workspaces.pages.sign_in import SignInPage
from parcours.workspaces.pages.sources import SourcesPage
from parcours.workspaces.pages.touchpoint import TouchpointPage
from parcours.workspaces.render import environment, name_template
from parcours.workspaces.report import Report, ReportSection
from parcours.workspaces.routes import PAGES

RECORDS = [
    AccountPage,
    ConsentPage,
    CustomerPage,
    FaultPage,
    JourneyPage,
    LinkingPage,
    MapPage,
    MeasurePage,
    MeasuresPage,
    PatternsPage,
    ReviewPage,
    PermissionPage,
    PeoplePage,
    SignInPage,
    SourcesPage,
    TouchpointPage,
    Report,
    ReportSection,
]


def find_asked(template: str) -> set[str]:
    """Return what ``template`` and the frame it extends ask for; macros of parts.html bring their own names."""
    found = environment("fr")
    source = found.loader.get_source(found, template)[0]  # type: ignore[union-attr]
    tree = found.parse(source)
    asked = set(jinja2.meta.find_undeclared_variables(tree))
    for parent in tree.find_all(jinja2.nodes.Extends):
        asked |= find_asked(parent.template.value)  # type: ignore[attr-defined]
    imported = {node.target for node in tree.find_all(jinja2.nodes.Import)}
    return asked - imported - {"say"}


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_the_template_receives_exactly_the_records_fields(record: type[msgspec.Struct]) -> None:
    assert find_asked(name_template(record)) == set(record.__struct_fields__)


def test_every_page_and_every_template_is_covered() -> None:
    pages = {page.query.__annotations__["return"] for page in PAGES}
    assert pages <= {record.__name__ for record in RECORDS}
    shared = {"frame.html", "parts.html"}
    assert set(environment("fr").list_templates()) == {name_template(record) for record in RECORDS} | shared


def test_a_missing_field_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(jinja2.UndefinedError):
        environment("fr").from_string("{{ nothing }}").render()
