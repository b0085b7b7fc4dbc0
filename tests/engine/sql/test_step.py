"""Steps are checked and registered where they are defined."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from parcours.engine.sql.step import STEPS, Step
from parcours.errors import ParcoursError


@pytest.fixture(autouse=True)
def forget_steps() -> Iterator[None]:
    """Leave the registry as it was, so that the contract suite never meets these."""
    before = dict(STEPS)
    yield
    STEPS.clear()
    STEPS.update(before)


def define(text: str, name: str = "tried", **more: object) -> Step:
    return Step(name=name, text=text, reads=("t", "u"), gives={"v": "int"}, **more)  # type: ignore[arg-type]


def test_a_step_is_found_by_its_name() -> None:
    step = define("select a as v from t")
    assert STEPS["tried"] is step


def test_the_same_step_may_be_defined_again_but_not_another_one() -> None:
    define("select a as v from t")
    define("select a as v from t")
    with pytest.raises(ParcoursError) as caught:
        define("select b as v from t")
    assert caught.value.code == "step_defined_twice"


def test_a_refused_step_is_not_registered() -> None:
    with pytest.raises(ParcoursError):
        define("select now() as v from t")
    assert "tried" not in STEPS


@pytest.mark.parametrize(
    ("expression", "instead"),
    [
        ("now()", "$now_ms"),
        ("a / b", "pc_div"),
        ("a // b", "pc_intdiv"),
        ("median(a)", "pc_median"),
        ("first(a)", "pc_first"),
        ("any_value(a)", "pc_first"),
        ("arg_max(a, b)", "pc_last"),
        ("last_value(a) over (order by b)", "pc_last"),
        ("epoch_ms(a)", "pc_day_ms"),
        ("date_trunc('week', a)", "pc_week_ms"),
        ("year(a)", "pc_month_ms"),
        ("round(a, 1)", "round in Python"),
        ("approx_count_distinct(a)", "count(distinct x)"),
        ("a is distinct from b", "coalesce"),
        ("a is true", "is null"),
        ("lag(a, 1, 0) over (order by b)", "coalesce"),
        ("lag(a) over (partition by b)", "order by"),
        ("row_number() over ()", "order by"),
        ("sum(a) over (order by b range between 3 preceding and current row)", "between"),
        ("sum(a) over (order by b groups between 3 preceding and current row)", "rows"),
        ("sum(distinct a)", "distinct subquery"),
        ("count(distinct a, b)", "distinct subquery"),
        ("count(distinct a) over ()", "group by"),
        ("a not in (select a from u)", "not exists"),
        ("cast(a as date)", "bigint"),
        ("pc_div(a)", "pc_div(a, b)"),
        ("pc_first(a, b, b) over ()", "group by"),
        ("pc_unheard_of(a)", "engines.md"),
        ("a like 'x%'", "engines.md"),
        ("a[1]", "engines.md"),
        ("random()", "engines.md"),
    ],
)
def test_what_engines_do_not_share_is_refused_with_what_to_use(expression: str, instead: str) -> None:
    with pytest.raises(ParcoursError) as caught:
        define(f"select {expression} as v from t")
    assert caught.value.code == "function_not_allowed"
    assert any(instead in fault.remedy.en for fault in caught.value.faults)
    assert all(fault.remedy.fr and fault.sentence.fr for fault in caught.value.faults)


@pytest.mark.parametrize(
    "text",
    [
        "select a as v from t union select b from u",
        "select a as v from t limit 3",
        "select t.a as v from t right join u on t.a = u.a",
        "select t.a as v from t full join u on t.a = u.a",
        "select t.a as v from t left join u on t.a < u.a",
        "select t.a as v from t natural join u",
        "select a as v from t group by all",
        "select a as v from t group by rollup (a)",
        "select a as v from t qualify row_number() over (order by a) = 1",
        "select a + 1 as v from t order by v + 1",
        "select a + 1 as v from t window w as (order by a)",
        "select distinct on (a) a as v from t",
        "select v from (values (1)) as x (v)",
        "select v from read_parquet('secret.parquet')",
        "with recursive x as (select 1 as v) select v from x",
        "with x as (select * from t join u on t.a = u.a) select v from x",
        "select a as v from t tablesample 3",
    ],
)
def test_shapes_that_engines_do_not_share_are_refused(text: str) -> None:
    with pytest.raises(ParcoursError) as caught:
        define(text)
    assert "function_not_allowed" in {fault.code for fault in caught.value.faults}


@pytest.mark.parametrize("text", ["select a b c", "drop table t", "select 1 as v; select 2 as v", ""])
def test_a_text_that_is_not_one_query_is_refused(text: str) -> None:
    with pytest.raises(ParcoursError) as caught:
        define(text)
    assert caught.value.code == "step_unreadable"


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ParcoursError) as caught:
        define("select now() as w, $lo as x from secret where a in $ks")
    codes = [fault.code for fault in caught.value.faults]
    assert codes == [
        "function_not_allowed",
        "table_not_declared",
        "parameter_without_sample",
        "parameter_without_sample",
        "step_gives_other_columns",
    ]


def test_steps_before_and_own_ctes_count_as_declared() -> None:
    first = define("select a as v from t", name="before")
    step = define("with own as (select v from before) select v from own", after=(first,))
    assert step.after == (first,)
