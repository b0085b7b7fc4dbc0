"""Who is who at size: the fold beside what others do, ten thousand more edges, a look-up, and how many are right."""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import duckdb
import numpy as np
import numpy.typing as npt

from parcours.collect.door import IDENTIFIERS
from parcours.know.identity.fold import LIMITS, Evidence, fold, fold_coded, number_people
from parcours.know.identity.news import News, Rulings
from parcours.know.identity.people import People
from parcours.know.identity.standing import Standing
from parcours.know.pseudonyms import Numbers

KEY = bytes(range(32))
USER, MAIL, PHONE, DEVICE = range(4)
Places = npt.NDArray[np.intp]


class World(NamedTuple):
    """People that were made up: identifiers by type, whose each is (-1: nobody's), and edges in their order (n × 2)."""

    kinds: npt.NDArray[np.int8]
    owner: Places
    ends: Places


def make_world(people: int, seed: int, shared: float = 0.03, junk: float = 0.004, common_mail: float = 0.01) -> World:
    """Make people with accounts and devices; some lend a device or a mailbox, and a source writes rubbish.

    ``shared`` of the devices are used by a second person too; on ``junk`` of them an event carries the identifier of
    nobody (what a block list does not know); ``common_mail`` of the mailboxes are used with a second account.
    """
    draw = np.random.default_rng(seed)
    has = {USER: draw.random(people) < 0.6, MAIL: draw.random(people) < 0.7, PHONE: draw.random(people) < 0.25}
    devices = np.minimum(1 + draw.geometric(0.45, people), 15)
    everyone = np.arange(people)
    owners = [np.flatnonzero(has[kind]) for kind in (USER, MAIL, PHONE)]
    junk_owners = [np.full(count, -1) for count in (3, 5, 3)]
    lists, starts, place = {}, {}, 0
    owner = []
    for kind in (USER, MAIL, PHONE):
        starts[kind] = place
        lists[kind] = np.full(people, -1)
        lists[kind][owners[kind]] = place + np.arange(len(owners[kind]))
        owner += [owners[kind], junk_owners[kind]]
        place += len(owners[kind]) + len(junk_owners[kind])
    whose = np.repeat(everyone, devices)
    owner.append(whose)
    device = place + np.arange(len(whose))
    kinds = np.repeat(
        np.arange(4, dtype=np.int8), [*(len(owners[k]) + len(junk_owners[k]) for k in (USER, MAIL, PHONE)), len(whose)]
    )
    strong = np.where(has[USER], lists[USER], np.where(has[MAIL], lists[MAIL], lists[PHONE]))
    ends: list[Places] = []

    def see(one: Places, other: Places) -> None:
        there = (one >= 0) & (other >= 0) & (one != other)
        ends.append(np.column_stack((one[there], other[there])))

    see(strong[whose], device)
    see(lists[USER], lists[MAIL])
    see(strong, lists[PHONE])
    lent = np.flatnonzero(draw.random(len(device)) < shared)
    see(strong[draw.integers(0, people, len(lent))], device[lent])
    common = np.flatnonzero(has[MAIL] & (draw.random(people) < common_mail))
    see(lists[USER][draw.integers(0, people, len(common))], lists[MAIL][common])
    rubbish = np.flatnonzero(draw.random(len(device)) < junk)
    nobody = np.concatenate([starts[k] + len(owners[k]) + np.arange(len(junk_owners[k])) for k in (USER, MAIL, PHONE)])
    see(draw.choice(nobody, len(rubbish)), device[rubbish])
    mistyped = np.flatnonzero(has[USER] & (draw.random(people) < junk / 4))
    see(lists[USER][mistyped], draw.choice(nobody[3:], len(mistyped)))
    seen = np.unique(np.sort(np.concatenate(ends), axis=1), axis=0)
    return World(kinds, np.concatenate(owner), seen[draw.permutation(len(seen))])


