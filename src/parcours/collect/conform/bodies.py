"""Bodies: labels that do not matter, compression with its dangers, fields that must be let through."""

from __future__ import annotations

import gzip
import zlib
from functools import cache

from parcours.collect.conform import cited
from parcours.collect.conform.client import Request
from parcours.collect.conform.expect import BAD_REQUEST, REFUSED, ask
from parcours.collect.conform.rule import EVERY, SERVERS
from parcours.collect.conform.run import Run, zipped
from parcours.words import Words

FORM = "application/x-www-form-urlencoded"
BOMB_MB = 64


def labelled(run: Run, type: str | None) -> Request:
    """An event whose body is JSON whatever its label says."""
    return run.home(run.event(), type=type)


def send_zipped_batch(run: Run, type: str | None = None) -> Request:
    """A gzipped envelope."""
    return zipped(run.post("/v1/batch", run.batch(run.event(), run.event("page"))), type)


def send_cut_gzip(run: Run) -> Request:
    """A gzipped envelope without its second half."""
    request = send_zipped_batch(run)
    body = request.body or b""
    return Request(request.method, request.path, request.headers, body[: len(body) // 2])


def send_false_gzip(run: Run) -> Request:
    """An envelope labelled as gzip that is none."""
    return run.post("/v1/batch", run.batch(run.event())).adding(("Content-Encoding", "gzip"))


@cache
def make_bomb() -> bytes:
    """Return a batch that inflates to 64 MB of spaces: valid JSON, a thousandth of that on the wire."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(b'{"batch":[{"type":"track","context":{"synthetic":true},"event":"')]
    spaces = b" " * 1_000_000
    parts += [packer.compress(spaces) for _ in range(BOMB_MB)]
    parts += [packer.compress(b'"}]}'), packer.flush()]
    return b"".join(parts)


def send_bomb(run: Run) -> Request:
    """A small body that would fill the server's memory."""
    return run.post("/v1/batch", make_bomb()).adding(("Content-Encoding", "gzip"))


def send_many_members(run: Run) -> Request:
    """A gzipped event in two members, as concatenated by a proxy; one file to RFC 1952."""
    request = run.post("/v1/track", run.event())
    body = request.body or b""
    packed = gzip.compress(body[:20]) + gzip.compress(body[20:])
    return Request(request.method, request.path, request.headers, packed).adding(("Content-Encoding", "gzip"))


def send_unknown_encoding(run: Run) -> Request:
    """A body in a coding that nobody knows."""
    return run.home(b"\x01\x02\x03").adding(("Content-Encoding", "conform-none"))


def send_unicode(run: Run) -> Request:
    """Text in several scripts, with an emoji beyond the first plane."""
    text = "Parcours client · 客户旅程 · رحلة العميل · 🧭"
    return run.home(run.event(event=text, properties={text: text, "synthetic": True}))


def send_unknown_fields(run: Run) -> Request:
    """Fields that clients add and that the contract does not name."""
    extra = {
        "_metadata": {"nodeVersion": "20.0.0"},
        "channel": "server",
        "rudderId": "synthetic",
        "invented": [1, None],
    }
    return run.home(run.event(version=2, **extra))


def send_switches(run: Run) -> Request:
    """``integrations`` as SDKs send it, on the envelope and on an event."""
    switches = {"All": False, "Salesforce": True, "Amplitude": {"session_id": 1}}
    return run.post("/v1/batch", run.batch(run.event(integrations=switches), integrations={"All": True}))


RULES = (
    ask("bodies.text", Words("du JSON en text/plain", "JSON labelled text/plain"), cited.BROWSER,
        lambda run: labelled(run, "text/plain;charset=UTF-8"), profiles=EVERY),
    ask("bodies.no_type", Words("sans Content-Type", "no Content-Type"), cited.OWN,
        lambda run: labelled(run, None), profiles=EVERY),
    ask("bodies.form", Words(f"du JSON en {FORM}", f"JSON labelled {FORM}"), cited.OWN,
        lambda run: labelled(run, FORM), profiles=EVERY),
    ask("bodies.odd_type", Words("Content-Type: application/octet-stream, puis « rien »",
                                 "Content-Type: application/octet-stream, then “nothing”"), cited.OWN,
        lambda run: (labelled(run, "application/octet-stream"), labelled(run, "nothing")), profiles=EVERY),
    ask("bodies.gzip", Words("un lot en gzip, application/json", "a batch in gzip, application/json"), cited.PYTHON,
        send_zipped_batch, profiles=SERVERS),
    ask("bodies.gzip_form", Words(f"un lot en gzip, étiqueté {FORM}", f"a batch in gzip, labelled {FORM}"),
        cited.RUDDER_NODE, lambda run: send_zipped_batch(run, FORM), profiles=SERVERS),
    ask("bodies.gzip_upper", Words("Content-Encoding: GZIP, en majuscules", "Content-Encoding: GZIP, in capitals"),
        cited.http("8.4.1"), lambda run: send_zipped_batch(run).adding(("Content-Encoding", "GZIP")), profiles=SERVERS,
        level="advised"),
    ask("bodies.gzip_members", Words("gzip en deux membres", "gzip in two members"), "RFC 1952 (gzip)",
        send_many_members, profiles=SERVERS, level="advised"),
    ask("bodies.gzip_cut", Words("gzip coupé à la moitié", "gzip cut in half"), cited.OWN,
        send_cut_gzip, BAD_REQUEST, SERVERS),
    ask("bodies.gzip_false", Words("dit gzip, mais n'en est pas", "says gzip but is not"), cited.OWN,
        send_false_gzip, BAD_REQUEST, SERVERS),
    ask("bodies.gzip_bomb", Words(f"gzip de {BOMB_MB} Mo d'espaces", f"gzip of {BOMB_MB} MB of spaces"), cited.OWN,
        send_bomb, REFUSED, SERVERS),
    ask("bodies.unknown_encoding", Words("Content-Encoding: conform-none", "Content-Encoding: conform-none"),
        cited.http("15.5.16"), send_unknown_encoding, REFUSED, EVERY),
    ask("bodies.unicode", Words("des textes en quatre écritures", "text in four scripts"), cited.OWN,
        send_unicode, profiles=EVERY),
    ask("bodies.unknown_fields", Words("des champs inconnus", "unknown fields"), cited.NODE,
        send_unknown_fields, profiles=EVERY),
    ask("bodies.integrations", Words("integrations, sur l'enveloppe et sur l'événement",
                                     "integrations, on the envelope and on the event"), cited.COMMON,
        send_switches, profiles=SERVERS),
)  # fmt: skip
"""In the order in which they run."""
