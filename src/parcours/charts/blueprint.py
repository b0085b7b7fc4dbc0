"""The service blueprint as a map: stages in columns, lanes over the three lines, experience and its causes on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import msgspec

from parcours.charts import labels
from parcours.charts.blueprint_legend import draw_broken, draw_icon, draw_legend
from parcours.charts.blueprint_plan import Spot, Ways, part_ways, route, spread
from parcours.charts.chart import Chart
from parcours.charts.numbers import write_number
from parcours.charts.scale import LEVELS, level_of, place, span_of, write_score, write_score_interval
from parcours.charts.table import Cell, draw_table
from parcours.charts.text import line, lines_of, open_svg, rect, text, wrap
from parcours.words import Language, Words

WIDTH = 1376.0
LANE_WIDTH = 104.0
GUTTER = 30.0
LINE_ROOM = 34.0
EDGE = 18.0


class StageColumn(msgspec.Struct, frozen=True):
    """A column of the map: the stage's name and a line of figures under it."""

    label: str
    note: str = ""


class TouchCard(msgspec.Struct, frozen=True, kw_only=True):
    """A touchpoint in front of the line; ``score`` is ``None`` where nobody was asked.

    ``stage`` is the column's number; ``score``, ``low`` and ``high`` are in the metric's own form (csat: shares);
    ``promise`` is the state of what is promised there, empty where nothing is; ``unseen`` says why a reader is not
    shown a number, where there is one.
    """

    id: str
    label: str
    stage: int
    human: bool
    channel: str
    href: str
    metric: str = ""
    scale: tuple[float, float] | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    evidence: str = ""
    promise: str = ""
    unseen: str = ""

    @property
    def level(self) -> int:
        """1 (worst) to 5, or 0 where it is not measured."""
        return 0 if self.score is None else level_of(self.metric, self.score, self.scale)

    def say_missing(self, language: Language) -> str:
        """Say why there is no score."""
        return labels.STATES.get(self.unseen, labels.NOT_MEASURED).in_language(language)

    @property
    def broken(self) -> bool:
        """Whether a promise made here is broken."""
        return self.promise == "broken"


class OperationBox(msgspec.Struct, frozen=True, kw_only=True):
    """An operation behind the line."""

    id: str
    label: str
    owner: str
    support: bool = False


class CauseEdge(msgspec.Struct, frozen=True, kw_only=True):
    """An operation and a touchpoint it supports.

    ``weight`` (0 to 1) is the size of the effect against the largest one drawn; ``rank`` numbers the edges worth
    showing strongly, ``None`` keeps the edge faint; ``hurts`` is the direction that the data show.
    """

    operation: str
    touchpoint: str
    weight: float = 0.0
    rank: int | None = None
    hurts: bool = True
    title: str = ""


class _Plan(msgspec.Struct, frozen=True):
    """Where everything stands, once the heights are known."""

    touches: dict[str, Spot]
    operations: dict[str, Spot]
    ways: Ways
    evidence_y: float
    evidenced: bool
    lines: tuple[float, float, float]
    bottom: float
    lane_height: dict[str, float]


