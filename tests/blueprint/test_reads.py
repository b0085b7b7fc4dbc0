"""Tests of what derived tables are made of: they serve no purpose that one of their inputs does not serve."""

from __future__ import annotations

from tests.know.conftest import make_blueprint

from parcours.blueprint.reads import TABLES, list_reads, purposes_of, tables_of
from parcours.blueprint.records import MEASURES, Field
from parcours.measure import MEASURES as COMPUTED


def test_the_tables_of_a_measure_are_those_that_it_reads() -> None:
    assert {measure.name: set(measure.inputs) for measure in COMPUTED} == {
        name: set(tables) for name, tables in TABLES.items() if name in MEASURES
    }


def test_a_table_serves_the_purposes_that_all_of_its_fields_serve() -> None:
    fields = (
        Field(id="segment", kind="category", purposes=("improve", "personalise")),
        Field(id="amount", kind="number", purposes=("improve",)),
        Field(id="state", kind="category", purposes=("personalise",)),
    )
    blueprint = make_blueprint(fields=fields)
    assert purposes_of(blueprint, "touches") == {"improve"}
    assert purposes_of(blueprint, "answers") == {"improve", "personalise"}
    assert purposes_of(blueprint, "operations") == {"personalise"}
    assert purposes_of(make_blueprint(), "customers") == {"improve", "personalise"}


def test_every_kept_field_of_the_blueprint_is_read_by_some_table_or_declared_by_itself() -> None:
    blueprint = make_blueprint()
    read = {
        field
        for table in ("touches", "answers", "operations", "customers")
        for _, field in list_reads(blueprint, table)
    }
    assert read == set(blueprint.field_kinds())


def test_a_purpose_rests_on_the_tables_of_its_measures() -> None:
    improve = make_blueprint().purposes[0]
    assert set(tables_of(improve)) == {"touches", "answers", "operations", "customers"}
