"""What keeps processes from their work: each fault once, from whoever has it, as long as it lasts."""

from __future__ import annotations

import msgspec

from parcours.collect.connectors.inlets import InletState
from parcours.errors import Fault
from parcours.serving.keeper import Told
from parcours.serving.measurer import Published
from parcours.serving.troubles import list_troubles
from parcours.words import Words


def fault(code: str) -> Fault:
    return Fault(code, Words(fr=f"{code} en français.", en=f"{code} in English."), Words(fr="Agir.", en="Act."))


def inlet(failures: int, last_error: Fault | None) -> dict[str, object]:
    state = InletState("crm", failures, last_error, 1, None)
    # As it comes through the pipe.
    return dict(msgspec.json.decode(msgspec.json.encode(state)))


def test_all_is_well_where_nobody_has_a_fault() -> None:
    assert list_troubles(Told(queues=[inlet(0, None)]), Published()) == ()


def test_each_is_told_in_order_and_once() -> None:
    told = Told(fault=fault("disk_full"), queues=[inlet(3, fault("no_answer")), inlet(1, fault("no_answer"))])
    found = list_troubles(told, Published(fault=fault("disk_full")), fault("row_damaged"))
    assert [one.code for one in found] == ["row_damaged", "disk_full", "no_answer"]
    assert found[2] == fault("no_answer")


def test_requests_that_are_due_stand_last() -> None:
    told = Told(fault=fault("disk_full"), due=(fault("requests_due"),))
    assert [one.code for one in list_troubles(told, Published())] == ["disk_full", "requests_due"]


def test_a_connector_that_works_again_is_not_told() -> None:
    assert list_troubles(Told(queues=[inlet(0, fault("no_answer"))]), Published()) == ()