def add_chains(world: World, chains: int, length: int) -> World:
    """Add chains of mails and phones, each beside the next: what ruins methods that walk step by step."""
    mails = np.flatnonzero(world.kinds == MAIL)[: chains * length // 2]
    phones = np.flatnonzero(world.kinds == PHONE)[: chains * length // 2]
    ends = np.arange(1, len(phones)) % (length // 2) != 0
    links = np.concatenate((np.column_stack((mails, phones)), np.column_stack((mails[1:], phones[:-1]))[ends]))
    ends = np.concatenate((world.ends, links))
    return world._replace(ends=ends[np.random.default_rng(3).permutation(len(ends))])


def name_world(world: World) -> Evidence:
    """Give identifiers pseudonyms, and edges event numbers."""
    draw = np.random.default_rng(5)
    pseudonyms = np.empty(len(world.kinds), np.int64)
    for kind in range(len(IDENTIFIERS)):
        places = np.flatnonzero(world.kinds == kind)
        pseudonyms[places] = np.sort(draw.integers(0, 1 << 61, len(places))) | (kind << 61)
    seen = np.column_stack((np.arange(len(world.ends)), pseudonyms[world.ends]))
    return Evidence(pseudonyms=pseudonyms, first_seen=draw.permutation(len(pseudonyms)), seen=seen)


def measure(name: str, ask: Callable[[], Any]) -> tuple[Any, float]:
    """Ask, print what it took, and return the answer with the CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    answer = ask()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name}: {cpu:.2f} CPU s, {wall:.2f} s wall", flush=True)
    return answer, cpu


def fold_world(world: World, first_seen: Numbers) -> None:
    """Fold what is coded already, as far as numbered profiles."""
    most = [LIMITS[kind] for kind in IDENTIFIERS]
    folded = fold_coded(world.kinds, world.ends, np.zeros(len(world.ends), np.int8), most)
    number_people(folded.groups, first_seen)


def jump_pointers(world: World) -> int:
    """Find components in DuckDB: hook every root to the lowest neighbour, jump, until nothing moves; return rounds."""
    con = duckdb.connect()
    con.execute("SET threads = 2")
    a, b = world.ends[:, 0].astype(np.int32), world.ends[:, 1].astype(np.int32)
    edges = {"a": a, "b": b}  # noqa: F841 - DuckDB reads it by its name
    con.execute(
        "CREATE TABLE e AS SELECT unnest(a) AS a, unnest(b) AS b FROM (SELECT $a AS a, $b AS b)", {"a": a, "b": b}
    )
    con.execute(f"CREATE TABLE p AS SELECT range::INTEGER AS n, range::INTEGER AS p FROM range({len(world.kinds)})")
    rounds = 0
    while True:
        rounds += 1
        con.execute(
            "CREATE OR REPLACE TABLE h AS SELECT r, min(l) AS l FROM (SELECT greatest(x.p, y.p) AS r, least(x.p, y.p) "
            "AS l FROM e JOIN p x ON x.n = e.a JOIN p y ON y.n = e.b WHERE x.p <> y.p) GROUP BY r"
        )
        if not con.execute("SELECT count(*) FROM h").fetchall()[0][0]:
            return rounds
        con.execute("CREATE OR REPLACE TABLE p AS SELECT p.n, coalesce(h.l, p.p) AS p FROM p LEFT JOIN h ON h.r = p.p")
        while con.execute("SELECT count(*) FROM p JOIN p q ON q.n = p.p WHERE q.p <> p.p").fetchall()[0][0]:
            con.execute("CREATE OR REPLACE TABLE p AS SELECT p.n, q.p AS p FROM p JOIN p q ON q.n = p.p")


def walk_networkx(world: World) -> int:
    """Find components with networkx; return how many there are."""
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(len(world.kinds)))
    graph.add_edges_from(world.ends.tolist())
    return sum(1 for _ in networkx.connected_components(graph))


def cluster_splink(world: World) -> int:
    """Find components with Splink's clustering on DuckDB; return how many there are."""
    import pyarrow as pa
    from splink import DuckDBAPI
    from splink.clustering import cluster_pairwise_predictions_at_threshold

    nodes = pa.table({"id": np.arange(len(world.kinds))})
    edges = pa.table(
        {"id_l": world.ends[:, 0], "id_r": world.ends[:, 1], "match_probability": np.ones(len(world.ends))}
    )
    found = cluster_pairwise_predictions_at_threshold(
        nodes, edges, DuckDBAPI(), node_id_column_name="id", threshold_match_probability=0.5
    )
    rows = found.as_duckdbpyrelation().aggregate("count(DISTINCT cluster_id)").fetchall()
    return int(rows[0][0])


def add_edges(standing: Standing, evidence: Evidence, edges: int) -> None:
    """Bring who is who up to date with ``edges`` more edges, half of which show a device for the first time."""
    draw = np.random.default_rng(11)
    accounts = evidence.pseudonyms[: np.searchsorted(evidence.pseudonyms, DEVICE << 61)]
    known = evidence.pseudonyms[len(accounts) :]
    none = Rulings(*(np.empty(shape, np.int64) for shape in ((0, 4), (0, 2), (0, 3), 0)))
    for turn in range(5):
        fresh = np.unique(draw.integers(0, 1 << 61, edges // 2)) | (DEVICE << 61)
        beside = np.concatenate((fresh, draw.choice(known, edges - len(fresh))))
        one = draw.choice(accounts, edges)
        # A tenth join accounts.
        other = np.where(draw.random(edges) < 0.1, draw.choice(accounts, edges), beside)
        event_nos = np.arange(edges) + (turn + 1) * 100_000_000
        seen = np.column_stack((event_nos, np.minimum(one, other), np.maximum(one, other)))
        news = News(fresh, np.full(len(fresh), event_nos[0]), seen)
        measure(f"{edges:,} more edges", lambda news=news: standing.take(news, none))


def look_up(standing: Standing, evidence: Evidence) -> None:
    """Look identifiers up one by one."""
    asked = np.random.default_rng(13).choice(evidence.pseudonyms, 50_000).tolist()
    took = np.empty(len(asked))
    for place, pseudonym in enumerate(asked):
        began = time.perf_counter_ns()
        standing.profile(pseudonym)
        took[place] = time.perf_counter_ns() - began
    print(f"look-up: p50 {np.percentile(took, 50) / 1000:.1f} µs, p99 {np.percentile(took, 99) / 1000:.1f} µs")


def score(people: People, owner: Places) -> dict[str, float]:
    """Return precision, recall and F1 over pairs of identifiers that are somebody's, and the biggest profile."""
    told = owner >= 0
    person, truth = people.person[told].astype(np.int64), owner[told]

    def pairs(codes: Numbers) -> float:
        sizes = np.unique(codes, return_counts=True)[1].astype(np.float64)
        return float((sizes * (sizes - 1) / 2).sum())

    right, said, due = pairs(person * (truth.max() + 1) + truth), pairs(person), pairs(truth)
    biggest = int(np.bincount(people.person).max())
    return {"precision": right / said, "recall": right / due, "F1": 2 * right / (said + due), "biggest": biggest}


def protect(people: int) -> None:
    """Print how many merges are right where devices and mailboxes are shared and a source writes rubbish."""
    world = make_world(people, seed=1)
    evidence = name_world(world)
    loose = {"user": 10**6, "mail": 10**6, "phone": 10**6, "device": 10**6}
    # The block list does its part at the door: identifiers of nobody never arrive. Without it limits stand alone.
    nobody = evidence.pseudonyms[world.owner < 0]
    clean = np.column_stack((nobody, np.full(len(nobody), -1)))
    none = np.empty((0, 2), np.int64)
    honest = world.owner[world.ends[:, 0]] == world.owner[world.ends[:, 1]]
    for name, seen, limits, renamed in (
        ("the most that its true edges can give", evidence.seen[honest], loose, clean),
        ("as it comes", evidence.seen, {}, clean),
        ("rubbish unknown to the block list", evidence.seen, {}, none),
        ("that, and no limits", evidence.seen, loose, none),
    ):
        told = Evidence(
            pseudonyms=evidence.pseudonyms,
            first_seen=evidence.first_seen,
            seen=seen,
            limits=limits,
            renamed=renamed,
        )
        figures = ", ".join(f"{key} {value:,.3f}" for key, value in score(fold(told, KEY), world.owner).items())
        print(f"{people:,} people, {name}: {figures}", flush=True)


def compare(world: World, first_seen: Numbers, peers: tuple[str, ...]) -> None:
    """Print what the fold and each of ``peers`` take over one world."""
    print(f"{len(world.ends):,} edges, {len(world.kinds):,} identifiers")
    own = min(measure("fold, coded, to numbered profiles", lambda: fold_world(world, first_seen))[1] for _ in range(3))
    asked = {"duckdb": jump_pointers, "networkx": walk_networkx, "splink": cluster_splink}
    for name in peers:
        _, cpu = measure(f"{name}, components alone", lambda name=name: asked[name](world))
        print(f"{name}: {cpu / own:.1f} × the fold's CPU")


def main() -> None:
    """Measure everything and print it with the machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_405_000)
    parser.add_argument("--peers", default="duckdb", help="at the full size: duckdb, networkx, splink")
    parser.add_argument("--small", type=int, default=160_000, help="people for peers that would take minutes")
    parser.add_argument("--small-peers", default="duckdb,networkx,splink")
    asked = parser.parse_args()
    print(
        f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}, DuckDB {duckdb.__version__}"
    )
    # What names nobody is blocked at the door: it never comes so far.
    world = add_chains(make_world(asked.people, seed=7, junk=0), asked.people // 8_000, 500)
    evidence = name_world(world)
    compare(world, evidence.first_seen, tuple(filter(None, asked.peers.split(","))))
    small = add_chains(make_world(asked.small, seed=7, junk=0), asked.small // 8_000, 500)
    compare(small, name_world(small).first_seen, tuple(filter(None, asked.small_peers.split(","))))
    people, _ = measure("fold, from pseudonyms", lambda: fold(evidence, KEY))
    none = Rulings(*(np.empty(shape, np.int64) for shape in ((0, 4), (0, 2), (0, 3), 0)))
    standing, _ = measure("opened for more", lambda: Standing(people, none, {}, KEY))
    add_edges(standing, evidence, 10_000)
    measure("laid out again for whoever reads them", standing.people)
    look_up(standing, evidence)
    protect(1_400_000 if asked.people >= 1_000_000 else asked.people)


if __name__ == "__main__":
    main()
