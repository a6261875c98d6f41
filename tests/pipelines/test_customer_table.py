"""From a frame of orders to one row a customer, in one call."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.errors import ContractError
from models.bgnbd import BetaGeoModel
from pipelines.customer_table import customer_table
from tests.cdnow_sample import purchase_days

NAMES = {"customer_id": "customer_id", "ordered_at": "date", "amount": "amount"}
END_OF_CALIBRATION = date(1997, 10, 1)


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    return purchase_days()


def test_it_is_the_table_of_the_papers(orders: pd.DataFrame) -> None:
    """Fader, Hardie, Lee (2005): BG/NBD on the CDNOW sample in weeks, where T ends with the last day.

    The papers count an order of $0 as a purchase, so the amounts are not looked at.
    """
    found = customer_table(orders, {k: NAMES[k] for k in ("customer_id", "ordered_at")}, END_OF_CALIBRATION)
    assert list(found) == ["customer_id", "cutoff", "frequency", "recency", "T"]
    assert len(found) == 2357
    weeks = found.assign(recency=found["recency"] / 7, T=(found["T"] - 1) / 7)
    assert BetaGeoModel().fit(weeks).loglik_ == pytest.approx(-9582.429, abs=2e-3)


def test_the_holdout_stands_beside_it(orders: pd.DataFrame) -> None:
    found = customer_table(orders, NAMES, END_OF_CALIBRATION, horizons=[90, 3650])
    later = orders[orders["date"].between("1997-10-01", "1997-12-29")]
    bought = later.loc[later["amount"] > 0, "customer_id"].astype(str).unique()
    assert list(found)[2:6] == ["frequency", "recency", "T", "monetary_value"]
    expected = found["customer_id"].isin(bought).astype(float)
    np.testing.assert_array_equal(found["y_purchased_90d"], expected)
    assert 100 < expected.sum() < 1000
    assert found["y_purchased_3650d"].isna().all()  # the log does not go that far


def test_windows_of_any_length_are_had_by_their_names(orders: pd.DataFrame) -> None:
    """What a model asks for whose config had other horizons."""
    wanted = ["orders_45d", "spend_100d"]
    found = customer_table(orders, NAMES, END_OF_CALIBRATION, features=wanted, horizons=[30])
    days = (pd.Timestamp(END_OF_CALIBRATION) - orders["date"]).dt.days
    of_100 = orders[days.between(1, 100)].groupby("customer_id")["amount"].sum()
    found = found.set_index("customer_id")
    assert list(found)[1:] == [*wanted, "y_purchased_30d", "y_orders_30d", "y_spend_30d"]
    assert found["orders_45d"].sum() == days.between(1, 45).sum()
    np.testing.assert_allclose(found["spend_100d"].loc[of_100.index], of_100)
    assert found["spend_100d"].sum() == pytest.approx(of_100.sum())


def test_by_default_it_ends_with_the_log(orders: pd.DataFrame) -> None:
    found = customer_table(orders, NAMES, features="all")
    assert (found["cutoff"] == orders.loc[orders["amount"] > 0, "date"].max() + pd.Timedelta(days=1)).all()
    assert {"days_since_last_order", "gap_irregularity", "frequency"} < set(found)


def test_what_it_cannot_use_it_says(orders: pd.DataFrame) -> None:
    some = orders.head(50).assign(customer_id=lambda t: t["customer_id"].astype(object))
    some.loc[some.index[:3], "customer_id"] = None
    with pytest.warns(UserWarning, match=r"50 read = 47 used \+ 3 set aside \(no_customer 3\)"):
        customer_table(some, NAMES)
    with pytest.raises(ContractError, match=r"1 of 1 features are unknown.*'frequencies'.*frequency"):
        customer_table(orders, NAMES, features=["frequencies"])
    with pytest.raises(ContractError, match=r"column 'total' .for amount. is missing"):
        customer_table(orders, NAMES | {"amount": "total"})
    with pytest.raises(ContractError, match="no purchase of the frame of orders is known before 1990-01-01"):
        customer_table(orders, NAMES, date(1990, 1, 1))
    with pytest.raises(ContractError, match="no purchase among the 0 rows"):
        customer_table(orders.head(0), NAMES)
