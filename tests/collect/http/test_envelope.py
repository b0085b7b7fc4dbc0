"""The outside of a body: inflated within bounds, counted, and never believed further than it was read."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.collect.http.envelope import (
    RefusedBodyError,
    inflate,
    mend_surrogates,
    read_envelope,
    read_pixel_data,
)

SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    SCALARS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def code_of(read: Callable[[], object]) -> str:
    """Return the code that ``read`` is refused with, or nothing."""
    try:
        read()
    except RefusedBodyError as refused:
        return refused.code
    return ""


@given(batch=st.lists(JSON, max_size=20), key=JSON)
def test_a_batch_is_counted_whatever_stands_in_it(batch: list[object], key: object) -> None:
    body = json.dumps({"batch": batch, "writeKey": key}).encode()
    envelope = read_envelope("batch", body, 0)
    assert envelope.events == len(batch)
    assert envelope.write_key == key or isinstance(key, float | int)


@given(event=st.dictionaries(st.text(max_size=8).filter("writeKey".__ne__), JSON, max_size=5))
def test_an_event_counts_as_one(event: dict[str, object]) -> None:
    body = json.dumps(event, ensure_ascii=False).encode("utf-8", "replace")
    assert read_envelope("track", body, 0).events == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for kind in ("batch", "track"):
        assert code_of(lambda kind=kind: read_envelope(kind, body, 0)) in ("", "invalid_json", "invalid_request")


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=30))
def test_half_characters_are_mended_for_our_eyes_alone(text: str) -> None:
    body = json.dumps({"event": text}).encode()
    assert read_envelope("track", body, 0).events == 1
    mended = mend_surrogates(body)
    try:
        text.encode("utf-8")
        whole = True
    except UnicodeEncodeError:
        whole = False
    # `json` joins halves that stand side by side; so does the sentence of the standard.
    if whole:
        assert mended is None
    else:
        read = msgspec.json.decode(body if mended is None else mended)["event"]
        assert read == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def test_sizes_are_only_taken_where_one_could_be_too_large() -> None:
    assert read_envelope("track", b'{"a":1}', 7).largest_bytes == 0
    assert read_envelope("track", b'{"a":1}', 6).largest_bytes == 7


@given(st.binary(max_size=2000), st.sampled_from([b"gzip", b"x-gzip", b"deflate"]))
def test_what_is_packed_is_unpacked(data: bytes, encoding: bytes) -> None:
    packed = zlib.compress(data) if encoding == b"deflate" else gzip.compress(data)
    if encoding == b"deflate" and packed[:2] == b"\x1f\x8b":
        return
    assert inflate(packed, encoding, 2000) == data


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=10))
def test_pieces_that_were_packed_apart_are_joined(pieces: list[bytes]) -> None:
    assert inflate(b"".join(map(gzip.compress, pieces)), b"gzip", 500) == b"".join(pieces)


@pytest.mark.parametrize("size", [100, 101, 10_000_000])
def test_the_inflated_size_is_what_counts(size: int) -> None:
    packed = gzip.compress(bytes(size))
    if size == 100:
        assert inflate(packed, b"", 100) == bytes(100)
        return
    with pytest.raises(RefusedBodyError) as refused:
        inflate(packed, b"", 100)
    assert refused.value.code == "body_too_large"


@given(st.binary(max_size=200))
def test_any_bytes_unpack_or_are_refused(data: bytes) -> None:
    for encoding in (b"gzip", b"deflate"):
        code = code_of(lambda encoding=encoding: inflate(data, encoding, 1000))
        assert code in ("invalid_encoding", "body_too_large") or len(inflate(data, encoding, 1000)) <= 1000


def test_a_packed_body_cut_anywhere_is_refused() -> None:
    packed = gzip.compress(b'{"event":"Product Viewed"}')
    for length in range(2, len(packed)):
        with pytest.raises(RefusedBodyError):
            inflate(packed[:length], b"gzip", 1000)


@given(st.binary(max_size=100))
def test_pixel_data_in_either_alphabet_with_or_without_padding(data: bytes) -> None:
    if data.strip().startswith(b"{"):
        return
    standard, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    for coded in (standard, safe, standard.rstrip("="), safe.rstrip("="), standard.replace("+", " ")):
        if not coded.startswith(" ") and not coded.endswith(" "):
            assert read_pixel_data(coded) == data


@given(st.text(max_size=60))
def test_any_text_is_pixel_data_or_refused(text: str) -> None:
    assert code_of(lambda: read_pixel_data(text)) in ("", "invalid_json")