def draw_blueprint(
    title: str,
    stages: Sequence[StageColumn],
    touches: Sequence[TouchCard],
    operations: Sequence[OperationBox],
    edges: Sequence[CauseEdge],
    language: Language,
) -> Chart:
    """Draw the map and its table twin; a card is a link to its ``href``.

    Edges name operations and touchpoints by id; one whose end is not on the map is left out.
    """
    plan = _plan(stages, touches, operations, edges)
    drawn = [edge for edge in edges if edge.touchpoint in plan.touches and edge.operation in plan.operations]
    strong = sorted((edge for edge in drawn if edge.rank is not None), key=lambda edge: edge.rank or 0)
    faint = [edge for edge in drawn if edge.rank is None]
    height = plan.bottom + 108
    parts = [
        open_svg(WIDTH, height, title, _summary(touches, language), "map", role="group"),
        f'<defs><pattern id="hatch-{language}" width="7" height="7" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><path d="M0 0V7" class="hatch"/></pattern></defs>',
        _draw_grounds(plan, len(stages)),
        _draw_stages(stages),
        _draw_evidence(plan, stages, touches),
        _draw_lines(plan, bool(_of(operations, True)), language),
        *(
            _draw_touch(card, plan, [edge for edge in faint if edge.touchpoint == card.id], language)
            for card in touches
        ),
        *(_draw_operation(box, plan.operations[box.id]) for box in operations),
        _draw_strong(strong, plan),
        draw_legend(plan.bottom + 22, LANE_WIDTH, language),
        "</svg>",
    ]
    behind = {
        card.id: [box.label for box in operations if (box.id, card.id) in {(e.operation, e.touchpoint) for e in edges}]
        for card in touches
    }
    return Chart("".join(parts), _table(title, stages, touches, behind, language))


def _of(operations: Sequence[OperationBox], support: bool) -> list[OperationBox]:
    return [box for box in operations if box.support is support]


# --- where things stand -------------------------------------------------------------------------------------------


def _column_width(stages: Sequence[StageColumn]) -> float:
    return (WIDTH - LANE_WIDTH - EDGE) / max(len(stages), 1)


def _plan(
    stages: Sequence[StageColumn],
    touches: Sequence[TouchCard],
    operations: Sequence[OperationBox],
    edges: Sequence[CauseEdge],
) -> _Plan:
    column = _column_width(stages)
    width = min(column - GUTTER, 232.0)
    inset = (column - width) / 2
    evidence_y = 92.0
    evidence = max((len(_evidence_rows(i, touches, width)) for i in range(len(stages))), default=0)
    evidence = max(evidence, 4) if evidence else 0  # never lower than its own heading
    interaction_y = evidence_y + evidence * 15 + (24 if evidence else 0)
    card_height = 84 + 16 * max((len(wrap(card.label, width - 40, 13, 3, bold=True)) for card in touches), default=1)
    spots: dict[str, Spot] = {}
    stacked = [0] * max(len(stages), 1)
    for card in touches:
        y = interaction_y + LINE_ROOM + stacked[card.stage] * (card_height + 14)
        spots[card.id] = Spot(LANE_WIDTH + card.stage * column + inset, y, width, card_height, card.stage)
        stacked[card.stage] += 1
    visibility_y = interaction_y + LINE_ROOM + max(stacked) * (card_height + 14) + 6
    channel_y = visibility_y + 30
    ranked = sum(edge.rank is not None for edge in edges)
    y = channel_y + 8 * ranked + 26
    boxes: dict[str, Spot] = {}
    y = _place(_of(operations, False), edges, touches, stages, y, boxes, first_row=0)
    internal_y = y + 4
    support = _of(operations, True)
    bottom = _place(support, edges, touches, stages, internal_y + LINE_ROOM, boxes, first_row=1) if support else y
    lanes = {"front": interaction_y + 26, "back": visibility_y + 30, "support": internal_y + 26, "customer": evidence_y}
    ways = Ways(LANE_WIDTH, column, channel_y)
    return _Plan(spots, boxes, ways, evidence_y, evidence > 0, (interaction_y, visibility_y, internal_y), bottom, lanes)


def _place(
    operations: Sequence[OperationBox],
    edges: Sequence[CauseEdge],
    touches: Sequence[TouchCard],
    stages: Sequence[StageColumn],
    y: float,
    boxes: dict[str, Spot],
    first_row: int,
) -> float:
    """Place boxes near what they support, fill ``boxes``, and return the y below them."""
    column = _column_width(stages)
    width = min(column - GUTTER, 232.0)
    inset = (column - width) / 2
    stage_of = {card.id: card.stage for card in touches}
    wanted = []
    for box in operations:
        columns = [
            stage_of[edge.touchpoint] for edge in edges if edge.operation == box.id and edge.touchpoint in stage_of
        ]
        wanted.append(sum(columns) / len(columns) if columns else (len(stages) - 1) / 2)
    height = 44 + 15 * max((len(wrap(box.label, width - 24, 12.5, 3, bold=True)) for box in operations), default=1)
    placed = spread(wanted, max(len(stages), 1))
    for box, (number, row) in zip(operations, placed, strict=True):
        x = LANE_WIDTH + number * column + inset
        boxes[box.id] = Spot(x, y + row * (height + 16), width, height, number, row + first_row)
    return y + (max((row for _, row in placed), default=-1) + 1) * (height + 16) + 8


