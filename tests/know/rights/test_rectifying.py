"""Tests of rectification: what was wrong is gone for good, whoever tells it again, and recipients hear of it."""

from __future__ import annotations

import time

import pytest

from parcours import flow
from parcours.errors import ParcoursError

from .conftest import CANARY, IDS, Living, deliver, event
from .test_restricting import notices

MAIL = f"mail:{IDS['mail']}"
WRONG, RIGHT = f"{CANARY}-ville", "Rennes"


def town(company: Living) -> set[str]:
    return {one.value for one in flow.compile_dossier(company, MAIL, "access", "cli").values}


def test_what_is_put_right_stays_right_though_a_source_repeats_what_was_wrong(company: Living) -> None:
    assert town(company) == {WRONG}
    number = flow.rectify(company, MAIL, "town", f" {RIGHT} ", "cli")
    assert town(company) == {RIGHT}
    held = company.know.requests.find(number)
    assert (held.kind, held.state) == ("rectification", "done")
    for place, told, due in ((1, WRONG, RIGHT), (2, "Nantes", "Nantes"), (3, WRONG, "Nantes")):
        again = event("Called", {"user": IDS["user"]}, 89_999_000 + 100 * place, town=told)
        again["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 2 * place))
        deliver(company.folder, company, again)
        assert town(company) == {due}


def test_a_load_that_is_cut_short_takes_nothing_back(company: Living) -> None:
    flow.rectify(company, MAIL, "town", RIGHT, "cli")
    company.know.door().forget_from(company.know.rights.find(MAIL).event_no)
    assert town(company) == {RIGHT}


def test_where_nothing_was_known_the_value_is_new(company: Living) -> None:
    flow.rectify(company, "user:other-3", "town", RIGHT, "cli")
    dossier = flow.compile_dossier(company, "user:other-3", "access", "cli")
    assert [one.value for one in dossier.values] == [RIGHT]


def test_recipients_are_told_and_it_is_noted_without_the_value(company: Living) -> None:
    flow.collect_live(company)
    number = flow.rectify(company, MAIL, "town", RIGHT, "cli")
    (told,) = notices(company, f"rectification-{number}")
    assert told["details"] == {"town": RIGHT}
    entry = company.know.audit.read(action="decide_request")[0]
    assert RIGHT not in entry.reason


@pytest.mark.parametrize(
    ("identifier", "field", "value", "due"),
    [
        (MAIL, "note", RIGHT, "not_rectifiable"),
        (MAIL, "nothing", RIGHT, "not_rectifiable"),
        (MAIL, "town", "  ", "value_unusable"),
        (MAIL, "town", "x" * 1_001, "value_unusable"),
        (MAIL, "town", "a\x00b", "value_unusable"),
        ("user:nobody", "town", RIGHT, "nobody_found"),
    ],
)
def test_what_cannot_be_put_right_changes_nothing(
    company: Living, identifier: str, field: str, value: str, due: str
) -> None:
    with pytest.raises(ParcoursError) as caught:
        flow.rectify(company, identifier, field, value, "cli")
    assert caught.value.code == due
    assert not company.know.requests.list_requests()
