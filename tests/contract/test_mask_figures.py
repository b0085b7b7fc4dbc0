"""The figures that docs give of masks hold: recall by kind and false flags on synthetic French texts."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def test_masks_keep_their_bars() -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "masks.py"
    spec = importlib.util.spec_from_file_location("masks_benchmark", path)
    assert spec
    assert spec.loader
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    recall, false, _ = bench.measure(each=200, clean=600, seed=23)
    assert set(recall) == set(bench.BARS)
    for kind, bar in bench.BARS.items():
        assert recall[kind] >= bar, kind
    assert 0 < false < bench.MOST_FALSE