# --- what is drawn ------------------------------------------------------------------------------------------------


def _draw_grounds(plan: _Plan, columns: int) -> str:
    """Behind the line of visibility the ground is darker: what customers cannot see."""
    visibility_y = plan.lines[1]
    parts = [rect(0, visibility_y, WIDTH, plan.bottom - visibility_y, "backstage", 6)]
    for number in range(1, columns):
        x = LANE_WIDTH + number * plan.ways.column_width
        parts.append(line(x, 70, x, visibility_y, "column-rule"))
    return "".join(parts)


def _draw_stages(stages: Sequence[StageColumn]) -> str:
    """Stages as a band of chevrons, left to right: the way the customer goes."""
    column = _column_width(stages)
    parts = []
    for number, stage in enumerate(stages):
        x, point = LANE_WIDTH + number * column, 11
        notch = f"L{x + point:.1f} 24" if number else ""
        end = x + column - 3
        shape = f"M{x:.1f} 0H{end - point:.1f}L{end:.1f} 24L{end - point:.1f} 48H{x:.1f}{notch}z"
        rows = wrap(stage.label, column - 46, 13.5, 2, bold=True)
        parts.append(f'<path d="{shape}" class="stage-band"/>')
        parts.append(lines_of(x + 22, 29 - 8 * (len(rows) - 1), rows, 16, "stage-name"))
        if stage.note:
            parts.append(lines_of(x + 15, 66, wrap(stage.note, column - 18, 11.5, 2), 14, "small soft"))
    return "".join(parts)


def _evidence_rows(stage: int, touches: Sequence[TouchCard], width: float) -> list[str]:
    said = list(dict.fromkeys(card.evidence for card in touches if card.stage == stage and card.evidence))
    return [row for sentence in said[:3] for row in wrap(sentence, width, 12, 2)]


def _draw_evidence(plan: _Plan, stages: Sequence[StageColumn], touches: Sequence[TouchCard]) -> str:
    column = plan.ways.column_width
    width = min(column - GUTTER, 232.0)
    parts = []
    for number in range(len(stages)):
        rows = _evidence_rows(number, touches, width)
        if rows:
            x = LANE_WIDTH + number * column + (column - width) / 2
            parts.append(lines_of(x, plan.evidence_y + 12, rows, 15, "evidence"))
    return "".join(parts)


def _draw_lines(plan: _Plan, support: bool, language: Language) -> str:
    interaction_y, visibility_y, internal_y = plan.lines
    parts = [
        _lane(labels.CUSTOMER, plan.lane_height["customer"], language) if plan.evidenced else "",
        _lane(labels.FRONT, plan.lane_height["front"], language),
        _lane(labels.BACKSTAGE, plan.lane_height["back"], language),
        line(0, interaction_y, WIDTH, interaction_y, "line-interaction"),
        text(
            WIDTH - EDGE - 22, interaction_y - 6, labels.LINE_OF_INTERACTION.in_language(language), "line-name", "end"
        ),
        line(0, visibility_y, WIDTH, visibility_y, "line-visibility"),
        text(
            WIDTH - EDGE - 22,
            visibility_y + 17,
            labels.LINE_OF_VISIBILITY.in_language(language),
            "line-name strong",
            "end",
        ),
    ]
    if support:
        parts += [
            _lane(labels.SUPPORT, plan.lane_height["support"], language),
            line(0, internal_y, WIDTH, internal_y, "line-internal"),
            text(
                WIDTH - EDGE - 22,
                internal_y + 16,
                labels.LINE_OF_INTERNAL_INTERACTION.in_language(language),
                "line-name",
                "end",
            ),
        ]
    return "".join(parts)


