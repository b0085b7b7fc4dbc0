"""`parcours retention`: receipts as a person and as a program read them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.boutique import NOW_MS, WEB, deliver, make_company, make_event, take_over, write_time
from tests.cli.conftest import call

KEPT = "  - {id: improve, label: {fr: A, en: A}, basis: contract, measures: [all], retention_days: 10}\n"


def test_receipts_are_listed(tmp_path: Path) -> None:
    company = make_company(tmp_path / "shop", KEPT, sources=(WEB,))
    assert "Nothing has passed" in call("--lang", "en", "retention", str(company.folder)).stdout
    old = write_time(NOW_MS - 20 * 86_400_000)
    deliver(company, make_event(1, timestamp=old), make_event(3, timestamp=old), make_event(4))
    take_over(company)
    company.know.upkeep.retain()
    told = call("--lang", "en", "retention", str(company.folder)).stdout
    assert "2 events" in told
    assert "1 texts" in told
    (receipt,) = json.loads(call("retention", str(company.folder), "--json").stdout)
    assert receipt["rows"] == 2
    assert receipt["purposes"] == {"improve": 2}
    assert all(len(digest) == 64 for digest in receipt["before"].values())
