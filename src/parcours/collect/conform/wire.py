"""The wire: methods, framing and connections as odd clients, proxies and lost networks make them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from parcours.collect.conform import cited
from parcours.collect.conform.client import Answer, Connection, Request
from parcours.collect.conform.describe import describe
from parcours.collect.conform.expect import ACCEPTED, NO_SUCH_METHOD, REFUSED, Expectation, ask, judge
from parcours.collect.conform.rule import EVERY, Level, Outcome, Rule, decide, failed, passed, same
from parcours.collect.conform.run import Run
from parcours.words import Words

PAUSE_S = 0.02
EXPECT_S = 1.0
"""How long a client that said ``Expect: 100-continue`` waits before it sends its body all the same."""
CLAIMED_BYTES = 4_294_967_296
CROWD = 20

REFUSED_OR_CLOSED = Expectation(
    Words("un refus en 4xx, ou la connexion fermée", "a 4xx refusal, or the connection closed"),
    lambda answer: answer.trouble == "closed" or REFUSED.holds(answer),
)
STILL_SERVED = Words("4xx ou fermeture ; le client suivant est servi", "4xx or closed; the next client is served")


def talk(run: Run, told: str, *pieces: bytes, stops: bool = False) -> Answer:
    """Send pieces with a pause between, perhaps say that there are no more, and read one answer."""
    try:
        with run.connect() as connection:
            for number, piece in enumerate(pieces):
                if number:
                    time.sleep(PAUSE_S)
                connection.write(piece)
            if stops:
                connection.stop_writing()
            return run.keep(told, connection.read())
    except OSError as fault:
        return run.lost(told, fault)


def wire_rule(name: str, sent: Words, check: Callable[[Run], Outcome], source: str,
              contract: Words = ACCEPTED.words, advised: bool = False) -> Rule:  # fmt: skip
    """Return a rule of this section; all of them hold for every profile."""
    level: Level = "advised" if advised else "required"
    return Rule(
        id=f"wire.{name}", sent=sent, contract=contract, source=source, check=check, profiles=EVERY, level=level
    )


def check_chunked(run: Run) -> Outcome:
    """A body of unknown length, in three chunks."""
    body = run.home(run.event()).body or b""
    head = Request("POST", run.home(b"").path, (*run.home(b"").headers, ("Transfer-Encoding", "chunked")))
    third = len(body) // 3
    chunks = [body[:third], body[third : 2 * third], body[2 * third :], b""]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return judge(talk(run, "POST, chunked", head.render(run.target) + framed), ACCEPTED)


def check_bad_chunk(run: Run) -> Outcome:
    """A chunk whose length is no number."""
    head = Request("POST", run.home(b"").path, (*run.home(b"").headers, ("Transfer-Encoding", "chunked")))
    answer = talk(run, "POST, bad chunk", head.render(run.target) + b"zz\r\n{}\r\n0\r\n\r\n", stops=True)
    return judge(answer, REFUSED_OR_CLOSED)


def check_expect(run: Run) -> Outcome:
    """A client that waits to be told to go on, and goes on when it is not."""
    request = run.home(run.event()).adding(("Expect", "100-continue"))
    whole = request.render(run.target)
    body = request.body or b""
    try:
        with run.connect() as connection:
            connection.write(whole[: -len(body)])
            first = connection.peek(EXPECT_S)
            connection.write(body)
            answer = run.keep("POST, Expect: 100-continue", connection.read())
    except OSError as fault:
        answer = run.lost("POST, Expect: 100-continue", fault)
        first = b""
    told = describe(answer)
    before = Words("100, puis ", "100, then ") if b" 100" in first else Words("sans 100, ", "no 100, ")
    return decide(ACCEPTED.holds(answer), Words(f"{before.fr}{told.fr}", f"{before.en}{told.en}"))


def spell_names(spell: Callable[[str], str]) -> Callable[[Run], Outcome]:
    """Return a check with header names spelt another way, and no space after the colon."""

    def check(run: Run) -> Outcome:
        head, _, body = run.home(run.event()).render(run.target).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        spelt = "\r\n".join([first, *(f"{spell(name)}:{value}" for name, value in pairs), "", ""])
        return judge(talk(run, "POST, header names spelt otherwise", spelt.encode("latin-1") + body), ACCEPTED)

    return check


def check_half_body(run: Run) -> Outcome:
    """Half a body, then silence: never a 200, and the next client is served."""
    request = run.home(run.event())
    whole = request.render(run.target)
    answer = talk(run, "POST, half a body", whole[: -(len(request.body or b"") // 2)], stops=True)
    return judge_then_alive(run, answer)


def check_claimed(run: Run) -> Outcome:
    """A body of 4 GB is announced, a kilobyte of it comes."""
    request = run.home(b"").adding(("Content-Length", str(CLAIMED_BYTES)))
    answer = talk(run, "POST, 4 GB announced", request.render(run.target) + b" " * 1024, stops=True)
    return judge_then_alive(run, answer)


def check_no_http(run: Run) -> Outcome:
    """Bytes that are no HTTP, as a client that speaks TLS to a plain port sends them."""
    answer = talk(run, "no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", stops=True)
    if answer.trouble == "garbled":
        # HTTP/0.9 has no status line: a server may say that the request is bad in the page itself.
        answer = Answer(trouble="closed")
    return judge_then_alive(run, answer)


def judge_then_alive(run: Run, answer: Answer) -> Outcome:
    """Hold a spoilt request to a refusal or a closed connection, then ask whether the server still serves."""
    outcome = judge(answer, REFUSED_OR_CLOSED)
    if outcome.verdict == "fail":
        return outcome
    after = run.send(run.home(run.event()))
    told = describe(after)
    came = Words(f"{outcome.came.fr}, puis {told.fr}", f"{outcome.came.en}, then {told.en}")
    return decide(ACCEPTED.holds(after), came)


def check_slow(run: Run) -> Outcome:
    """A request that comes in six pieces, cut within a header and within the body."""
    whole = run.home(run.event()).render(run.target)
    step = len(whole) // 6 + 1
    return judge(talk(run, "POST, in pieces", *(whole[at : at + step] for at in range(0, len(whole), step))), ACCEPTED)


def check_http_10(run: Run) -> Outcome:
    """HTTP/1.0 with a Host, which some proxies speak to what is behind them."""
    return judge(talk(run, "POST, HTTP/1.0", run.home(run.event()).render(run.target, "1.0")), ACCEPTED)


def read_two(run: Run, told: str, send: Callable[[Connection], Answer | None]) -> tuple[Answer, Answer]:
    """Return two answers from one connection; ``send`` writes, and may read the first."""
    first = second = Answer(trouble="closed")
    try:
        with run.connect() as connection:
            first = run.keep(told, send(connection) or connection.read())
            second = run.keep(told, connection.read())
    except OSError as fault:
        second = run.lost(told, fault)
    return first, second


def tell_two(first: Answer, second: Answer) -> Words:
    """Tell two answers in one line."""
    one, two = describe(first), describe(second)
    return Words(f"{one.fr}, puis {two.fr}", f"{one.en}, then {two.en}")


def check_keep_alive(run: Run) -> Outcome:
    """Two events, one after the other, on one connection."""

    def send(connection: Connection) -> Answer:
        connection.write(run.home(run.event()).render(run.target, closing=False))
        first = connection.read()
        connection.write(run.home(run.event()).render(run.target))
        return first

    first, second = read_two(run, "POST, twice on one connection", send)
    return decide(ACCEPTED.holds(first) and ACCEPTED.holds(second), tell_two(first, second))


def check_after_error(run: Run) -> Outcome:
    """A refused body must not be taken for the start of the next request."""

    def send(connection: Connection) -> Answer:
        connection.write(run.home(b'{"type": "track", ').render(run.target, closing=False))
        first = connection.read()
        connection.write(run.home(run.event()).render(run.target))
        return first

    first, second = read_two(run, "POST, malformed then good on one connection", send)
    sound = ACCEPTED.holds(second) or second.trouble == "closed"
    return decide(first.status == 400 and sound, tell_two(first, second))


def check_pipelining(run: Run) -> Outcome:
    """A good event and a malformed one written at once; the answers come in that order."""

    def send(connection: Connection) -> None:
        good = run.home(run.event()).render(run.target, closing=False)
        connection.write(good + run.home(b'{"type": "track", ').render(run.target))

    first, second = read_two(run, "POST, two at once", send)
    return decide(ACCEPTED.holds(first) and second.status == 400, tell_two(first, second))


def check_crowd(run: Run) -> Outcome:
    """Twenty connections at once, all of which have sent before one is read."""
    answers = []
    with contextlib.ExitStack() as stack:
        try:
            crowd = [stack.enter_context(run.connect()) for _ in range(CROWD)]
        except OSError as fault:
            return failed(describe(run.lost("20 connections", fault)))
        for connection in crowd:
            connection.write(run.home(run.event()).render(run.target))
        answers = [run.keep("POST, 20 at once", connection.read()) for connection in crowd]
    bad = [answer for answer in answers if not ACCEPTED.holds(answer)]
    return failed(describe(bad[0])) if bad else passed(f"{CROWD} × 200")


def send_by(method: str) -> Callable[[Run], Request]:
    """Return the maker of a request with another method than POST."""

    def build(run: Run) -> Request:
        request = run.home(run.event())
        body = None if method in ("GET", "HEAD") else request.body
        return Request(method, request.path, request.headers, body)

    return build


def send_many_headers(run: Run) -> Request:
    """Sixty headers, as behind a chain of proxies, and a cookie of 3 KB."""
    extra = tuple((f"X-Synthetic-{number}", "value") for number in range(60))
    return run.home(run.event()).adding(*extra, ("Cookie", "c=" + "x" * 3000))


def send_query(run: Run) -> Request:
    """A query that means nothing, as link trackers and cache busters add one."""
    request = run.home(run.event())
    return Request(request.method, f"{request.path}?synthetic=1&_=2", request.headers, request.body)


RULES = (
    *(
        ask(f"wire.{method.lower()}", Words(f"{method} sur un appel", f"{method} to a call"), cited.http("15.5.6"),
            send_by(method), NO_SUCH_METHOD, EVERY)
        for method in ("GET", "HEAD", "PUT", "DELETE")
    ),
    wire_rule("chunked", same("Transfer-Encoding: chunked"), check_chunked, cited.http_1("7.1")),
    wire_rule("bad_chunk", Words("un morceau à la longueur illisible", "a chunk of unreadable length"),
              check_bad_chunk, cited.http_1("7.1"), REFUSED_OR_CLOSED.words),
    wire_rule("expect", same("Expect: 100-continue"), check_expect, cited.http("10.1.1")),
    wire_rule("lower_names", Words("noms d'en-têtes en minuscules", "header names in lower case"),
              spell_names(str.lower), cited.http("5.1")),
    wire_rule("upper_names", Words("noms d'en-têtes en majuscules", "header names in capitals"),
              spell_names(str.upper), cited.http("5.1")),
    wire_rule("slow", Words("une requête en six morceaux", "a request in six pieces"), check_slow,
              cited.http_1("2.2")),
    wire_rule("half_body", Words("la moitié d'un corps, puis la fermeture", "half a body, then the end"),
              check_half_body, cited.http_1("8"), STILL_SERVED),
    wire_rule("claimed", Words("4 Go annoncés, 1 Ko envoyé", "4 GB announced, 1 KB sent"), check_claimed,
              cited.http_1("8"), STILL_SERVED),
    wire_rule("no_http", Words("des octets qui ne sont pas du HTTP", "bytes that are no HTTP"), check_no_http,
              cited.http_1("3"), STILL_SERVED),
    ask("wire.many_headers", Words("60 en-têtes et un cookie de 3 Ko", "60 headers and a cookie of 3 KB"),
        cited.http("5.4"), send_many_headers, profiles=EVERY),
    ask("wire.query", Words("un appel suivi de ?synthetic=1", "a call followed by ?synthetic=1"), cited.OWN,
        send_query, profiles=EVERY),
    wire_rule("crowd", Words(f"{CROWD} connexions à la fois", f"{CROWD} connections at once"), check_crowd, cited.OWN),
    wire_rule("after_error", Words("un corps refusé, puis un bon, même connexion",
                                   "a refused body, then a good one, same connection"), check_after_error,
              cited.http_1("9.3"), Words("400, puis 200 ou la fermeture", "400, then 200 or closed")),
    wire_rule("keep_alive", Words("deux événements, même connexion", "two events, same connection"), check_keep_alive,
              cited.http_1("9.3"), Words("200, puis 200", "200, then 200"), advised=True),
    wire_rule("pipelining", Words("un bon et un mauvais, écrits à la fois", "a good and a bad one, written at once"),
              check_pipelining, cited.http_1("9.3.2"), Words("200, puis 400, dans l'ordre", "200, then 400, in order"),
              advised=True),
    wire_rule("http_10", Words("HTTP/1.0 avec Host", "HTTP/1.0 with a Host"), check_http_10, cited.http("2.5"),
              advised=True),
)  # fmt: skip
"""In the order in which they run."""