def _lane(label: Words, y: float, language: Language) -> str:
    return lines_of(10, y + 12, wrap(label.in_language(language), LANE_WIDTH - 22, 12, 4, bold=True), 15, "lane-name")


def _draw_touch(card: TouchCard, plan: _Plan, edges: Sequence[CauseEdge], language: Language) -> str:
    spot = plan.touches[card.id]
    faint = "".join(f'<path d="{route(plan.operations[e.operation], spot, plan.ways).path}"/>' for e in edges)
    ways = f'<g class="ways" aria-hidden="true">{faint}</g>' if faint else ""
    shape = 14 if card.human else 3
    ground = (
        f'fill="url(#hatch-{language})" rx="{shape}" class="hatched"'
        if card.level == 0
        else f'rx="{shape}" class="tile"'
    )
    rows = wrap(card.label, spot.width - 40, 13, 3, bold=True)
    name = describe_touch(card, language)
    under = "" if card.level else rect(spot.x, spot.y, spot.width, spot.height, "tile", shape)
    return (
        f'<g class="touch x{card.level}">{ways}<a href="{escape(card.href)}" aria-label="{escape(name)}">'
        f"<title>{escape(name)}</title>{under}"
        f'<rect x="{spot.x:.1f}" y="{spot.y:.1f}" width="{spot.width:.1f}" height="{spot.height:.1f}" {ground}/>'
        + lines_of(spot.x + 12, spot.y + 22, rows, 16, "touch-name")
        + draw_icon(spot.x + spot.width - 25, spot.y + 9, card.human)
        + _draw_reading(card, spot, language)
        + (draw_broken(spot.x + spot.width - 12, spot.y + spot.height - 7, language) if card.broken else "")
        + "</a></g>"
    )


def _draw_reading(card: TouchCard, spot: Spot, language: Language) -> str:
    """The score, its interval as a small bar and in words, and how many answers it rests on."""
    bottom = spot.y + spot.height
    if card.score is None or card.low is None or card.high is None:
        return text(spot.x + 12, bottom - 16, card.say_missing(language), "small")
    left, right = spot.x + 12, spot.x + spot.width - 12
    domain = span_of(card.metric, card.scale)
    low, high = place(card.low, domain, (left, right)), place(card.high, domain, (left, right))
    score = place(card.score, domain, (left, right))
    return (
        text(left, bottom - 34, write_score(card.metric, card.score, language), "score")
        + text(right, bottom - 45, labels.METRICS.get(card.metric, card.metric), "small", "end")
        + text(right, bottom - 31, f"n\u202f=\u202f{write_number(card.n, language)}", "small", "end")
        + line(left, bottom - 22, right, bottom - 22, "track")
        + rect(low, bottom - 24.5, max(high - low, 3), 5, "reach", 2.5)
        + f'<circle cx="{score:.1f}" cy="{bottom - 22:.1f}" r="4" class="dot"/>'
        + text(left, bottom - 7, write_score_interval(card.metric, card.low, card.high, language), "small")
    )


def describe_touch(card: TouchCard, language: Language) -> str:
    """Say a card in one sentence: its name, who is met, the score with interval, answers and level."""
    kind = (labels.HUMAN if card.human else labels.DIGITAL).in_language(language)
    start = f"{card.label} ({card.channel}, {kind})"
    colon = "\u00a0: " if language == "fr" else ": "
    end = f", {labels.PROMISE_BROKEN.in_language(language)}" if card.broken else ""
    if card.score is None:
        return f"{start}{colon}{card.say_missing(language)}{end}"
    interval = write_score_interval(card.metric, card.low, card.high, language)
    return (
        f"{start}{colon}{labels.METRICS.get(card.metric, card.metric)} {write_score(card.metric, card.score, language)}"
        f" [{interval}], {write_number(card.n, language)} {labels.ANSWERS.in_language(language)}, "
        f"{LEVELS[card.level - 1].in_language(language)}{end}"
    )


