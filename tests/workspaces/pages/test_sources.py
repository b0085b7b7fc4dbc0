"""The page of sources: the sentence that matters, figures beside a week ago, the first event, and markup escaped."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest
from collected import DESTINATION, SOURCES, CollectingFirm, declare, fill_journal
from firm import Firm

from parcours.collect.overview import Compared, DestinationFigures, Group, Overview, SourceFigures, Waits
from parcours.engine.store.arrivals import Arrivals
from parcours.engine.store.aside import Aside, AsideEvents
from parcours.engine.store.manifest import Manifest
from parcours.errors import Fault
from parcours.know import MaskedDay
from parcours.settings import CollectSettings, Settings
from parcours.words import LANGUAGES, Words
from parcours.workspaces.first_event import find_address
from parcours.workspaces.incoming import say_compared, say_fault, say_source
from parcours.workspaces.pages.sources import LATE_MS, STUCK_MS, draw_masked, read_sources, say_headline, say_lede
from parcours.workspaces.render import render

NOW_MS = 1_770_127_500_000
QUIET = SourceFigures(
    source="web",
    connector="http",
    state="fresh",
    latest_ms=NOW_MS,
    hours=(0,) * 168,
    hours_before=(),
    last_hour=0,
    today=0,
    compared=None,
    outcomes={},
    faults={},
    told={},
    undeclared={},
    aside=0,
    files=None,
)
CALM = Overview(now_ms=NOW_MS, sources=(QUIET,), events=(), rows=(), destinations=(), batches=0, backlog=Waits(0, None))
MISSING = Group("web", "field_missing", 214, 1, 2, (Words("Il manque X. Envoyez-le.", "X is missing. Send it."),))
change = msgspec.structs.replace


def overview(**changes: Any) -> Overview:
    """Return a calm overview with changes."""
    return change(CALM, **changes)


@pytest.mark.parametrize(
    ("found", "french", "english"),
    [
        (CALM, "La source en direct envoie normalement", "The live source sends as usual"),
        (overview(sources=()), "Aucune source en direct n’est décrite", "No live source is described"),
        (
            overview(sources=(change(QUIET, state="waiting", latest_ms=None),)),
            "Aucune source en direct n’a encore rien envoyé",
            "No live source has sent anything yet",
        ),
        (
            overview(sources=(QUIET, change(QUIET, state="silent"), change(QUIET, state="undeclared"))),
            "1 source sur 2 se tait",
            "1 of 2 sources is silent",
        ),
        (
            overview(events=(MISSING,)),
            "214 événements attendent en quarantaine\u00a0: il manque un champ",
            "214 events wait in quarantine: a field is missing",
        ),
        (
            overview(events=(MISSING, change(MISSING, code="odd", count=1))),
            "215 événements attendent en quarantaine, dont 214\u00a0: il manque un champ",
            "215 events wait in quarantine, 214 of them: a field is missing",
        ),
        (
            overview(backlog=Waits(9_000, NOW_MS - LATE_MS - 1), events=(MISSING,)),
            "La mise en page a 5,0\u00a0min de retard\u00a0: 9\u202f000 événements attendent",
            "The pages are 5.0\u00a0min behind: 9,000 events wait",
        ),
        (
            overview(destinations=(DestinationFigures("crm", Waits(3, NOW_MS - STUCK_MS - 1), 0, {}),)),
            "La destination «\u00a0crm\u00a0» ne prend plus rien depuis 15\u00a0min",
            "The destination “crm” has taken nothing for 15\u00a0min",
        ),
        (
            overview(missing=2, sources=(change(QUIET, state="silent"),)),
            "2 lots d’événements acceptés sont perdus\u00a0: redemandez-les à leurs sources "
            "(parcours verify dit lesquels)",
            "2 batches of accepted events are lost: ask their sources again (parcours verify says which)",
        ),
    ],
    ids=["well", "none", "nothing yet", "silent", "quarantine", "two faults", "late", "stuck", "lost"],
)
def test_the_headline_is_what_matters_most(found: Overview, french: str, english: str) -> None:
    assert say_headline(found, "fr") == french
    assert say_headline(found, "en") == english


def test_the_lede_names_who_is_silent_and_not_too_many() -> None:
    silent = tuple(change(QUIET, source=f"s{number}", state="silent") for number in range(5))
    assert "Plus rien de s0, s1, s2, … depuis" in say_lede(overview(sources=silent), "fr", "UTC")
    assert "Plus rien" not in say_lede(CALM, "fr", "UTC")


@pytest.mark.parametrize(
    ("compared", "said"),
    [
        (Compared(5, 112, 100), "+12% (112 against 100)"),
        (Compared(5, 50, 100), "\u221250% (50 against 100)"),
        (Compared(5, 90, 29), "90 against 29"),  # too few to bear a percentage
        (Compared(5, 3, 0), "3 against 0"),
        (None, ""),
    ],
)
def test_a_percentage_needs_a_base_that_bears_it(compared: Compared | None, said: str) -> None:
    assert say_compared(compared, "en") == said


def test_a_fault_that_we_do_not_know_is_said_by_its_reason() -> None:
    reason = Words("La roue est carrée. Arrondissez-la.", "The wheel is square. Round it.")
    assert say_fault("square_wheel", reason, "fr") == "La roue est carrée"
    assert say_fault("square_wheel", None, "fr") == "square_wheel"


def test_the_page_tells_all_that_was_collected(company: CollectingFirm) -> None:
    page = read_sources(company, "en")
    assert page.headline == "1 of 5 sources is silent"
    assert [one.id for one in page.live][:2] == ["shop", "web"]  # what needs a look comes first
    assert {one.id: one.state for one in page.live}["kiosk"] == "waiting"
    web = next(one for one in page.live if one.id == "web")
    assert web.aside == "214 in quarantine"
    assert [name for name, _ in web.became] == ["kept", "duplicates", "discarded, no legal basis", "put in quarantine"]
    assert web.faults == (("a field is missing", "214"),)
    assert web.told[0][0] == "the sender’s clock was not corrected"
    assert [(one.source, one.code, one.count) for one in page.aside] == [
        ("web", "field_missing", "214 events"),
        ("app", "unknown_event", "17 events"),
    ]
    assert page.rows[0].count == "2 rows of orders"
    assert "1,538" in page.files
    assert "1 (http_410)" in page.destinations
    assert page.first is None  # the web has sent


TROUBLE = Fault("disk_full", Words("Disque plein.", "Disk full."), Words("Libérez.", "Free some."), "/srv/x/journal.db")


@pytest.mark.parametrize(
    ("troubles", "headline"),
    [
        ((TROUBLE,), "Disk full."),
        ((TROUBLE, change(TROUBLE, code="other")), "2 things keep Parcours from going on."),
    ],
)
def test_what_keeps_it_from_going_on_comes_first(
    company: CollectingFirm, troubles: tuple[Fault, ...], headline: str
) -> None:
    setattr(company, "troubles", lambda: troubles)  # noqa: B010
    page = read_sources(company, "en")
    assert page.headline == headline
    text = render(page, "en")
    assert "journal.db: Disk full. Free some." in text
    assert "/srv" not in text
    assert "What is in the way at this moment." in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_has_its_table_and_nothing_is_inline(company: CollectingFirm, language: Any) -> None:
    text = render(read_sources(company, language), language)
    assert text.count("<caption>") >= text.count('class="chart volumes"') == 5
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script", text)


def test_names_and_reasons_that_are_markup_are_escaped(tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    manifest = Manifest(tmp_path)
    Arrivals(manifest.database).add({(evil, NOW_MS // 3_600_000, "quarantined", evil): 3}, {evil: NOW_MS})
    event = Aside(evil, evil, evil, Words(f'L’événement « {evil} » "&.', f'Event “{evil}” "&.'), NOW_MS, b"x")
    AsideEvents(manifest.database).add([event])
    manifest.close()
    for language in LANGUAGES:
        text = render(read_sources(CollectingFirm(tmp_path), language), language)
        assert "<img" not in text
        assert 'value="&lt;img src=x onerror=alert(1)&gt;"' in text
        assert text.count("&lt;img src=x onerror=alert(1)&gt;") >= 6


def test_names_that_nobody_declared_are_told_the_most_frequent_first() -> None:
    names = {f"<n{number}>": number for number in range(20)}
    said = say_source(change(QUIET, undeclared=names), NOW_MS, "en", "UTC").undeclared
    assert said[0] == ("<n19>", "19")
    assert len(said) == 8


def test_a_first_event_is_shown_until_one_came_over_http(tmp_path: Path) -> None:
    first = read_sources(Firm(tmp_path), "fr").first
    assert first is not None
    assert first.source == "source: web\nconnector: http\n"
    declare(tmp_path, {"kiosk": SOURCES["kiosk"]}, destination="")
    first = read_sources(Firm(tmp_path), "fr").first
    assert first is not None
    assert first.source == ""
    assert first.key.endswith(" add kiosk")
    *_, body, address = shlex.split(first.call.replace("\\\n", " "))
    assert address == "http://127.0.0.1:8601/v1/track"
    names = {match.name for match in Firm(tmp_path).blueprint.matches()}
    assert msgspec.json.decode(body)["event"] in names


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        (CollectSettings(), "http://127.0.0.1:8601"),
        (CollectSettings(host="0.0.0.0", port=9000), "http://127.0.0.1:9000"),
        (CollectSettings(host="::1"), "http://[::1]:8601"),
        (CollectSettings(public_url="https://collect.example.com/"), "https://collect.example.com"),
    ],
)
def test_the_address_is_the_one_that_senders_reach(settings: CollectSettings, address: str) -> None:
    assert find_address(settings) == address


def test_a_fault_in_a_source_is_told_and_the_page_stays(company: CollectingFirm) -> None:
    declare(company.folder, {"torn": "source: torn\nconnector: pigeon\n"}, DESTINATION)
    page = read_sources(company, "en")
    assert "torn.yaml:2: No connector is called “pigeon”." in page.faults[-1]
    assert str(company.folder) not in "".join(page.faults)
    assert "web" in {one.id for one in page.live}


def test_an_empty_company_has_a_page(tmp_path: Path) -> None:
    page = read_sources(Firm(tmp_path), "en")
    assert (page.live, page.aside, page.files, page.destinations, page.glance) == ((), (), "", "", ())
    assert page.headline == "No live source is described"


def test_days_are_those_of_the_company(tmp_path: Path) -> None:
    declare(tmp_path)
    fill_journal(tmp_path)
    firm = Firm(tmp_path)
    firm.settings = Settings(time_zone="Asia/Kolkata")
    assert read_sources(firm, "fr").live  # half an hour off the hours that are counted


def test_what_was_masked_is_shown_by_day_and_kind() -> None:
    days = [MaskedDay(20_000, {"mail": 3, "nir": 1}), MaskedDay(19_999, {"phone": 12_000})]
    table = draw_masked(days, "fr")
    assert "12\u202f000" in table
    assert table.count("<tr>") == 3
    assert "4 oct." in table.replace("\u00a0", " ")
    assert "[" not in table
    assert draw_masked((), "fr") == ""
