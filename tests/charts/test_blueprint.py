"""The map: every touchpoint a link, nothing overlaps, edges end where they should, the table says the same."""

from __future__ import annotations

import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.charts.blueprint import CauseEdge, OperationBox, StageColumn, TouchCard, describe_touch, draw_blueprint
from parcours.charts.blueprint_plan import Spot, Ways, draw_rounded, part_ways, route, spread
from parcours.charts.chart import Chart

SVG = "{http://www.w3.org/2000/svg}"
STAGES = [StageColumn("Choix <b>"), StageColumn("Livraison", "120 entrés"), StageColumn("Suivi")]


def card(id: str, stage: int, score: float | None = 0.58) -> TouchCard:
    """Return a touchpoint."""
    low, high = (None, None) if score is None else (score - 0.03, score + 0.03)
    scored = {"metric": "csat", "score": score, "low": low, "high": high, "n": 1840}
    return TouchCard(
        id=id,
        label=f"Point {id} & co",
        stage=stage,
        human=id == "b",
        channel="Web",
        href=f"/fr/{id}",
        evidence="",
        **scored,
    )


CARDS = [card("a", 0, 0.95), card("b", 1), card("c", 1, None), card("d", 2, 0.72)]
BOXES = [
    OperationBox(id="pick", label="Préparation en entrepôt", owner="Logistique"),
    OperationBox(id="carry", label="Transport", owner="Transport"),
    OperationBox(id="it", label="Incidents", owner="Informatique", support=True),
]
EDGES = [
    CauseEdge(operation="pick", touchpoint="b", weight=1.0, rank=1, title="Préparation → Point b"),
    CauseEdge(operation="it", touchpoint="b", weight=0.5, rank=2),
    CauseEdge(operation="carry", touchpoint="d"),
    CauseEdge(operation="carry", touchpoint="nowhere"),
]


@pytest.fixture(scope="module")
def chart() -> Chart:
    """The map of a small firm."""
    return draw_blueprint("Carte", STAGES, CARDS, BOXES, EDGES, "fr")


def test_every_touchpoint_is_a_link_that_says_itself(chart: Chart) -> None:
    links = ElementTree.fromstring(chart.svg).findall(f".//{SVG}a")
    assert {link.get("href") for link in links} == {one.href for one in CARDS}
    said = next(link.get("aria-label") or "" for link in links if link.get("href") == "/fr/b")
    for part in (
        "Point b & co",
        "humain",
        "58\u202f%",
        "55\u00a0à\u00a061\u202f%",
        "1\u202f840 réponses",
        "moyenne",
    ):
        assert part in said


def test_colour_is_never_alone(chart: Chart) -> None:
    """Human cards are round and digital ones square; what is not measured is hatched and says so."""
    root = ElementTree.fromstring(chart.svg)
    corners = {}
    for link in root.findall(f".//{SVG}a"):
        corners[link.get("href")] = {
            tile.get("rx") for tile in link.findall(f"{SVG}rect") if "tile" in tile.get("class", "")
        }
    assert corners["/fr/b"] == {"14"}
    assert corners["/fr/a"] == {"3"}
    hatched = [
        link.get("href")
        for link in root.findall(f".//{SVG}a")
        if "url(#hatch-fr)" in ElementTree.tostring(link, "unicode")
    ]
    assert hatched == ["/fr/c"]
    assert "non mesuré" in describe_touch(CARDS[2], "fr")


def test_lines_stand_in_their_order(chart: Chart) -> None:
    heights = []
    for name in ("line-interaction", "line-visibility", "line-internal"):
        path = next(p for p in ElementTree.fromstring(chart.svg).iter(f"{SVG}path") if p.get("class") == name)
        heights.append(float(path.get("d", "").split("L")[0].split(" ")[1]))
    assert heights == sorted(heights)
    cards = [
        rect
        for rect in ElementTree.fromstring(chart.svg).findall(f".//{SVG}a/{SVG}rect")
        if float(rect.get("height", 0)) > 40
    ]
    assert all(heights[0] < float(rect.get("y", 0)) < heights[1] for rect in cards)


def test_the_strong_edges_are_numbered_and_the_larger_effect_is_wider(chart: Chart) -> None:
    root = ElementTree.fromstring(chart.svg)
    edges = [g for g in root.iter(f"{SVG}g") if g.get("class") == "edge hurts" and g.find(f"{SVG}circle") is not None]
    assert [edge.findtext(f"{SVG}text") for edge in edges] == ["1", "2"]
    widths = [float(path.get("stroke-width", 0)) for edge in edges for path in edge.findall(f"{SVG}path")[:1]]
    assert widths[0] > widths[1]
    assert "nowhere" not in chart.svg


def test_the_table_says_the_same(chart: Chart) -> None:
    table = ElementTree.fromstring(chart.table).find("table")
    assert table is not None
    assert table.findtext("caption") == "Carte"
    rows = table.findall("tbody/tr")
    assert [row.findtext("th/a") for row in rows] == [one.label for one in CARDS]
    assert [cell.get("scope") for cell in table.findall("thead/tr/th")] == ["col"] * 10
    assert rows[1].findall("td")[-1].text == "Préparation en entrepôt, Incidents"


def test_a_firm_without_touchpoints_is_drawn_too() -> None:
    empty = draw_blueprint("Map", [], [], [], [], "en")
    assert ElementTree.fromstring(empty.svg).tag == f"{SVG}svg"


