"""Malformed input: what is no JSON gets a 400, what is odd JSON gets anything but a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import BAD_REQUEST, UNBROKEN, ask
from parcours.collect.conform.rule import EVERY, SERVERS, Rule
from parcours.collect.conform.run import Run
from parcours.words import Words

DEEP = 50_000


def raw(run: Run, text: bytes) -> Request:
    """A body as given, with the key in a header."""
    return run.home(text)


def spoilt(run: Run, properties: bytes, **fields: object) -> Request:
    """An event whose ``properties`` are the given text, which no encoder would write."""
    whole = msgspec.json.encode(run.event(properties=..., **fields))
    return run.home(whole[:-1] + b',"properties":' + properties + b"}")


def send_no_objects(run: Run) -> Iterator[Request]:
    """JSON that is no object."""
    for text in (b"[1,2]", b'"text"', b"null", b"42", b"true"):
        yield run.post("/v1/track", text)


def send_no_batches(run: Run) -> Iterator[Request]:
    """Envelopes whose ``batch`` is no list, or is not there."""
    envelopes: list[dict[str, Any]] = [{"batch": {}}, {"batch": "text"}, {"batch": None}, {"batch": 7}, {}]
    for document in envelopes:
        yield run.post("/v1/batch", document)


def send_nesting(run: Run) -> Iterator[Request]:
    """Depth that overflows a recursive reader: bare, within properties, in a batch, never closed."""
    yield raw(run, b"[" * DEEP + b"]" * DEEP)
    yield raw(run, b"[" * DEEP)
    yield spoilt(run, b"[" * 12_000 + b"]" * 12_000)
    yield spoilt(run, b'{"a":' * 4_000 + b"1" + b"}" * 4_000)
    yield run.post("/v1/batch", b'{"batch":[' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"]}")


def send_encodings(run: Run) -> Iterator[Request]:
    """Bytes that are no UTF-8, and text in UTF-16."""
    yield spoilt(run, b'{"text":"\xff\xfe\xc3\x28"}')
    yield raw(run, msgspec.json.encode(run.event()).decode().encode("utf-16"))


def send_numbers(run: Run) -> Iterator[Request]:
    """Numbers beyond any type: a double that overflows, an integer of 5,000 digits, a minus zero."""
    for text in (b"1e400", b"-0", b"9" * 5000, b"1" + b"0" * 20, b"0.1e-999"):
        yield spoilt(run, b'{"value":' + text + b"}")


def send_wrong_types(run: Run) -> Iterator[Request]:
    """Every field with something else than it should hold."""
    wrong: tuple[Any, ...] = ({}, [], 7, True, "text")
    for value in wrong:
        fields = dict.fromkeys(("event", "userId", "properties", "context", "integrations", "type"), value)
        yield run.home(run.event(**fields))
    yield run.home(run.event(messageId={"a": 1}, anonymousId=[1], timestamp={}, sentAt=[]))
    yield run.post("/v1/batch", run.batch(run.event(), context=[], integrations="no", sentAt={}))


def odd(name: str, sent: Words, *texts: bytes) -> Rule:
    """Return the rule that properties as given do not break the server."""
    return ask(f"malformed.{name}", sent, cited.OWN, lambda run: (spoilt(run, text) for text in texts), UNBROKEN, EVERY)


RULES = (
    ask("malformed.json", Words("du JSON inachevé, du texte", "unfinished JSON, text"), cited.HTTP_API,
        lambda run: (raw(run, b'{"type": "track", "event": '), raw(run, b"event=Synthetic&userId=1")), BAD_REQUEST,
        EVERY),
    ask("malformed.empty", Words("un corps vide", "an empty body"), cited.HTTP_API, lambda run: raw(run, b""),
        BAD_REQUEST, EVERY),
    ask("malformed.no_object", Words("une liste, un texte, null, un nombre", "a list, a text, null, a number"),
        cited.HTTP_API, send_no_objects, BAD_REQUEST, SERVERS),
    ask("malformed.no_batch", Words("batch absent, null, objet, texte", "batch absent, null, an object, a text"),
        cited.HTTP_API, send_no_batches, BAD_REQUEST, SERVERS),
    ask("malformed.trailing", Words("un objet suivi d'autre chose", "an object followed by something else"),
        cited.HTTP_API, lambda run: raw(run, msgspec.json.encode(run.event()) + b"{}"), BAD_REQUEST, SERVERS),
    odd("nan", Words("NaN, Infinity, -Infinity", "NaN, Infinity, -Infinity"), b'{"v":NaN}', b'{"v":Infinity}',
        b'{"v":-Infinity}'),
    odd("duplicate_keys", Words("des clés répétées", "repeated keys"), b'{"a":1,"a":2}', b'{"a":1},"event":"Twice"',
        b'{},"batch":[],"batch":{}'),
    odd("surrogate", Words("une moitié de paire \\ud800", "half a pair \\ud800"), b'{"text":"\\ud800"}',
        b'{"\\udc00":"\\udc00\\ud800"}'),
    odd("nul", Words("\\u0000, puis l'octet nul", "\\u0000, then the byte NUL"), b'{"text":"a\\u0000b"}',
        b'{"text":"a\x00b"}', b'{"a\\u0000b":1}'),
    odd("control", Words("caractères de contrôle et BOM", "control characters and a BOM"), b'{"text":"\x01\x1f"}',
        b'{"text":"\xef\xbb\xbf"}'),
    odd("prototype", Words("__proto__, constructor", "__proto__, constructor"),
        b'{"__proto__":{"a":1},"constructor":{"prototype":1}}', b'{"":{"":{"":1}}}'),
    ask("malformed.bom", Words("un BOM devant le JSON", "a BOM before the JSON"), "RFC 8259 (JSON)",
        lambda run: raw(run, b"\xef\xbb\xbf" + msgspec.json.encode(run.event())), UNBROKEN, EVERY),
    ask("malformed.nesting", Words(f"{DEEP} niveaux, fermés ou non", f"{DEEP} levels, closed or not"), cited.OWN,
        send_nesting, UNBROKEN, EVERY),
    ask("malformed.encoding", Words("des octets hors UTF-8, de l'UTF-16", "bytes that are no UTF-8, UTF-16"),
        cited.OWN, send_encodings, UNBROKEN, EVERY),
    ask("malformed.numbers", Words("1e400, un entier de 5 000 chiffres", "1e400, an integer of 5,000 digits"),
        cited.OWN, send_numbers, UNBROKEN, EVERY),
    ask("malformed.types", Words("chaque champ avec un autre type", "every field with another type"), cited.OWN,
        send_wrong_types, UNBROKEN, EVERY),
    ask("malformed.empty_batch", Words("un lot vide", "an empty batch"), cited.OWN,
        lambda run: run.post("/v1/batch", run.batch()), UNBROKEN, EVERY),
)  # fmt: skip
"""In the order in which they run."""
