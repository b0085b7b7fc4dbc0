"""Moves: few crossings, ribbons as wide as their counts, every move in the table."""

from __future__ import annotations

from xml.etree import ElementTree

from parcours.charts.sankey import Move, draw_sankey, order_layers

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {"a": "Accueil & co", "b": "B", "c": "C", "d": "D"}
COLUMNS = {"a": 0, "b": 0, "c": 1, "d": 1}


def move(source: str, target: str, count: int) -> Move:
    """Return a move with its share."""
    return Move(source=source, target=target, count=count, share=0.5, low=0.45, high=0.55)


def test_barycentres_undo_a_crossing() -> None:
    layers = order_layers([move("a", "d", 10), move("b", "c", 10)], COLUMNS)
    assert layers == [["a", "b"], ["d", "c"]]


def test_every_move_is_in_the_table_and_forward_ones_are_drawn() -> None:
    moves = [move("a", "c", 30), move("b", "d", 20), move("c", "a", 5), move("a", "b", 4)]
    chart = draw_sankey("Passages", moves, NAMES, COLUMNS, "fr", ["Un", "Deux"])
    root = ElementTree.fromstring(chart.svg)
    flows = [path for path in root.iter(f"{SVG}path") if path.get("class") == "flow"]
    assert (flows[0].findtext(f"{SVG}title") or "").startswith("Accueil & co → C, 30")
    assert len(flows) == 2
    assert "85\u202f%" in (root.findtext(f"{SVG}desc") or "")
    assert len(ElementTree.fromstring(chart.table).findall(".//tbody/tr")) == 4
    assert "Deux" in chart.svg


def test_a_node_counts_its_touches_or_says_that_it_counts_what_is_drawn() -> None:
    moves = [move("a", "c", 30), move("c", "d", 400)]
    assert ">430 contacts<" in draw_sankey("Passages", moves, NAMES, COLUMNS, "fr", touches={"a": 1, "c": 430}).svg
    assert ">30 passages dessinés<" in draw_sankey("Passages", moves, NAMES, COLUMNS, "fr").svg


def test_ribbons_are_as_wide_as_their_counts() -> None:
    chart = draw_sankey("Moves", [move("a", "c", 30), move("a", "d", 10)], NAMES, COLUMNS, "en")
    flows = [p.get("d", "") for p in ElementTree.fromstring(chart.svg).iter(f"{SVG}path") if p.get("class") == "flow"]
    widths = [float(flow.split("v")[1].split("C")[0]) for flow in flows]
    assert abs(widths[0] / widths[1] - 3) < 0.05


def test_no_forward_move_gives_a_table_alone() -> None:
    chart = draw_sankey("Moves", [move("c", "a", 3)], NAMES, COLUMNS, "en")
    assert chart.svg == ""
    assert "<table" in chart.table
