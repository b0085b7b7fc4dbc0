"""A condition that no row meets is told with its line and the values that do occur."""

from __future__ import annotations

from parcours.collect.reading import check_sources

SOURCE = """source: orders
file: data/orders.csv
key: [id]
time: {column: at}
ids: {mail: who}
events:
  - name: Order Completed
  - name: Parcel Delivered
    when: {column: status, is: [delivered, done]}
"""


def write(acme, *statuses: str, condition: str = "status") -> None:
    acme.source("orders", SOURCE.replace("column: status", f"column: {condition}"))
    rows = [f"{i},2026-01-01,u{i}@example.org,{status}" for i, status in enumerate(statuses)]
    acme.data("orders.csv", "\n".join(["id,at,who,status", *rows]) + "\n")


def checked(acme) -> list[tuple[str, int | None, str]]:
    found = check_sources(acme.folder, acme.blueprint, acme.settings)
    return [(one.code, one.line, one.remedy.en) for one in found]


def test_a_condition_that_no_row_meets_names_what_occurs(acme) -> None:
    write(acme, "Delivered", "lost", "Delivered", "")
    assert checked(acme) == [("condition_never_met", 9, "It holds “Delivered”, “lost”: mend is:.")]
    (warning,) = [one for one in acme.load().sources[0].warnings if "when:" in one.en]
    assert "never is “delivered” or “done”" in warning.en
    assert "« Delivered », « lost »" in warning.fr
    assert warning.fr.endswith("sources/orders.yaml:9)")


def test_a_condition_that_one_row_meets_is_no_matter(acme) -> None:
    write(acme, "lost", "done", "lost")
    assert checked(acme) == []
    assert not any("when:" in one.en for one in acme.load().sources[0].warnings)


def test_a_few_new_rows_that_do_not_meet_it_are_no_matter(acme) -> None:
    write(acme, "done")
    acme.load()
    write(acme, "done", "lost")
    assert not any("when:" in one.en for one in acme.load().sources[0].warnings)


def test_what_is_met_later_than_the_first_rows_is_only_a_matter_of_those(acme) -> None:
    write(acme, *["lost"] * 1_000, "done")
    (told,) = check_sources(acme.folder, acme.blueprint, acme.settings)
    assert "none of the first 1000 rows" in told.sentence.en
    assert not any("when:" in one.en for one in acme.load().sources[0].warnings)


def test_identifiers_are_never_told(acme) -> None:
    write(acme, "lost", condition="who")
    assert checked(acme) == [("condition_never_met", 9, "Compare is: with the values of the column.")]
