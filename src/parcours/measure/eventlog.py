"""The log of touches and operations that one purpose may see, written in the formats other tools read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from xml.sax.saxutils import quoteattr

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from parcours.engine.sql.step import Step
from parcours.errors import ParcoursError
from parcours.words import Words

if TYPE_CHECKING:
    from parcours.blueprint.records import Blueprint
    from parcours.know import Permitted

TOUCH_LOG = Step(
    name="touch_log",
    text="""
    select customer, event_no, occurred_ms, touchpoint, site, value_cents
    from touches
    order by customer nulls last, occurred_ms nulls last, event_no nulls last
    """,
    reads=("touches",),
    gives={
        "customer": "int",
        "event_no": "int",
        "occurred_ms": "int",
        "touchpoint": "int",
        "site": "text",
        "value_cents": "int",
    },
)
Row = dict[str, Any]


def write_log(rows: Permitted, blueprint: Blueprint, form: str, path: Path) -> int:
    """Write the log to ``path`` as ``xes``, ``ocel``, ``parquet`` or ``csv``; return the number of events.

    Customers are numbered (``customer-17``): no identifier and no free text leaves. XES is IEEE 1849-2016, a trace a
    customer; OCEL is OCEL 2.0 JSON, with customers and the blueprint's objects, operations marked not ``visible``.
    """
    writers: dict[str, Callable[[Permitted, Blueprint, Path], int]] = {
        "xes": _write_xes,
        "ocel": _write_ocel,
        "parquet": _write_parquet,
        "csv": _write_csv,
    }
    if form not in writers:
        raise ParcoursError(
            "unknown_format",
            Words(fr=f"Le format « {form} » n'existe pas.", en=f"There is no format “{form}”."),
            Words(fr="Formats : bpmn, xes, ocel, parquet, csv.", en="Formats: bpmn, xes, ocel, parquet, csv."),
        )
    return writers[form](rows, blueprint, path)


def _named_touches(rows: Permitted, blueprint: Blueprint) -> pa.Table:
    """Return the touches with ids for codes and UTC timestamps for milliseconds."""
    table = rows.run(TOUCH_LOG)
    ids = pa.array([touchpoint.id for touchpoint in blueprint.touchpoints])
    stages = pa.array([touchpoint.stage for touchpoint in blueprint.touchpoints])
    channels = pa.array([touchpoint.channel for touchpoint in blueprint.touchpoints])
    codes = table["touchpoint"].combine_chunks()
    moments = table["occurred_ms"].cast(pa.timestamp("ms", tz="UTC"))
    return pa.table(
        {
            "customer": table["customer"],
            "event_no": table["event_no"],
            "occurred_at": moments,
            "touchpoint": ids.take(codes),
            "stage": stages.take(codes),
            "channel": channels.take(codes),
            "site": table["site"],
            "value_cents": table["value_cents"],
        }
    )


def _write_parquet(rows: Permitted, blueprint: Blueprint, path: Path) -> int:
    table = _named_touches(rows, blueprint)
    pa.parquet.write_table(table, path, compression="zstd")
    return int(table.num_rows)


def _write_csv(rows: Permitted, blueprint: Blueprint, path: Path) -> int:
    table = _named_touches(rows, blueprint)
    pa.csv.write_csv(table, path)
    return int(table.num_rows)


def _write_xes(rows: Permitted, blueprint: Blueprint, path: Path) -> int:
    written, trace = 0, None
    with path.open("w", encoding="utf-8") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        file.write('<log xes.version="1849-2016" xes.features="" xmlns="http://www.xes-standard.org/">\n')
        for name, prefix in (("Concept", "concept"), ("Time", "time"), ("Organizational", "org")):
            uri = f"http://www.xes-standard.org/{prefix}.xesext"
            file.write(f'  <extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n')
        for row in _each(_named_touches(rows, blueprint)):
            if row["customer"] != trace:
                file.write("  </trace>\n" if trace is not None else "")
                trace = row["customer"]
                file.write(f'  <trace>\n    <string key="concept:name" value="customer-{trace}"/>\n')
            _write_xes_event(file, row)
            written += 1
        file.write("  </trace>\n" if trace is not None else "")
        file.write("</log>\n")
    return written


def _write_xes_event(file: TextIO, row: Row) -> None:
    file.write(f'    <event><string key="concept:name" value={quoteattr(row["touchpoint"])}/>')
    file.write(f'<date key="time:timestamp" value="{row["occurred_at"].isoformat(timespec="milliseconds")}"/>')
    for key, name in (("parcours:stage", "stage"), ("parcours:channel", "channel"), ("org:group", "site")):
        if row[name] is not None:
            file.write(f'<string key="{key}" value={quoteattr(row[name])}/>')
    file.write("</event>\n")


def _write_ocel(rows: Permitted, blueprint: Blueprint, path: Path) -> int:
    """Write OCEL 2.0 JSON event by event, so that a large log never stands in memory as Python objects."""
    kinds = blueprint.objects
    seen: dict[str, str] = {}
    with path.open("w", encoding="utf-8") as file:
        file.write('{"eventTypes":')
        attributes = [{"name": "visible", "type": "boolean"}, {"name": "site", "type": "string"}]
        names = [one.id for one in blueprint.touchpoints] + [one.id for one in blueprint.operations]
        json.dump([{"name": name, "attributes": attributes} for name in names], file)
        file.write(',"objectTypes":')
        json.dump([{"name": kind, "attributes": []} for kind in ("customer", *kinds)], file)
        file.write(',"events":[')
        written = 0
        for event in _ocel_events(rows, blueprint, seen):
            file.write(("," if written else "") + "\n" + json.dumps(event, ensure_ascii=False))
            written += 1
        file.write('\n],"objects":[')
        for number, (id, kind) in enumerate(seen.items()):
            file.write(("," if number else "") + "\n" + json.dumps({"id": id, "type": kind}))
        file.write("\n]}\n")
    return written


def _ocel_events(rows: Permitted, blueprint: Blueprint, seen: dict[str, str]) -> Iterator[Row]:
    kinds = blueprint.objects
    for row in _each(rows.run(_object_log("touches", kinds))):
        tied = [("customer", f"customer-{row['customer']}"), *_tied_objects(row, kinds)]
        seen.update({id: kind for kind, id in tied})
        yield _ocel_event(row, blueprint.touchpoints[row["code"]].id, True, tied)
    for row in _each(rows.run(_object_log("operations", kinds))):
        tied = _tied_objects(row, kinds)
        seen.update({id: kind for kind, id in tied})
        yield _ocel_event(row, blueprint.operations[row["code"]].id, False, tied)


def _tied_objects(row: Row, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(kind, f"{kind}-{row[f'object_{kind}']}") for kind in kinds if row[f"object_{kind}"] is not None]


def _ocel_event(row: Row, name: str, visible: bool, tied: list[tuple[str, str]]) -> Row:
    moment = datetime.fromtimestamp(row["occurred_ms"] / 1000, UTC).isoformat(timespec="milliseconds")
    attributes: list[Row] = [{"name": "visible", "value": visible}]
    if row["site"] is not None:
        attributes.append({"name": "site", "value": row["site"]})
    return {
        # One event may be a touch at two touchpoints, or a touch and an operation: its number alone is not unique.
        "id": f"{name}-{row['event_no']}",
        "type": name,
        "time": moment.replace("+00:00", "Z"),
        "attributes": attributes,
        "relationships": [{"objectId": id, "qualifier": kind} for kind, id in tied],
    }


@cache
def _object_log(table: str, kinds: tuple[str, ...]) -> Step:
    """Return the step that lists one table's events with the objects that this blueprint declares."""
    ties = "".join(f", object_{kind}" for kind in kinds)
    touched = table == "touches"
    who, code = ("customer", "touchpoint") if touched else ("cast(null as integer) as customer", "operation")
    return Step(
        name=f"object_log_{table}_{'_'.join(kinds)}",
        text=f"""
        select {who}, event_no, occurred_ms, {code} as code, site{ties} from {table} order by event_no nulls last
        """,
        reads=(table,),
        gives={
            "customer": "int",
            "event_no": "int",
            "occurred_ms": "int",
            "code": "int",
            "site": "text",
            **{f"object_{kind}": "int" for kind in kinds},
        },
    )


def _each(table: pa.Table) -> Iterator[Row]:
    for batch in table.to_batches(max_chunksize=20_000):
        yield from batch.to_pylist()
