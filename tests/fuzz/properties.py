"""What must hold for any bytes at all: batches, pixel data and CSV files, each with a second opinion."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.collect.signals.writing import write_tcf

from parcours.collect import csv_file
from parcours.collect.compaction.splitting import split
from parcours.collect.csv_file import CsvRows
from parcours.collect.http.envelope import RefusedBodyError, inflate, mend_surrogates, read_envelope, read_pixel_data
from parcours.collect.journal.delivery import Delivery
from parcours.collect.signals.bits import UndecodableError
from parcours.collect.signals.consent_mode import decode_consent_mode
from parcours.collect.signals.tcf import decode_tcf
from parcours.collect.source import Csv
from parcours.errors import ParcoursError
from parcours.know.identity.identifiers import IDENTIFIERS, Spelling, UnusableError, normaliser

MOST_BYTES = 4096
SPELLINGS = (Spelling(), Spelling("FR", frozenset({"caisse@maison.fr"})))
_UNSURE = object()
"""What the second opinion says where it cannot tell: JSON nested more deeply than the standard library reads."""


def check_batch(data: bytes) -> None:
    """A batch is accepted exactly if it is JSON with an array of events, and then each event is found again."""
    try:
        body = inflate(data, b"", MOST_BYTES)
    except RefusedBodyError:
        return
    try:
        events = read_envelope("batch", body, 0).events
    except RefusedBodyError:
        assert not isinstance(read_events(body, "strict"), list), "refused, though it is a batch"
        return
    expected = read_events(body, "replace")
    if expected is _UNSURE:
        return
    assert isinstance(expected, list), "accepted, though it is none"
    assert events == len(expected)
    parts = split(Delivery("web", "batch", 0, "", body))
    assert parts is not None
    assert len(parts.items) == events


def read_events(body: bytes, errors: str) -> object:
    """Return the events as the standard library reads them; nothing for what is no batch."""
    try:
        read = json.loads(body.decode("utf-8", errors), parse_constant=_refuse, parse_int=str)
    except RecursionError:
        return _UNSURE
    except ValueError:
        return None
    batch = read.get("batch") if isinstance(read, dict) else None
    return batch if isinstance(batch, list) else None


def _refuse(constant: str) -> object:
    raise ValueError(constant)


def check_pixel(data: bytes) -> None:
    """Pixel data is JSON of one event, or refused; mending half characters changes nothing else."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        body = read_pixel_data(text)
        assert read_envelope("track", body, 0).events == 1
    except RefusedBodyError:
        return
    mended = mend_surrogates(body)
    if mended is not None:
        assert mend_surrogates(mended) is None
        assert len(mended) == len(body)


