-- One step for each allowed function or construct, wider than what the product asks; read by test_engines.py.
-- A probe is `-- name: columns and kinds`, then perhaps `-- sample: its parameters as JSON`, then its text.

-- first: k int, f text, l int
select k, pc_first(s, ms, no) as f, pc_last(a, ms, no) as l from numbers group by k

-- first_all: f float, l bool
select pc_first(x, ms, no) as f, pc_last(t, no, no) as l from numbers

-- count: k int, n int, na int, ds int, d int, c int, m int
select k, count(*) as n, count(a) as na, count(distinct s) as ds, count(*) - count(a) as d, coalesce(count(b), -1) as
c, count(*) * -1 as m from numbers group by k

-- count_all: n int, na int, d int
select count(*) as n, count(a) as na, count(distinct a) as d from numbers

-- sum: k int, s int, f float, c int
select k, sum(a) as s, sum(x) as f, sum(case when a > 0 then 1 else 0 end) as c from numbers group by k

-- aggregate_all: s int, lo int, hi text, m float, sd float, t bool, x float
select sum(a) as s, min(a) as lo, max(s) as hi, avg(x) as m, stddev_samp(x) as sd, min(t) as t, max(x) as x from
numbers

-- avg: k int, m float, mx float, sd float, sx float, n int
select k, avg(a) as m, avg(x) as mx, stddev_samp(a) as sd, stddev_samp(x) as sx, count(*) as n from numbers group by k

-- stddev_window: no int, sd float
select no, stddev_samp(x) over (order by no rows between 2 preceding and current row) as sd from numbers

-- median: k int, m float, ma float
select k, pc_median(x) as m, pc_median(a) as ma from numbers group by k

-- filter: s int, n int, d int, e text
select sum(a) filter (where k > 1) as s, count(*) filter (where t) as n, count(distinct k) filter (where a is null) as
d, max(s) filter (where k > 99) as e from numbers

-- having: k int, n int
select k, count(*) as n from numbers group by k having count(*) > 3 and sum(a) is not null

-- group_null: s text, t bool, n int
select s, t, count(*) as n from numbers group by s, t

-- group_value: place text, week int, n int
select coalesce(s, '') as place, pc_week_ms(ms) as week, count(*) as n from numbers group by coalesce(s, ''),
pc_week_ms(ms)

-- group_output: day int, n int
select pc_day_ms(ms) as day, count(*) as n from numbers group by day

-- group_place: key int, n int
select coalesce(k, -1) as key, count(*) as n from numbers group by 1

-- same_name: k int, a int, top int
select k, sum(a) as a, max(a) as top from numbers group by k order by a desc, k

-- same_name_value: s text, no int
select coalesce(s, 'none') as s, no from numbers where s is null or s < 'b' order by s, no

-- distinct: k int, s text
select distinct k, s from numbers

-- order: no int, a int, s text
select no, a, s from numbers order by a desc, s, no limit 7

-- order_nulls: no int, x float
select no, x from numbers order by x nulls first, no desc

-- limit: no int
-- sample: {"lo": -2, "most": 5}
select no from numbers where a > $lo order by no limit $most offset 1

-- union: v int, w text
select a as v, 'a' as w from numbers union all select b, 'b' from numbers union all select 3, null from others order
by v desc, w

-- union_group: k int, s int
with u as (select k, a from numbers union all select k, a from others) select k, sum(a) as s from u group by k

-- join: no int, other int
select n.no, o.no as other from numbers n join others o on n.k = o.k and n.s = o.s

-- join_between: no int, c int, s int
select n.no, count(*) as c, sum(o.a) as s from numbers n join others o on n.k = o.k and o.a between n.a - 2 and n.a +
2 group by n.no

-- left_join: no int, other int, word text, missing bool
select n.no, o.no as other, o.s as word, o.a is null as missing from numbers n left join others o on n.k = o.k and o.a
> n.a

-- left_join_count: no int, c int, s int
select n.no, count(o.no) as c, sum(o.a) as s from numbers n left join others o on n.s = o.s group by n.no

-- cross_join: no int, top int
select n.no, m.top from numbers n cross join (select max(a) as top from others) m

-- using: k int, no int, other int
select k, n.no, o.no as other from numbers n join others o using (k)

-- in_select: no int
select no from numbers where k in (select k from others where a > 0)

-- exists: no int
select n.no from numbers n where exists (select 1 from others o where o.k = n.k and o.a > 0)

