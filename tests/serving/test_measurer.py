"""The measurer: publishes what has changed, once, and shows no half of it when it cannot."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from tests.boutique import deliver, make_company, make_event, take_over, write_blueprint

from parcours import company as companies
from parcours import flow
from parcours.collect import LoadReport
from parcours.company import Company
from parcours.serving import measurer
from parcours.serving.measurer import Measurer, Published


class Made:
    """A measurer of the shop that looks all the time."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.told: list[Published] = []
        self.measurer = Measurer(company.folder, self.told.append)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.measurer.run, args=(self.stopping,), daemon=True)

    def start(self) -> None:
        self.thread.start()

    def wait_for(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + 30
        while not true():
            assert time.monotonic() < until, self.told
            time.sleep(0.01)

    def batches(self) -> list[int]:
        return [one.batch_no for one in self.told]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Made:
    for name in ("LOOK_S", "LEAST_PAUSE_S", "FAILED_PAUSE_S"):
        monkeypatch.setattr(measurer, name, 0.02)
    one = Made(make_company(tmp_path / "shop"))
    monkeypatch.setattr(flow, "publish", counted(flow.publish))
    return one


def counted(publish: Callable[..., object]) -> Callable[..., object]:
    def count(*arguments: object) -> object:
        count.calls += 1  # type: ignore[attr-defined]
        return publish(*arguments)

    count.calls = 0  # type: ignore[attr-defined]
    return count


def calls() -> int:
    return int(flow.publish.calls)  # type: ignore[attr-defined]


def reported(made: Made) -> int:
    report = companies.open(made.company.folder, follow=True).report
    return report.events if report else -1


def test_what_was_taken_over_is_published_once(made: Made) -> None:
    made.start()
    made.wait_for(lambda: len(made.told) == 1)
    for n in range(1, 4):
        deliver(made.company, make_event(4 * n, f"C{n}"))
        take_over(made.company)
        made.wait_for(lambda: made.batches()[-1] == n)  # noqa: B023
        assert reported(made) == n
    before = calls()
    time.sleep(0.3)
    assert calls() == before <= 4
    made.stopping.set()
    made.thread.join(10)
    assert not made.thread.is_alive()


def test_batches_that_gave_nothing_new_are_told_as_published_without_measuring(made: Made) -> None:
    deliver(made.company, make_event(0))
    take_over(made.company)
    made.start()
    made.wait_for(lambda: made.batches()[-1:] == [1])
    before = calls()
    deliver(made.company, make_event(0))
    take_over(made.company)
    made.wait_for(lambda: made.batches()[-1] == 2)
    assert calls() == before


def test_what_files_gave_is_in_the_report_once(made: Made) -> None:
    made.start()
    made.wait_for(lambda: len(made.told) == 1)
    made.measurer.note(msgspec.json.encode(LoadReport(sources=())))
    made.wait_for(lambda: len(made.told) == 2)
    time.sleep(0.2)
    assert len(made.told) == 2


def test_a_fault_is_told_and_what_was_published_stays(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(made.company, make_event(0))
    take_over(made.company)
    made.start()
    made.wait_for(lambda: made.batches()[-1:] == [1])
    sound = flow.publish

    def fail(*_: object) -> object:
        raise ZeroDivisionError

    monkeypatch.setattr(flow, "publish", fail)
    deliver(made.company, make_event(4))
    take_over(made.company)
    made.wait_for(lambda: made.told[-1].fault is not None)
    fault = made.told[-1].fault
    assert fault
    assert fault.code == "publication_failed"
    assert made.told[-1].batch_no == 1
    assert reported(made) == 1
    monkeypatch.setattr(flow, "publish", sound)
    made.wait_for(lambda: made.told[-1].fault is None)
    assert reported(made) == 2


def test_a_blueprint_that_changes_is_measured_anew_and_a_broken_one_not(made: Made) -> None:
    deliver(made.company, make_event(0))
    take_over(made.company)
    made.start()
    made.wait_for(lambda: made.batches()[-1:] == [1])
    count = len(made.told)
    (made.company.folder / "blueprint.yaml").write_text("stages: [", "utf-8")
    time.sleep(0.3)
    assert len(made.told) == count
    write_blueprint(made.company.folder, more_events="Page Loved")
    made.wait_for(lambda: len(made.told) > count)
    assert made.told[-1].fault is None


def test_in_a_folder_that_is_gone_nothing_is_made_anew(made: Made) -> None:
    made.start()
    made.wait_for(lambda: len(made.told) == 1)
    shutil.rmtree(made.company.folder)
    time.sleep(0.3)
    assert not made.company.folder.exists()
    assert made.thread.is_alive()