def test_ids_differ_between_languages_so_that_both_fit_in_one_page() -> None:
    both = [draw_blueprint("m", STAGES, CARDS, BOXES, EDGES, language).svg for language in ("fr", "en")]
    assert 'id="hatch-fr"' in both[0]
    assert 'id="hatch-fr"' not in both[1]


@given(st.lists(st.floats(-2, 12), max_size=30), st.integers(1, 9))
def test_boxes_never_share_a_place_and_keep_their_order(wanted: list[float], columns: int) -> None:
    placed = spread(wanted, columns)
    assert len(set(placed)) == len(wanted)
    assert all(0 <= column < columns for column, _ in placed)
    assert all(row < -(-len(wanted) // columns) for _, row in placed)
    by_wish = [placed[i][0] for i in sorted(range(len(wanted)), key=lambda i: (wanted[i], i))]
    assert by_wish == sorted(by_wish)


def test_a_box_alone_stands_where_it_is_wanted() -> None:
    assert spread([3.2], 6) == [(3, 0)]


def test_cards_do_not_overlap(chart: Chart) -> None:
    root = ElementTree.fromstring(chart.svg)
    spots = set()
    for rect in root.iter(f"{SVG}rect"):
        box = [float(rect.get(name, 0)) for name in ("x", "y", "width", "height")]
        if box[3] > 40 and rect.get("class") in ("tile", "operation", "hatched"):
            spots.add(tuple(box))
    assert len(spots) == len(CARDS) + len(BOXES)
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(spots, 2):
        assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1


def test_an_edge_ends_at_the_side_of_its_card() -> None:
    touch, operation = Spot(100, 50, 80, 60, 0), Spot(300, 400, 80, 50, 1)
    way = route(operation, touch, Ways(90, 200, 300), entry=0.5)
    assert way.path.startswith("M180 80L")
    assert way.badge == (340, 400)
    assert way.path.endswith("L340 400")


def test_rounding_keeps_the_ends() -> None:
    assert draw_rounded([(0, 0), (0, 0), (100, 0), (100, 50)]) == "M0 0L93 0Q100 0 100 7L100 50"


def test_levels_of_the_card_follow_its_metric() -> None:
    assert [one.level for one in CARDS] == [5, 3, 0, 4]
    assert msgspec.structs.replace(CARDS[0], metric="nps", score=70.0).level == 5


def test_an_edge_takes_the_gutter_between_its_ends() -> None:
    """From a lower row the way up is the gutter nearest to the card: no detour round the operation."""
    touch, operation = Spot(500, 50, 80, 60, 2), Spot(300, 400, 80, 50, 1, row=1)
    way = route(operation, touch, Ways(90, 200, 300))
    assert way.badge == (380, 425)
    assert "L490" in way.path


def test_a_broken_promise_is_marked_named_and_listed() -> None:
    card = msgspec.structs.replace(CARDS[0], promise="broken")
    marked = draw_blueprint("Carte", STAGES, [card], [], [], "fr")
    plain = draw_blueprint("Carte", STAGES, [CARDS[0]], [], [], "fr")
    assert marked.svg.count('class="cross"') == plain.svg.count('class="cross"') + 1
    assert "promesse non tenue" in describe_touch(card, "fr")
    assert "promesse" not in describe_touch(CARDS[0], "fr")
    assert "<td>non tenue</td>" in marked.table


def test_edges_that_share_a_gutter_or_a_box_stay_apart() -> None:
    touch = Spot(100, 50, 80, 60, 0)
    near, far, below = Spot(300, 400, 80, 50, 1), Spot(500, 400, 80, 50, 2), Spot(300, 470, 80, 50, 1, row=1)
    parted = part_ways([(near, touch), (near, touch), (far, touch), (below, touch), (below, touch)])
    tracks, ports = zip(*parted, strict=True)
    assert len(set(tracks)) == 5
    assert min(abs(a - b) for a, b in combinations(tracks, 2)) >= 3.5
    assert ports[0] != ports[1]
    assert ports[3] != ports[4]
    tops = zip([(near, touch), (near, touch), (far, touch)], parted[:3], strict=True)
    ends = [route(*pair, Ways(90, 200, 300), track, port=port).badge for pair, (track, port) in tops]
    assert min(abs(a[0] - b[0]) for a, b in combinations(ends, 2)) > 19


@given(st.data())
def test_no_edge_runs_over_a_card(data: st.DataObject) -> None:
    column, width = 200.0, 170.0
    touches = [
        Spot(90 + number * column + 15, 50 + 130 * row, width, 116, number) for number in range(4) for row in range(2)
    ]
    boxes = [Spot(90 + n * column + 15, 420 + 90 * row, width, 74, n, row) for n in range(4) for row in range(3)]
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(boxes), st.sampled_from(touches)), max_size=5))
    for (operation, touch), (track, port) in zip(pairs, part_ways(pairs), strict=True):
        numbers = [
            float(x)
            for x in re.findall(r"-?[0-9.]+", route(operation, touch, Ways(90, column, 340), track, port=port).path)
        ]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        for (x1, y1), (x2, y2) in pairwise(points):
            for spot in (*touches, *boxes):
                inside_x = max(x1, x2) > spot.x + 0.2 and min(x1, x2) < spot.x + spot.width - 0.2
                inside_y = max(y1, y2) > spot.y + 0.2 and min(y1, y2) < spot.y + spot.height - 0.2
                assert not (inside_x and inside_y)