-- not_exists: no int
select n.no from numbers n where not exists (select 1 from others o where o.k = n.k)

-- in_list: no int, i bool, o bool, w bool
select no, k in (1, 2) as i, k not in (1, 2) as o, s in ('a', 'É') as w from numbers

-- parameters: no int
-- sample: {"ks": [1, 2], "words": ["a", "l'été", "z\\b"], "x": -1.5, "t": true, "s": "\\'"}
select no from numbers where (k in $ks or s in $words) and x > $x and t = $t and s <> $s

-- no_list: no int, i bool, o bool
-- sample: {"none": [], "nothing": []}
select no, k in $none as i, s not in $nothing as o from numbers

-- null_parameter: no int, a int
-- sample: {"fill": null}
select no, coalesce(a, $fill) as a from numbers

-- scalar: no int, top int, none int
select no, (select max(a) from others) as top, (select max(k) from others where a > 99) as none from numbers

-- case: no int, w text, c int, x float
select no, case when a > 1 then 'big' when a is null then 'none' end as w, case k when 1 then 10 when 2 then -20 else
5000000000 end as c, case when x > 0 then 1.5 else x end as x from numbers

-- logic: no int, u bool, v bool, w bool, i bool, e bool, c bool
select no, a > 1 and b < 2 as u, a > 1 or b < 2 as v, not a > 1 as w, a between b and 3 as i, coalesce(a = b, false)
as e, case when t then a > 1 else b > 1 end as c from numbers

-- boolean_column: no int, g bool, w text, i int, n bool
with q as (select no, a > b as g from numbers) select no, g, cast(g as varchar) as w, cast(g as bigint) as i, not g as
n from q where g or g is null

-- coalesce: no int, c int, d int, e text
select no, coalesce(a, b, 0) as c, nullif(a, b) as d, coalesce(s, 'none') as e from numbers

-- greatest: no int, g int, l int, h float, w text
select no, greatest(a, b) as g, least(a, b, 0) as l, greatest(x, 0.5) as h, least(s, 'b') as w from numbers

-- abs: no int, a int, x float, d int, c int
select no, abs(a) as a, abs(x) as x, abs(a) - 100 as d, coalesce(abs(a), -1) as c from numbers

-- floor: no int, f float, c float, i int
select no, floor(x) as f, ceil(x) as c, cast(floor(x) as bigint) as i from numbers

-- arithmetic: no int, p int, m int, q int, n int, h float, y float, l int
select no, a + b as p, a - b as m, a * b as q, -a as n, a * 0.5 as h, x * 2 + a as y, 3 - 5 as l from numbers

-- remainder: no int, r int, z int, c int
select no, a % 3 as r, a % b as z, -7 % 3 as c from numbers

-- division: no int, d float, t float, i int, j int, n int
select no, pc_div(a, b) as d, pc_div(a, 3) as t, pc_intdiv(a, b) as i, pc_intdiv(a, 3) as j, pc_intdiv(ms, -86400000)
as n from numbers

-- time: no int, ms int, d int, w int, m int
select no, ms, pc_day_ms(ms) as d, pc_week_ms(ms) as w, pc_month_ms(ms) as m from numbers

-- cast: no int, i int, f float, s text, t int, n int, b bool, w text
select no, cast(x as bigint) as i, cast(a as double) as f, cast(a as varchar) as s, cast(t as integer) as t, cast(a as
smallint) as n, cast(a as boolean) as b, cast(t as varchar) as w from numbers

-- cast_halves: no int, h int, u int
select no, cast(a * 0.5 as bigint) as h, cast(a + 0.5 as integer) as u from numbers

-- text: no int, j text, l text, u text, n int, b bool, q text
select no, s || '-' || cast(k as varchar) as j, lower(s) as l, upper(s) as u, length(s) as n, s < 'b' as b, 'it''s \ '
|| s as q from numbers

-- rank: no int, r int, p int, d int, m int
select no, row_number() over (partition by k order by a, no) as r, rank() over (order by a) as p, dense_rank() over
(partition by k order by s desc) as d, row_number() over (order by no) - 5 as m from numbers

-- lag: no int, p int, n text, gap int
select no, lag(a) over (partition by k order by ms, no) as p, lead(s, 2) over (order by no) as n, ms - lag(ms) over
(partition by k order by ms, no) as gap from numbers

