"""The records: what is kept at the door, and the measures that a purpose may name."""

from parcours.blueprint import read_blueprint, template_path
from parcours.blueprint.records import MEASURES
from parcours.measure import MEASURES as COMPUTED


def test_a_purpose_may_name_exactly_the_measures_that_are_computed() -> None:
    assert set(MEASURES) == {measure.name for measure in COMPUTED}


def test_only_named_properties_are_kept() -> None:
    kinds = read_blueprint(template_path("grocery")).field_kinds()
    assert kinds == {
        "sales_value": "number",
        "card_discount": "number",
        "shop_id": "category",
        "income": "category",
        "campaign_type": "category",
    }


def test_every_event_that_the_blueprint_names_is_found() -> None:
    names = {match.name for match in read_blueprint(template_path("grocery")).matches()}
    assert names == {
        "Campaign Sent",
        "Item Bought",
        "Coupon Redeemed",
        "Campaign Started",
        "Campaign Ended",
        "Coupon Issued",
    }
