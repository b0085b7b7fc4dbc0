"""Moves between touchpoints as a Sankey drawing, ordered by barycentres so that few ribbons cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import msgspec

from parcours.charts import labels
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_interval, write_number, write_share
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import lines_of, open_svg, rect, round_to, text, wrap
from parcours.words import Language

WIDTH = 1376.0
NODE = 12.0
GAP = 40.0
LABEL = 128.0
FLOW_HEIGHT = 300.0
SWEEPS = 6
TOP = 20.0


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """How many went from one place to another; ``share`` is of those who left ``source``, with its bounds."""

    source: str
    target: str
    count: int
    share: float | None = None
    low: float | None = None
    high: float | None = None


class _Node(msgspec.Struct):
    """A place in its column: how many passed, and where it is drawn."""

    column: int
    size: int = 0
    height: float = 0.0
    y: float = 0.0


def draw_sankey(
    title: str,
    moves: Sequence[Move],
    names: Mapping[str, str],
    columns: Mapping[str, int],
    language: Language,
    headings: Sequence[str] = (),
    most: int = 40,
    touches: Mapping[str, int] | None = None,
) -> Chart:
    """Draw the ``most`` largest moves between nodes in their ``columns`` under ``headings``; the table holds all moves.

    A move within a column or back to an earlier one has no ribbon, for it would cross everything: the description
    says which share of all moves is drawn. ``touches`` is what a node's label counts, whatever is drawn of it;
    without them the label says that it counts the moves drawn.
    """
    known = [move for move in moves if move.source in columns and move.target in columns]
    forward = [move for move in known if columns[move.source] < columns[move.target]]
    drawn = sorted(forward, key=lambda move: (-move.count, move.source, move.target))[:most]
    total = sum(move.count for move in known)
    svg = _draw(title, drawn, names, columns, language, total, headings, touches) if drawn else ""
    return Chart(svg, _table(title, moves, names, language))


def order_layers(moves: Sequence[Move], columns: Mapping[str, int]) -> list[list[str]]:
    """Order the nodes of each column by the barycentre of their neighbours, sweeping to and fro.

    Source: Sugiyama, Tagawa and Toda (1981), the layer-by-layer barycentre heuristic; ties keep the given order.
    """
    layers: list[list[str]] = [[] for _ in range(max(columns.values()) + 1)]
    for name, column in columns.items():
        layers[column].append(name)
    for sweep in range(SWEEPS):
        places = {name: place / max(len(layer), 1) for layer in layers for place, name in enumerate(layer)}
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=lambda name: _barycentre(name, moves, places, coming=sweep % 2 == 0))
            places.update({name: place / len(layer) for place, name in enumerate(layer)})
    return layers


def _barycentre(name: str, moves: Sequence[Move], places: Mapping[str, float], coming: bool) -> float:
    near = [
        (places[move.source if coming else move.target], move.count)
        for move in moves
        if (move.target if coming else move.source) == name
    ]
    weight = sum(count for _, count in near)
    return sum(place * count for place, count in near) / weight if weight else places[name]


def _draw(
    title: str,
    moves: Sequence[Move],
    names: Mapping[str, str],
    columns: Mapping[str, int],
    language: Language,
    total: int,
    headings: Sequence[str],
    touches: Mapping[str, int] | None,
) -> str:
    used = sorted({columns[name] for move in moves for name in (move.source, move.target)})
    rank = {column: place for place, column in enumerate(used)}
    ends = sorted({name for move in moves for name in (move.source, move.target)}, key=list(columns).index)
    nodes = {name: _Node(rank[columns[name]]) for name in ends}
    layers = order_layers(moves, {name: node.column for name, node in nodes.items()})
    height = _stack(layers, nodes, moves)
    step = (WIDTH - NODE - LABEL) / max(len(layers) - 1, 1)
    share = write_share(sum(move.count for move in moves) / total if total else None, language)
    summary = f"{share} des passages sont dessinés." if language == "fr" else f"{share} of all moves are drawn."
    parts = [open_svg(WIDTH, height, title, summary, "sankey"), *_draw_flows(moves, nodes, names, step, language)]
    for place, column in enumerate(used):
        if column < len(headings):
            parts.append(text(place * step, 12, headings[column], "small soft"))
    for name, node in nodes.items():
        x = node.column * step
        rows = wrap(names.get(name, name), min(step - NODE - 16, LABEL), 12.5, 2, bold=True)
        top = node.y + node.height / 2 - 7.5 * len(rows) + 4
        parts.append(rect(x, node.y, NODE, node.height, "node", 2))
        parts.append(lines_of(x + NODE + 7, top, rows, 15, "bold halo"))
        counted = _count(node.size if touches is None else touches.get(name, 0), touches is None, language)
        parts.append(lines_of(x + NODE + 7, top + 15 * len(rows), [counted], 15, "small halo"))
    return "".join([*parts, "</svg>"])


def _count(number: int, drawn: bool, language: Language) -> str:
    word = (labels.DRAWN if drawn else labels.TOUCHES).in_language(language)
    return f"{write_number(number, language)} {word}"


def _stack(layers: Sequence[Sequence[str]], nodes: Mapping[str, _Node], moves: Sequence[Move]) -> float:
    """Give every node its height and place, each column centred; return the height of the drawing."""
    for name, node in nodes.items():
        coming = sum(move.count for move in moves if move.target == name)
        node.size = max(coming, sum(move.count for move in moves if move.source == name))
    largest = max(sum(nodes[name].size for name in layer) for layer in layers) or 1
    for node in nodes.values():
        node.height = max(FLOW_HEIGHT * node.size / largest, 2)
    # A node never takes less room than its own label.
    tall = [sum(max(nodes[name].height, 24) + GAP for name in layer) for layer in layers]
    height = max(tall) + 8 + TOP
    for layer, own in zip(layers, tall, strict=True):
        y = TOP + (height - TOP - own + GAP) / 2
        for name in layer:
            node = nodes[name]
            room = max(node.height, 24)
            node.y = y + (room - node.height) / 2
            y += room + GAP
    return height


def _draw_flows(
    moves: Sequence[Move], nodes: Mapping[str, _Node], names: Mapping[str, str], step: float, language: Language
) -> list[str]:
    """Ribbons leave and arrive in the vertical order of their other ends, so that they do not twist."""
    out = dict.fromkeys(nodes, 0.0)
    into = dict.fromkeys(nodes, 0.0)
    starts: dict[int, float] = {}
    stops: dict[int, float] = {}
    thick = {id(move): nodes[move.source].height * move.count / max(nodes[move.source].size, 1) for move in moves}
    for move in sorted(moves, key=lambda move: nodes[move.target].y):
        starts[id(move)] = nodes[move.source].y + out[move.source]
        out[move.source] += thick[id(move)]
    for move in sorted(moves, key=lambda move: nodes[move.source].y):
        stops[id(move)] = nodes[move.target].y + into[move.target]
        into[move.target] += thick[id(move)]
    drawn = []
    for move in moves:
        x1, x2 = nodes[move.source].column * step + NODE, nodes[move.target].column * step
        y1, y2, width, bend = starts[id(move)], stops[id(move)], thick[id(move)], (x1 + x2) / 2
        shape = (
            f"M{round_to(x1)} {round_to(y1)}C{round_to(bend)} {round_to(y1)} {round_to(bend)} {round_to(y2)} "
            f"{round_to(x2)} {round_to(y2)}v{round_to(width)}C{round_to(bend)} {round_to(y2 + width)} "
            f"{round_to(bend)} {round_to(y1 + width)} {round_to(x1)} {round_to(y1 + width)}z"
        )
        ends = f"{names.get(move.source, move.source)} → {names.get(move.target, move.target)}"
        said = f"{ends}, {write_number(move.count, language)} ({write_share(move.share, language, 1)})"
        drawn.append(f'<path d="{shape}" class="flow"><title>{escape(said)}</title></path>')
    return drawn


def _table(title: str, moves: Sequence[Move], names: Mapping[str, str], language: Language) -> str:
    words = (labels.FROM, labels.TO, labels.PASSAGES, labels.SHARE, labels.INTERVAL)
    headings = [Cell(word.in_language(language), number=word in (labels.PASSAGES, labels.SHARE)) for word in words]
    rows = [
        [
            Cell(names.get(move.source, move.source)),
            Cell(names.get(move.target, move.target)),
            Cell(write_number(move.count, language), number=True),
            Cell(write_share(move.share, language, 1), number=True),
            Cell(write_interval(write_share(move.low, language, 1), write_share(move.high, language, 1), language)),
        ]
        for move in sorted(moves, key=lambda move: (-move.count, move.source, move.target))
    ]
    return draw_table(title, headings, rows)
