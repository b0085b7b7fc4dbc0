"""An inlet's port and a destination's outbox: what they hand on, and what they say when that fails."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.boutique import PERSONALISE, WEB, count_aside, count_kept, deliver, make_company, make_event, take_over

from parcours.collect.connectors.contract import Kind, Unreadable
from parcours.collect.journal.handover import Answered, Handed
from parcours.collect.journal.opening import open_journal, read_journal, read_outbox
from parcours.collect.journal.sealing import Sealer
from parcours.company import Company
from parcours.engine.store.journal import Journal
from parcours.errors import Fault, ParcoursError
from parcours.serving.ports import AT_ONCE, JournalPort, SealedOutbox
from parcours.serving.sending import SendGate
from parcours.words import Words

PARTNER = (
    "destination: partner\nconnector: webhook\noptions: {url: 'http://127.0.0.1:9/', secret: '${SECRET}'}\n"
    "purpose: personalise\nevents: [Order Completed]\n"
)


class Writer(threading.Thread):
    """A writer that appends each frame, or says that it cannot."""

    def __init__(self, company: Company, address: Path) -> None:
        super().__init__(daemon=True)
        self.company, self.fault = company, ""
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(address))
        self.socket.listen(8)

    def run(self) -> None:
        while True:
            try:
                line, _ = self.socket.accept()
            except OSError:
                return
            with line, line.makefile("rwb") as file:
                (size,) = struct.unpack("<I", file.read(4))
                handed = msgspec.msgpack.decode(file.read(size), type=Handed)
                answer = Answered(handed.number, fault=self.fault)
                if not self.fault:
                    journal, close = open_journal(self.company.folder)
                    answer = Answered(handed.number, journal.append([handed.frame])[0])
                    close()
                told = msgspec.msgpack.encode(answer)
                file.write(struct.pack("<I", len(told)) + told)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return make_company(tmp_path / "shop", sources=(WEB,))


@pytest.fixture
def writer(company: Company, tmp_path: Path) -> Iterator[Writer]:
    one = Writer(company, tmp_path / "w.sock")
    one.start()
    yield one
    one.socket.close()


@pytest.fixture
def journal(company: Company) -> Iterator[Journal]:
    one = read_journal(company.folder)
    yield one
    one.close()


def make_port(company: Company, journal: Journal, address: Path, kind: Kind = "batch") -> JournalPort:
    asked: list[str] = []
    return JournalPort("web", kind, Sealer(company.know.hour_key), address, journal, asked.append, threading.Event())


def encode(*numbers: int) -> list[bytes]:
    return [json.dumps(make_event(4 * n)).encode() for n in numbers]


def test_records_and_cursor_go_together(company: Company, writer: Writer, journal: Journal, tmp_path: Path) -> None:
    port = make_port(company, journal, tmp_path / "w.sock")
    assert port.cursor() is None
    port.deliver(encode(0, 1), b"here")
    assert port.cursor() == b"here"
    take_over(company)
    assert set(count_kept(company.folder)) == {0, 4}


def test_the_cursor_may_move_alone(company: Company, writer: Writer, journal: Journal, tmp_path: Path) -> None:
    port = make_port(company, journal, tmp_path / "w.sock")
    port.deliver([], b"on")
    port.deliver([], b"further")
    assert port.cursor() == b"further"
    assert take_over(company).kept == 0
    assert count_aside(company.folder) == {}


def test_many_records_are_delivered_in_pieces_and_one_transaction(
    company: Company, writer: Writer, journal: Journal, tmp_path: Path
) -> None:
    make_port(company, journal, tmp_path / "w.sock").deliver(encode(*range(AT_ONCE * 2 + 5)), b"end")
    assert journal.last_batch_no() == 1
    take_over(company)
    assert len(count_kept(company.folder)) == AT_ONCE * 2 + 5


def test_what_is_unreadable_waits_in_quarantine_and_the_rest_goes_on(
    company: Company, writer: Writer, journal: Journal, tmp_path: Path
) -> None:
    unreadable = Unreadable("not_an_object", Words(fr="Illisible.", en="Unreadable."), b"\xff\x00 nothing")
    make_port(company, journal, tmp_path / "w.sock").deliver(encode(0), b"here", [unreadable])
    take_over(company)
    assert set(count_kept(company.folder)) == {0}
    assert sum(count_aside(company.folder).values()) == 1


@pytest.mark.parametrize("there", [True, False], ids=["full disk", "no writer"])
def test_what_is_not_written_is_said_and_moves_no_cursor(
    company: Company, journal: Journal, tmp_path: Path, there: bool
) -> None:
    writer = Writer(company, tmp_path / "w.sock")
    if there:
        writer.fault = "disk_full"
        writer.start()
    else:
        writer.socket.close()
    port = make_port(company, journal, tmp_path / "w.sock")
    with pytest.raises(ParcoursError) as told:
        port.deliver(encode(0), b"here")
    assert told.value.code == "not_written"
    assert (port.cursor(), journal.last_batch_no()) == (None, 0)
    writer.socket.close()


def test_it_waits_no_longer_than_until_it_should_stop(company: Company, journal: Journal, tmp_path: Path) -> None:
    stopping = threading.Event()
    asked: list[str] = []
    sealer = Sealer(company.know.hour_key)
    port = JournalPort("web", "rows", sealer, tmp_path / "w.sock", journal, asked.append, stopping)
    assert (port.stopping(), port.wait(0.01)) == (False, False)
    stopping.set()
    assert (port.stopping(), port.wait(60)) == (True, True)
    port.reload()
    assert asked == ["web"]


def test_parcels_leave_the_outbox_open_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "whsec_" + "a" * 32)
    folder = tmp_path / "shop"
    (folder / "destinations").mkdir(parents=True)
    (folder / "destinations/partner.yaml").write_text(PARTNER, "utf-8")
    company = make_company(folder, PERSONALISE, sources=(WEB,))
    deliver(company, *(make_event(4 * n + 1, f"C{n}", n != 1) for n in range(4)))
    take_over(company)
    table = read_outbox(folder)
    outbox = SealedOutbox(table, company.know.door(), SendGate(company).judge)
    parcels = outbox.take("partner", 10)
    assert [json.loads(one.body)["userId"] for one in parcels] == ["C0", "C2", "C3"]
    assert all(b"userId" not in one.body for _, one in table.take("partner", 10))
    assert outbox.waiting("partner")[0] == 3
    outbox.done("partner", parcels[0].number)
    too_large = Fault("too_large", Words(fr="Trop.", en="Too much."), Words(fr="…", en="…"))
    outbox.refuse("partner", parcels[1].number, too_large)
    assert [one.number for one in outbox.take("partner", 10)] == [parcels[2].number]
    assert table.carried() == {("partner", "delivered", ""): 1, ("partner", "refused", "too_large"): 1}
    table.close()