-- running: no int, s int, m int, n int, f float, t int, g int, c int
select no, sum(a) over (partition by k order by ms, no rows between unbounded preceding and current row) as s, max(a)
over (partition by k order by no rows between unbounded preceding and 1 preceding) as m, count(*) over (partition by
k) as n, avg(x) over (order by no rows between 3 preceding and current row) as f, min(a) over (partition by k order by
ms) as t, sum(a) over (order by no rows between current row and 2 following) as g, count(b) over (partition by s) as c
from numbers

-- star: no int, more int
with q as (select * from numbers), r as (select q.*, a + 1 as more from q) select no, more from r

-- nested: k int, n int
select k, n from (with z as (select k, count(*) as n from numbers group by k) select k, n from z where n > 1) as
inside where k is not null

-- boolean_sum: k int, n int, lo bool, hi bool
select k, sum(case when t then 1 else 0 end) as n, min(t) as lo, max(a > 0) as hi from numbers group by k

-- count_signed: k int, n int, m int, r int, w int
select k, case when k > 1 then count(*) else -1 end as n, -count(*) as m, count(*) % -3 as r,
    pc_intdiv(count(*), -2) as w
from numbers group by k

-- length_signed: no int, n int
select no, case when k > 1 then length(s) else -1 end as n from numbers

-- rank_signed: no int, r int
select no, case when k > 1 then rank() over (order by no) else -1 end as r from numbers

-- stddev_alone: no int, sd float
select no, stddev_samp(x) as sd from numbers group by no

-- lag_of_count: k int, p int, n int
with q as (select k, count(*) as n from numbers group by k)
select k, lag(n) over (order by k) as p, lead(n) over (order by k) as n from q

-- left_join_made: no int, n int, one int, w text
select n.no, q.n, q.one, q.w
from numbers n left join (select k, count(*) as n, 1 as one, 'yes' as w from others where k > 1 group by k) q
    on n.k = q.k

-- sum_of_nothing: s int, lo int, m float, p float
with q as (select k, count(*) as n from numbers group by k)
select sum(n) as s, min(n) as lo, avg(n) as m, pc_median(n) as p from q where k > 99

-- first_of_nothing: f int
with q as (select k, count(*) as n from numbers group by k)
select pc_first(n, k, n) as f from q where k > 99

-- range: no int, s int, n int
select no, sum(a) over (order by k range between unbounded preceding and current row) as s,
    count(*) over (partition by k order by ms range between current row and unbounded following) as n
from numbers

-- empty_frame: no int, s int, n int, m int
select no, sum(a) over (order by no rows between 1 preceding and 1 preceding) as s,
    count(*) over (order by no rows between 2 preceding and 1 preceding) as n,
    min(no) over (order by no rows between 1 following and 1 following) as m
from numbers

-- comma: no int, other int
select n.no, o.no as other from numbers n, others o where n.k = o.k and n.a = o.a

-- three_joins: no int, c int
select n.no, count(*) as c
from numbers n
join others o on n.k = o.k
left join others p on p.s = n.s and p.a > n.a
left join others q on q.k = p.k
group by n.no

-- if: no int, w text
select no, if(a > 0, 'up', if(a < 0, 'down', 'flat')) as w from numbers

-- null_order_by_key: k int, n int, share float
select k, count(*) as n, pc_div(count(*), (select count(*) from numbers)) as share
from numbers group by k order by count(*) desc, k nulls first

-- union_alias: v int, n int
select k as v, count(*) as n from numbers group by k union all select a, 0 from others where a > 3
order by n desc, v limit 4

-- lateral_name: no int, d int, e int
select no, a + 1 as d, d * 2 as e from numbers

-- window_of_group: k int, n int, share float, total int
select k, count(*) as n, pc_div(count(*), sum(count(*)) over ()) as share, sum(count(*)) over (order by k) as total
from numbers group by k

-- big_numbers: no int, b int, c int
select no, ms * 1000 + 4000000000 as b, coalesce(ms, 9000000000000000) as c from numbers

-- month_edges: ms int, m int, w int
with q as (
    select 951782400000 as ms union all select 951868799999 union all select 951868800000 union all select -1
    union all select 0 union all select -2203891200001 union all select 1709164800000 union all select 4107542400000
)
select ms, pc_month_ms(ms) as m, pc_week_ms(ms) as w from q order by ms

-- escapes: w text, q text
select 'a\b' as w, 'it''s 100% \n "x" $y' as q from numbers where no >= 0 order by no limit 1

-- select_exists: no int, e bool
select no, exists (select 1 from others where a > 2) as e from numbers
