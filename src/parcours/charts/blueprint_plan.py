"""Where things stand on the service-blueprint map: boxes in their columns, and the routes of the edges between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from parcours.charts.text import round_to

CORNER = 7.0


class Spot(NamedTuple):
    """A rectangle on the map, with the column it stands in."""

    x: float
    y: float
    width: float
    height: float
    column: int
    row: int = 0

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return self.y + self.height / 2


def spread(wanted: Sequence[float], columns: int) -> list[tuple[int, int]]:
    """Give each box the (column, row) nearest to where it is wanted, no two in one place.

    ``wanted`` holds one column position a box (the barycentre of what it supports). Boxes keep the order of their
    wishes; there are as many rows as it takes.
    """
    if not wanted:
        return []
    rows = math.ceil(len(wanted) / columns)
    order = sorted(range(len(wanted)), key=lambda i: (wanted[i], i))
    slots = [round(min(max(wanted[i], 0), columns - 1)) * rows for i in order]
    for place in range(1, len(slots)):
        slots[place] = max(slots[place], slots[place - 1] + 1)
    for place in range(len(slots)):
        slots[place] = min(slots[place], columns * rows - (len(slots) - place))
    placed: list[tuple[int, int]] = [(0, 0)] * len(wanted)
    filled = [0] * columns
    for box, slot in zip(order, slots, strict=True):
        column = slot // rows
        placed[box] = (column, filled[column])
        filled[column] += 1
    return placed


class Route(NamedTuple):
    """An edge as it is drawn: its path, and where its number stands at the touchpoint and at the operation."""

    path: str
    arrival: tuple[float, float]
    badge: tuple[float, float]


class Ways(NamedTuple):
    """What routes run along: the left edge of the first column, the column width, and the channel below the line."""

    left: float
    column_width: float
    channel_y: float

    def gutter(self, number: int) -> float:
        """Return the middle of the gutter left of column ``number``."""
        return self.left + number * self.column_width


TRACKS = (0.0, 7.0, -7.0, 3.5, -3.5)
"""Where edges run in a gutter, from its middle: as far apart as leaves each one readable."""
PORTS = (0.0, 24.0, -24.0, 48.0, -48.0)
"""Where edges leave the top of an operation, from its middle: numbers do not hide each other."""
SIDE_PORTS = (0.0, -20.0, 20.0, -10.0, 10.0)
"""Where they leave its side."""


def find_gutters(operation: Spot, touch: Spot) -> tuple[int, int | None]:
    """Return the gutter in which an edge reaches the card, and the one beside an operation of a lower row."""
    arrival = touch.column + 1 if operation.column >= touch.column else touch.column
    if operation.row == 0:
        return arrival, None
    return arrival, min((operation.column, operation.column + 1), key=lambda gutter: abs(gutter - arrival))


def part_ways(edges: Sequence[tuple[Spot, Spot]]) -> list[tuple[float, float]]:
    """Give each (operation, touchpoint) its (track, port), so that those which share a gutter or a box stay apart."""
    taken: dict[tuple[str, int, int], set[float]] = {}
    found = []
    for operation, touch in edges:
        arrival, beside = find_gutters(operation, touch)
        gutters = [taken.setdefault(("gutter", gutter, 0), set()) for gutter in {arrival, beside} if gutter is not None]
        track = next((one for one in TRACKS if not any(one in used for used in gutters)), TRACKS[-1])
        for used in gutters:
            used.add(track)
        key = ("top", operation.column, 0) if beside is None else ("side", beside, operation.row)
        ports = taken.setdefault(key, set())
        port = next((one for one in (PORTS if beside is None else SIDE_PORTS) if one not in ports), 0.0)
        ports.add(port)
        found.append((track, port))
    return found


def route(
    operation: Spot,
    touch: Spot,
    ways: Ways,
    track: float = 0,
    entry: float = 0.5,
    depth: float = 0,
    port: float = 0,
) -> Route:
    """Lead an edge from ``operation`` up through the channel and a gutter into the side of ``touch``.

    ``track`` shifts it sideways in the gutters, ``entry`` says how far down the card it ends, ``depth`` how deep in the
    channel it runs and ``port`` how far from its middle it leaves the operation, so that edges which share a way stay
    apart. It runs in gutters and in the channel alone, never over a card.
    """
    arrival, beside = find_gutters(operation, touch)
    side_x = touch.x + touch.width if arrival > touch.column else touch.x
    gutter_x = ways.gutter(arrival) + track
    touch_y = touch.y + touch.height * entry
    channel_y = ways.channel_y + depth
    points = [(side_x, touch_y), (gutter_x, touch_y), (gutter_x, channel_y)]
    if beside is None:
        badge = (operation.x + operation.width / 2 + port, operation.y)
        points += [(badge[0], channel_y), badge]
    else:
        way_x = ways.gutter(beside) + track
        badge = (operation.x if beside == operation.column else operation.x + operation.width, operation.middle + port)
        points += [(way_x, channel_y), (way_x, badge[1]), badge]
    return Route(draw_rounded(points), (side_x, touch_y), badge)


def draw_rounded(points: Sequence[tuple[float, float]]) -> str:
    """Return a path through ``points`` whose corners are rounded as far as the legs allow."""
    kept = [points[0]]
    for point in points[1:]:
        if point != kept[-1]:
            kept.append(point)
    path = f"M{round_to(kept[0][0])} {round_to(kept[0][1])}"
    for before, corner, after in zip(kept, kept[1:], kept[2:], strict=False):
        radius = min(CORNER, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        start, end = _toward(corner, before, radius), _toward(corner, after, radius)
        path += (
            f"L{round_to(start[0])} {round_to(start[1])}"
            f"Q{round_to(corner[0])} {round_to(corner[1])} {round_to(end[0])} {round_to(end[1])}"
        )
    return f"{path}L{round_to(kept[-1][0])} {round_to(kept[-1][1])}"


def _toward(start: tuple[float, float], goal: tuple[float, float], distance: float) -> tuple[float, float]:
    whole = math.dist(start, goal)
    share = distance / whole if whole else 0.0
    return start[0] + (goal[0] - start[0]) * share, start[1] + (goal[1] - start[1]) * share
