"""The touchpoint's page: changes in points, cautions where they belong, comments newest first."""

from __future__ import annotations

import pytest
from firm import Firm

from parcours.words import Words
from parcours.workspaces.pages.touchpoint import is_concerned, read_touchpoint, write_reading


@pytest.mark.parametrize(
    ("id", "metric", "change", "said"),
    [
        ("delivery", "csat", 0.04, "4 points"),
        ("delivery", "csat", 0.014, "1,4 point"),
        ("loyalty", "nps", 12.3, "12 points"),
        ("checkout", "ces", 0.31, "0,3 point"),
    ],
)
def test_a_detectable_change_is_in_points(firm: Firm, id: str, metric: str, change: float, said: str) -> None:
    row = {"metric": metric, "score": 0.6, "low": 0.5, "high": 0.7, "n": 90, "detectable_change": change}
    assert write_reading(firm.blueprint.touchpoint(id), row, "fr").detectable == said


def test_a_caution_stays_with_what_it_names(firm: Firm) -> None:
    delivery = firm.blueprint.touchpoint("delivery").label.fr
    late, slow = (firm.blueprint.operation(id).label.fr for id in ("carrier_delay", "page_latency"))
    told = {
        "own": Words(fr=f"« {late} » → « {delivery} » : pas de chiffre."),
        "general": Words(fr="Le panel n'a pas de site."),
        "works": Words(fr=f"Une part peut être due au hasard : « {late} » (40 %)."),
        "others": Words(fr=f"Une part peut être due au hasard : « {slow} » (40 %)."),
    }

    def ask(id: str, estimated: bool) -> set[str]:
        return {
            name
            for name, warning in told.items()
            if is_concerned(firm.blueprint, warning, id, {"carrier_delay"}, estimated)
        }

    assert ask("delivery", True) == {"own", "general", "works"}
    assert ask("delivery", False) == {"own"}
    assert ask("checkout", True) == {"general", "works"}


def test_the_latest_comment_comes_first(firm: Firm) -> None:
    page = read_touchpoint(firm, "fr", "delivery")
    assert [comment.text[:7] for comment in page.comments] == ["Livreur", "Le coli", "xxxxxxx"]


def test_what_counts_as_bad_stands_beside_its_number(firm: Firm) -> None:
    stakes = read_touchpoint(firm, "fr", "delivery").stakes
    assert stakes is not None
    assert stakes.below in stakes.bad
    assert "note inférieure à" in stakes.bad