def check_csv(data: bytes) -> None:
    """A CSV file reads the same in blocks of any size, and each of its records is good or bad, never both."""
    if not data:
        return
    block, delimiter, text = 1 + data[0] % 40, csv_file.DELIMITERS[data[0] // 64], data[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzzed.csv"
        path.write_bytes(text)
        try:
            whole = _read_csv(path, delimiter, csv_file.BLOCK_BYTES)
        except ParcoursError:
            if not text.startswith(b"\x1f\x8b"):
                raise
            return
        parts = _read_csv(path, delimiter, block)
    assert parts == whole, f"in blocks of {block}: {parts}, whole: {whole}"
    good, bad = whole
    both = {line for line, _ in good} & {line for line, _, _ in bad}
    assert not both, f"good and bad: {both}"


Read = tuple[list[tuple[int, tuple[str | None, ...]]], list[tuple[int, str, bytes]]]


def _read_csv(path: Path, delimiter: str, block_bytes: int) -> Read:
    names = ("a", "b", "c")
    good: list[tuple[int, tuple[str | None, ...]]] = []
    bad: list[tuple[int, str, bytes]] = []
    before, csv_file.BLOCK_BYTES = csv_file.BLOCK_BYTES, block_bytes
    try:
        for rows in CsvRows(path, Csv(delimiter=delimiter, header=names), names).batches(names):
            columns = [rows.columns[name].to_pylist() for name in names]
            good += zip(rows.lines.tolist(), zip(*columns, strict=True), strict=True)
            bad += [(row.line, row.code, row.original) for row in rows.bad]
    finally:
        csv_file.BLOCK_BYTES = before
    return good, bad


def check_tcf(data: bytes) -> None:
    """A TCF string is refused with a reason, or says exactly what its bits do: written anew it reads the same."""
    text = data.decode("latin-1")
    try:
        found = decode_tcf(text)
    except UndecodableError:
        return
    again = write_tcf(found)
    assert decode_tcf(again) == found
    # Nothing but padding, the form of vendor lists and bit 139, which nobody reads, may differ: the core begins alike.
    assert again[:23] == text[:23]


def check_consent_mode(data: bytes) -> None:
    """Consent Mode is refused, or granted only where the text says so."""
    text = data.decode("utf-8", "replace")
    try:
        found = decode_consent_mode(text)
    except UndecodableError:
        return
    assert found
    assert text.count("granted") >= sum(found.values()) or "\\u" in text


def check_identifier(data: bytes) -> None:
    """An identifier is refused, names nobody, or has a normal form that is its own, whatever its type."""
    text = data.decode("utf-8", "replace")
    for kind in IDENTIFIERS:
        for spelling in SPELLINGS:
            normalise = normaliser(kind, spelling)
            try:
                form = normalise(text)
            except UnusableError:
                continue
            if form is not None:
                assert form
                assert normalise(form) == form, "the normal form of a normal form is another"
                assert normalise(f"  {text}\u00a0") == form, "blanks around it make another of it"


PROPERTIES: dict[str, Callable[[bytes], None]] = {
    "batch": check_batch,
    "identifier": check_identifier,
    "pixel": check_pixel,
    "csv": check_csv,
    "tcf": check_tcf,
    "consent_mode": check_consent_mode,
}

SEEDS: dict[str, tuple[bytes, ...]] = {
    "identifier": (
        b"Claire.Martin+x@Maison-Riviere.FR",
        b"06 12 34 56 78",
        b"+33 (0)6.12.34.56.78",
        b"1 85 05 78 006 084 36",
        b"6F9619FF-8B86-D011-B42D-00C04FC964FF",
        b"undefined",
        b"0000-000",
        "\ufdfa\u212b \uff23\u0332@\u00e9.fr".encode(),
    ),
    "batch": (
        b'{"batch":[{"type":"track","event":"x","userId":"u","properties":{"n":-1.5e3}}],"sentAt":null,"writeKey":"k"}',
        b'{"writeKey":"***","batch":[[],"\\ud83d",null,true,{"a":{"b":["\\u00e9\\n"]}}]}',
        '{"batch":[{"é":"\U0001f9ed"},{}],"context":{"consent":{}}}'.encode(),
    ),
    "pixel": (b"eyJldmVudCI6IngifQ==", b"eyJldmVudCI6Ij8-In0", b'{"event":"\\ud83d x"}', b"e30 "),
    "csv": (
        b'\x05a,b,c\n1,"x\n""y""",3\r\n',
        b"\x47;;;\n;\n\0;a;b\n",
        b'\x91"open\tb\n1\t2\t3\n',
        b"\xd0\xff|\xe9|c\r1|2|3",
    ),
    "tcf": (
        b"",
        b"AAAA",
        b"CQgYw8AQgYw8AAfAHBFRCWFoAOAAAEIAAAqIAHgAAAAAAgAB.IAAgAA",
        b"COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA",
        b"COtybn4PA_zT4KjACBENAPCIAEBAAECAAIAAAAAAAAAA.YAAAAAAAAAA.IBAgAAAgAIAwgAgAAAAEAAAACA",
    ),
    "consent_mode": (
        b'{"ad_storage":"granted","analytics_storage":"denied"}',
        b"ad_storage=granted; ad_user_data=denied",
        b"ad_storage=granted,ad_storage=granted",
    ),
}