def _draw_operation(box: OperationBox, spot: Spot) -> str:
    rows = wrap(box.label, spot.width - 24, 12.5, 3, bold=True)
    owner = wrap(box.owner, spot.width - 24, 11, 1)
    return (
        rect(spot.x, spot.y, spot.width, spot.height, "operation", 3)
        + lines_of(spot.x + 12, spot.y + 24, rows, 15, "operation-name")
        + lines_of(spot.x + 12, spot.y + spot.height - 11, owner, 13, "small soft")
    )


def _draw_strong(edges: Sequence[CauseEdge], plan: _Plan) -> str:
    """The edges worth looking at, over everything else, each with its number at both ends."""
    at_touch: dict[str, int] = {}
    parts = []
    apart = part_ways([(plan.operations[edge.operation], plan.touches[edge.touchpoint]) for edge in edges])
    for number, (edge, (track, port)) in enumerate(zip(edges, apart, strict=True)):
        spot = plan.touches[edge.touchpoint]
        entry = 0.3 + 0.22 * (at_touch.get(edge.touchpoint, 0) % 3)
        at_touch[edge.touchpoint] = at_touch.get(edge.touchpoint, 0) + 1
        way = route(plan.operations[edge.operation], spot, plan.ways, track, entry, 8.0 * number + 4, port)
        css = "hurts" if edge.hurts else "helps"
        parts.append(
            f'<g class="edge {css}"><title>{escape(edge.title)}</title>'
            f'<path d="{way.path}" stroke-width="{1.5 + 2.5 * edge.weight:.1f}"/>'
            f"{_number(way.arrival, edge.rank, 8)}{_number(way.badge, edge.rank, 9.5)}</g>"
        )
    return "".join(parts)


def _number(at: tuple[float, float], rank: int | None, radius: float) -> str:
    x, y = at
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>{text(x, y + 4, str(rank), "badge", "middle")}'


# --- in words -----------------------------------------------------------------------------------------------------


def _summary(touches: Sequence[TouchCard], language: Language) -> str:
    measured = [card for card in touches if card.level]
    if language == "fr":
        return (
            f"{len(touches)} points de contact, dont {len(measured)} mesurés. Le tableau ci-dessous dit la même chose."
        )
    return f"{len(touches)} touchpoints, {len(measured)} of them measured. The table below says the same."


def _table(
    title: str,
    stages: Sequence[StageColumn],
    touches: Sequence[TouchCard],
    behind: Mapping[str, Sequence[str]],
    language: Language,
) -> str:
    words = (
        labels.TOUCHPOINT,
        labels.STAGE,
        labels.CHANNEL,
        labels.METRIC,
        labels.SCORE,
        labels.INTERVAL,
        labels.COUNT,
        labels.LEVEL,
        labels.PROMISE,
        labels.OPERATIONS,
    )
    headings = [Cell(word.in_language(language), number=word in (labels.SCORE, labels.COUNT)) for word in words]
    rows = []
    for card in touches:
        level = LEVELS[card.level - 1].in_language(language) if card.level else card.say_missing(language)
        kind = (labels.HUMAN if card.human else labels.DIGITAL).in_language(language)
        rows.append(
            [
                Cell(card.label, card.href),
                Cell(stages[card.stage].label),
                Cell(f"{card.channel} ({kind})"),
                Cell(labels.METRICS.get(card.metric, card.metric)),
                Cell(write_score(card.metric, card.score, language), number=True),
                Cell(write_score_interval(card.metric, card.low, card.high, language)),
                Cell(write_number(card.n, language), number=True),
                Cell(level),
                Cell(labels.STATES[card.promise].in_language(language) if card.promise else ""),
                Cell(", ".join(behind[card.id])),
            ]
        )
    return draw_table(title, headings, rows)
