"""Which comments to read: the latest at a touchpoint, by reference; the text itself stays in the vault."""

from __future__ import annotations

from parcours.engine.sql.step import Step

COMMENTS = Step(
    name="latest_comments",
    text="""
    with placed as (
        select text_ref, score, occurred_ms, event_no,
               row_number() over (order by occurred_ms desc nulls last, event_no desc nulls last) as place
        from answers
        where touchpoint = $touchpoint and text_ref is not null
    )
    select text_ref, score, occurred_ms
    from placed
    where place <= $most
    order by occurred_ms desc nulls last, event_no desc nulls last
    """,
    reads=("answers",),
    gives={"text_ref": "int", "score": "float", "occurred_ms": "int"},
    sample={"touchpoint": 1, "most": 8},
)
