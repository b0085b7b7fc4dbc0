"""Servers that are not there, hang, stop half-way or speak something else: each is told in its own words."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.collect.conform.listening import Quiet, listen, listen_raw, read_request
from tests.collect.conform.strict import KEY, Kept, Strict

from parcours.collect.conform import Asked, Report, conform
from parcours.collect.conform.client import Connection, Request, exchange
from parcours.collect.conform.target import read_target
from parcours.errors import ParcoursError
from parcours.progress import Silent

POST = Request("POST", "/v1/track", (), b"{}")


def hang(connection: socket.socket) -> None:
    """Read, and never answer."""
    while connection.recv(65_536):
        pass


def drip(connection: socket.socket) -> None:
    """Answer a letter at a time, without an end."""
    read_request(connection)
    while True:
        connection.sendall(b"H")
        time.sleep(0.01)


def answer_with(*pieces: bytes) -> Callable[[socket.socket], None]:
    """Return what reads a request, writes pieces and closes."""

    def talk(connection: socket.socket) -> None:
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)

    return talk


@pytest.mark.parametrize(
    ("talk", "trouble", "status"),
    [
        (hang, "timeout", 0),
        (drip, "timeout", 0),
        (answer_with(), "closed", 0),
        (answer_with(b"SSH-2.0-OpenSSH_9.6\r\n"), "garbled", 0),
        (answer_with(b"\x00\x01\x02\x03" * 50), "garbled", 0),
        (answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), "cut", 200),
        (answer_with(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal"), "cut", 200),
        (answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhalf"), "garbled", 200),
        (answer_with(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 5_000_000), "endless", 200),
        (answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), None, 200),
        (answer_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), None, 200),
        (answer_with(b"HTTP/1.0 200 OK\r\n\r\nuntil the end"), None, 200),
    ],
)
def test_what_comes_instead_of_an_answer_has_a_name(
    talk: Callable[[socket.socket], None], trouble: str | None, status: int
) -> None:
    with listen_raw(talk) as url:
        answer = exchange(read_target(url), POST, 0.5)
    assert (answer.trouble, answer.status) == (trouble, status)


def test_an_answer_that_comes_before_the_body_was_read_is_still_read() -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with listen_raw(refuse) as url:
        answer = exchange(read_target(url), Request("POST", "/v1/batch", (), b" " * 2_000_000), 5)
    assert answer.status == 413


def test_two_answers_are_read_from_one_connection_in_order() -> None:
    both = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 400 No\r\nContent-Length: 3\r\n\r\ntwo"
    with listen_raw(answer_with(both)) as url, Connection(read_target(url), 5) as connection:
        connection.write(POST.render(read_target(url)))
        assert [(answer.status, answer.body) for answer in (connection.read(), connection.read())] == [
            (200, b"one"),
            (400, b"two"),
        ]


def refused_with(url: str, **asked: object) -> ParcoursError:
    """Return the error with which the suite refuses an address."""
    with pytest.raises(ParcoursError) as caught:
        conform(Asked(url=url, **({"write_key": KEY, "timeout_s": 0.3} | asked)), Silent())  # type: ignore[arg-type]
    fault = caught.value.faults[0]
    for words in (fault.sentence, fault.remedy):
        assert words.fr.endswith((".", "`"))
        assert words.en.endswith((".", "`"))
        assert "{" not in words.en.replace('{"events": []}', "")
    return caught.value


@pytest.mark.parametrize(
    ("talk", "code"),
    [
        (hang, "server_timeout"),
        (drip, "server_timeout"),
        (answer_with(), "server_closed"),
        (answer_with(b"SSH-2.0-OpenSSH_9.6\r\n"), "server_garbled"),
    ],
)
def test_what_cannot_be_tested_is_one_sentence_with_a_remedy(talk: Callable[[socket.socket], None], code: str) -> None:
    with listen_raw(talk) as url:
        assert refused_with(url).code == code


def test_nobody_there_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert refused_with(f"http://127.0.0.1:{port}").code == "server_refused"
    assert refused_with("http://no-such-host.invalid").code == "server_unresolved"


def test_https_at_a_plain_port_is_one_sentence() -> None:
    with listen(Strict, kept=Kept()) as (url, _):
        assert refused_with(url.replace("http://", "https://"), timeout_s=5.0).code == "server_tls"


def run(url: str, **asked: object) -> Report:
    return conform(Asked(url=url, **({"write_key": KEY, "timeout_s": 0.3} | asked)), Silent())  # type: ignore[arg-type]


def test_a_server_that_always_stops_half_way_passes_nothing() -> None:
    with listen_raw(answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")) as url:
        report = run(url)
    assert {line.verdict for line in report.rules} == {"fail", "skip"}
    assert report.passed == 0
    assert not report.conforms
    assert {line.came.en for line in report.rules if line.section == "sizes"} == {
        "POST /v1/track → 200, answer cut short", "POST /v1/t → 200, answer cut short",
        "POST /v1/batch → 200, answer cut short",
    }  # fmt: skip


class Dies(Strict):
    """Strict for a while, then silent."""

    left = 6

    def do_POST(self) -> None:
        type(self).left -= 1
        if type(self).left < 0:
            time.sleep(2)
            return
        super().do_POST()


def test_when_it_goes_silent_the_rest_is_skipped_with_the_reason() -> None:
    with listen(type("DiesOnce", (Dies,), {"left": 6}), kept=Kept()) as (url, _):
        report = run(url)
    verdicts = [line.verdict for line in report.rules]
    assert verdicts[:8] == ["pass"] * 5 + ["fail"] * 3
    assert set(verdicts[8:]) == {"skip"}
    assert "has not answered since routes.i" in report.rules[8].reason.en
    assert not report.conforms


class SilentPreflights(Strict):
    """Strict, but never answers a preflight."""

    def do_OPTIONS(self) -> None:
        time.sleep(1)
        self.close_connection = True


def test_one_route_that_hangs_does_not_stop_the_rest() -> None:
    with listen(SilentPreflights, kept=Kept()) as (url, _):
        report = run(url, sections=("cors", "wire"), timeout_s=0.1)
    failing = {line.id for line in report.rules if line.verdict == "fail"}
    assert failing == {
        "cors.calls", "cors.browser", "cors.settings", "cors.pixel", "cors.aliases", "cors.allow_authorization",
        "cors.allow_content_type", "cors.allow_retry_count",
    }  # fmt: skip
    assert all(line.verdict == "pass" for line in report.rules if line.id not in failing)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return path


@pytest.fixture
def secure(certificate: Path) -> Iterator[str]:
    """The address of the strict server behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Secure(Quiet):
        def finish_request(self, request: object, client_address: object) -> None:
            wrapped = context.wrap_socket(request, server_side=True)  # type: ignore[arg-type]
            super().finish_request(wrapped, client_address)  # type: ignore[arg-type]

    from tests.collect.conform import listening

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listening, "Quiet", Secure)
        with listen(Strict, kept=Kept()) as (url, _):
            yield url.replace("http://", "https://")


def test_https_is_spoken_to_a_server_that_is_trusted_and_to_no_other(
    secure: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refused_with(secure, timeout_s=5.0).code == "server_tls"
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    report = run(secure, sections=("routes", "sizes", "wire"), timeout_s=10.0)
    assert [(line.id, line.came.en, line.exchanges) for line in report.rules if line.verdict == "fail"] == []
    assert report.conforms


def test_http_at_a_tls_port_is_one_sentence(secure: str) -> None:
    error = refused_with(secure.replace("https://", "http://"), timeout_s=5.0)
    assert error.code == "server_closed"
    assert "https://" in error.faults[0].remedy.en
