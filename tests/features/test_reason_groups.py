"""Every feature belongs to one group of reasons, and every group says why it can be acted on or not."""

import pytest

from features.catalogue import visible_features
from features.errors import ContractError
from features.reason_groups import GROUPS, group_of, is_actionable
from features.wording import stem

FEATURES = [f.name for f in visible_features(horizons=[30, 45], has=None)]
SAID_BY_MODELS = {"btyd_log_odds", "btyd_days_if_any", "btyd_p_alive", "btyd_spend_per_day", "formula"}


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_of_the_catalogue_has_a_group(name: str) -> None:
    assert group_of(name) in GROUPS


def test_the_table_names_nothing_else_and_nothing_twice() -> None:
    members = [member for group in GROUPS.values() for member in group.members]
    assert len(members) == len(set(members))
    assert set(members) == {stem(name) for name in FEATURES} | SAID_BY_MODELS


@pytest.mark.parametrize("name", GROUPS)
def test_every_group_is_justified_in_a_line_or_two(name: str) -> None:
    assert 20 < len(GROUPS[name].why) < 200
    assert GROUPS[name].why.endswith(".")


def test_what_the_shop_can_do_something_about() -> None:
    actionable = ("contacts_7d", "discount_share", "n_refunds", "first_order_value", "n_categories",
                  "order_channel_switches", "carts_since_last_order", "support_90d")  # fmt: skip
    assert all(is_actionable(group_of(name)) for name in actionable)
    context = (
        "T",
        "days_since_signup",
        "cohort_month",
        "frequency",
        "total_spend",
        "orders_90d",
        "attr_tier",
    )
    assert not any(is_actionable(group_of(name)) for name in context)


def test_an_attribute_is_a_group_of_its_own() -> None:
    assert group_of("attr_tier") == "attr_tier"
    assert group_of("attr_orders_30d") == "attr_orders_30d"


def test_a_feature_without_a_group_is_refused_with_the_closest() -> None:
    with pytest.raises(ContractError, match="silent_cycles"):
        group_of("silent_cycle")
