"""Comments while serving: whoever objected a moment ago is quoted no more, though the tables are those of before."""

from __future__ import annotations

from pathlib import Path

from tests.boutique import IMPROVE, WEB, deliver, make_company, make_event, take_over

from parcours import company as companies
from parcours import flow
from parcours.progress import Silent


def test_an_objection_of_a_moment_ago_takes_comments_away(tmp_path: Path) -> None:
    company = make_company(tmp_path / "shop", IMPROVE, sources=(WEB,))
    deliver(company, *(make_event(4 * n + 3, f"C{n}") for n in range(3)))
    take_over(company)
    flow.publish(company, 0.0, None, Silent())
    served = companies.open(company.folder, follow=True)
    assert len(served.verbatims("visit")) == 3
    objects = make_event(100, "C1", context={"consent": {"categoryPreferences": {"improve": False}}})
    deliver(company, objects)
    assert {one.text for one in served.verbatims("visit")} == {"secret words 3", "secret words 11"}
    assert served.rows_for("experience").customers == 3
