"""The application: addresses, languages, faults, headers, compression and the names it answers to."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from firm import Firm
from starlette.testclient import TestClient
from tests.signed_in import sign_in

from parcours.blueprint.records import Touchpoint
from parcours.words import LANGUAGES, Language, Words
from parcours.workspaces.app import choose_language, create_app
from parcours.workspaces.safety import POLICY, name_of
from parcours.workspaces.static import STYLES, STYLES_PATH

PLACES = (
    "map",
    "journey",
    "measures",
    "measure/causes",
    "measure/experience?by=week",
    "patterns",
    "touchpoint/delivery",
    "sources",
)


@pytest.fixture(scope="module")
def client(firm: Firm) -> Iterator[TestClient]:
    """A browser on the loopback."""
    with TestClient(
        create_app(firm), "http://127.0.0.1", raise_server_exceptions=False, cookies=sign_in(firm.folder)
    ) as client:
        yield client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", PLACES)
def test_every_page_answers_in_its_language(client: TestClient, place: str, language: Language) -> None:
    answer = client.get(f"/{language}/{place}")
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert answer.text.count("<h1>") == 1
    assert ("Données synthétiques" if language == "fr" else "Synthetic data") in answer.text
    other = "en" if language == "fr" else "fr"
    assert f'href="/{other}/{place}"' in answer.text


def test_every_touchpoint_has_its_page(client: TestClient, firm: Firm) -> None:
    home = client.get("/fr/map").text
    for touchpoint in firm.blueprint.touchpoints:
        assert f'href="/fr/touchpoint/{touchpoint.id}"' in home
        answer = client.get(f"/fr/touchpoint/{touchpoint.id}")
        assert answer.status_code == 200
        assert touchpoint.label.fr.replace("'", "&#39;") in answer.text


def test_the_touchpoint_page_crosses_the_line(client: TestClient) -> None:
    text = client.get("/fr/touchpoint/delivery").text
    for part in ("58\u202f%", "56\u00a0à\u00a060\u202f%", "17,3\u202f%", "Délai du transporteur", "va de pair avec"):
        assert part in text
    for part in ("41\u202f250", "3,2\u00a0M€", "Transport", "observée", "Un essai sur 12 sites", "Promesse non tenue"):
        assert part in text
    assert "Trop peu de réponses." in text  # why the payment check has no number


def test_what_customers_write_is_escaped(client: TestClient) -> None:
    text = client.get("/fr/touchpoint/delivery").text
    assert "Livreur &lt;script&gt;alert(1)&lt;/script&gt; aimable &amp; ponctuel." in text
    assert "<script" not in text
    assert "Commentaires synthétiques" in text


def test_a_firm_that_nobody_answered_says_so(silent_firm: Firm) -> None:
    client = TestClient(create_app(silent_firm), "http://localhost", cookies=sign_in(silent_firm.folder))
    assert "L’expérience n’est pas encore mesurée" in client.get("/fr/map").text
    text = client.get("/en/touchpoint/delivery").text
    assert "Not measured" in text
    assert "No effect can be estimated here." in text


def test_home_speaks_the_readers_language(client: TestClient) -> None:
    answer = client.get("/", headers={"accept-language": "de, en;q=0.8, fr;q=0.5"}, follow_redirects=False)
    assert answer.headers["location"] == "/en/map"
    assert answer.headers["vary"] == "Accept-Language"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("fr-CA,fr;q=0.9", "fr"), ("en-GB", "en"), ("de", "fr"), ("", "fr"), ("en;q=x,fr", "fr"), ("en;q=0", "fr")],
)
def test_languages_are_weighed(firm: Firm, accepted: str, language: str) -> None:
    assert choose_language(firm, accepted) == language


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ("/fr/nulle-part", "Cette page n’existe pas."),
        ("/en/touchpoint/nowhere", "The blueprint describes no touchpoint “nowhere”."),
        ("/en/measure/nothing", "No measure is called “nothing”."),
        ("/en/measure/causes?by=moon", "The measure “causes” cannot be split by “moon”."),
        ("/../../etc/passwd", "Cette page n’existe pas."),
    ],
)
def test_what_does_not_exist_says_so_with_a_remedy(client: TestClient, place: str, sentence: str) -> None:
    answer = client.get(place)
    assert answer.status_code == 404
    assert sentence in answer.text
    assert 'href="/fr/map"' in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_company_fault_gives_its_sentence_and_remedy(firm: Firm) -> None:
    client = TestClient(create_app(firm), "http://127.0.0.1", cookies=sign_in(firm.folder, "cem"))
    answer = client.get("/en/measure/funnel")
    assert answer.status_code == 503
    assert "No purpose." in answer.text
    assert "Add it." in answer.text


def test_a_fault_of_our_own_shows_no_trace(firm: Firm) -> None:
    class Broken(Firm):
        def result(self, name: str, by: str | None = None) -> object:  # type: ignore[override]
            raise RuntimeError("secret path /home")

    client = TestClient(
        create_app(Broken(firm.folder, firm.blueprint)),
        "http://127.0.0.1",
        raise_server_exceptions=False,
        cookies=sign_in(firm.folder),
    )
    answer = client.get("/en/map")
    assert answer.status_code == 500
    assert "The page could not be made." in answer.text
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] == POLICY


def test_pages_are_read_only(client: TestClient) -> None:
    assert client.post("/fr/map", headers={"origin": "http://127.0.0.1"}).status_code == 405
    assert client.post("/fr/map").status_code == 403
    assert client.head("/fr/map").status_code == 200


@pytest.mark.parametrize("place", ["/fr/map", "/fr/nowhere", STYLES_PATH, "/", "/fr/sources/replay"])
def test_every_answer_is_protected(client: TestClient, place: str) -> None:
    headers = client.get(place, follow_redirects=False).headers
    assert headers["content-security-policy"] == POLICY
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "unsafe" not in POLICY
    assert "script-src" not in POLICY  # default-src 'none': no script at all


def test_nothing_inline_that_the_policy_would_refuse(client: TestClient) -> None:
    for place in PLACES:
        text = re.sub(r"<code.*?</code>", "", client.get(f"/fr/{place}").text, flags=re.DOTALL)  # addresses to copy
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script|https?://(?!www\.w3\.org/2000/svg)", text)


def test_pages_are_compressed_and_revalidated(client: TestClient) -> None:
    answer = client.get("/fr/map", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "private, no-cache"
    again = client.get("/fr/map", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    plain = client.get("/fr/map", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.text == answer.text


def test_styles_are_one_file_that_never_changes_under_its_name(client: TestClient) -> None:
    answer = client.get(STYLES_PATH)
    assert answer.text == STYLES
    assert "immutable" in answer.headers["cache-control"]
    assert client.get("/static/icon.svg").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8600", "127.0.0.1.evil.example", "", "169.254.169.254"])
def test_foreign_names_are_refused(client: TestClient, host: str) -> None:
    answer = client.get("/fr/map", headers={"host": host})
    assert answer.status_code == 421
    assert "delivery" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost", "LOCALHOST:1", "[::1]:8600"])
def test_loopback_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/fr/map", headers={"host": host}).status_code == 200


def test_a_configured_name_is_answered(firm: Firm) -> None:
    client = TestClient(
        create_app(firm, hosts=("parcours.intra:8600",)), "http://parcours.intra", cookies=sign_in(firm.folder)
    )
    assert client.get("/fr/map").status_code == 200
    assert name_of("[fe80::1]:80") == "[fe80::1]"


def test_labels_that_are_markup_are_escaped(firm: Firm) -> None:
    first: Touchpoint = msgspec.structs.replace(
        firm.blueprint.touchpoints[0], label=Words("<img src=x>", "<img src=x>")
    )
    blueprint = msgspec.structs.replace(firm.blueprint, touchpoints=(first, *firm.blueprint.touchpoints[1:]))
    client = TestClient(create_app(Firm(firm.folder, blueprint)), "http://127.0.0.1", cookies=sign_in(firm.folder))
    for place in ("map", f"touchpoint/{first.id}", "journey"):
        text = client.get(f"/fr/{place}").text
        assert "<img" not in text
        assert "&lt;img src=x&gt;" in text


def test_a_touchpoint_shows_its_promise_its_stakes_and_who_stands_behind(client: TestClient) -> None:
    text = client.get("/en/touchpoint/delivery").text
    for part in (
        "Promise broken",
        "at least 7",
        "5.95",
        "68% [66",
        "11,038",
        "10,828\u00a0to\u00a011,244",
        "€2.5M",
        "6,062",
    ):
        assert part in text
    silent = client.get("/fr/touchpoint/tracking").text
    assert "Promesse pas encore mesurée" in silent
    assert "Ce qui est en jeu" not in silent
    assert "Opérations qui soutiennent ce point de contact" in silent
    assert "Délai du transporteur" in silent


def test_the_map_opens_on_the_cause_the_stakes_and_the_promises(client: TestClient) -> None:
    opening = client.get("/fr/map").text.partition("</header>\n<section")[0]
    for part in ("Délai du transporteur", "−0,64\u00a0à\u00a0−0,40", "Transport", "11\u202f038 clients", "sur 9"):
        assert part in opening
    assert "promesse non tenue" in client.get("/fr/map").text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("end", ["", "/"])
def test_a_language_alone_leads_to_its_map(client: TestClient, language: Language, end: str) -> None:
    answer = client.get(f"/{language}{end}")
    assert answer.status_code == 200
    assert answer.url.path == f"/{language}/map"
