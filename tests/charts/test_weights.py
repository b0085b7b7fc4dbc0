"""Match weights: what speaks for one person lies to the right of zero, and the table says the same."""

from __future__ import annotations

from xml.etree import ElementTree

from parcours.charts.weights import WeightBar, draw_weights

SVG = "{http://www.w3.org/2000/svg}"


def bar(field: str, level: str, bits: float) -> WeightBar:
    return WeightBar(field=field, level=level, bits=bits, same=0.9, strangers=0.001)


def test_bars_lie_on_their_side_of_zero() -> None:
    bars = [bar("Nom <a>", "identique", 8.0), bar("Nom <a>", "différent", -4.0), bar("Ville", "identique", 3.0)]
    chart = draw_weights("Poids", bars, "fr")
    root = ElementTree.fromstring(chart.svg)
    path = next(one.get("d", "") for one in root.iter(f"{SVG}path") if one.get("class") == "zero")
    zero = float(path[1:].split()[0])
    sides = {one.get("class"): [] for one in root.iter(f"{SVG}rect")}
    for one in root.iter(f"{SVG}rect"):
        sides[one.get("class")].append((float(one.get("x", "0")), float(one.get("width", "0"))))
    assert all(abs(x - zero) < 0.11 for x, _ in sides["for"])
    assert all(abs(x + width - zero) < 0.11 for x, width in sides["against"])
    assert abs(sides["for"][0][1] / sides["against"][0][1] - 2) < 0.02
    assert "Nom &lt;a&gt;" in chart.table
    assert "−4,0" in chart.table


def test_nothing_learnt_draws_nothing() -> None:
    assert draw_weights("Weights", [], "en").table.count("<tr>") == 1
