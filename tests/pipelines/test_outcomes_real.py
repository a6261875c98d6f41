"""The outcome ledger on Online Retail: trained and scored in the past, closed, and counted anew."""

import shutil
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines.cli import main
from tests.features.conftest import data_file
from tests.features.reference_ledger import EPOCH, Entry, Line, entries_of, net_days

CONFIG = """\
[project]
name = "online retail"
currency = "GBP"
[tables.transactions]
source = "orders.parquet"
[tables.transactions.columns]
customer_id = "customer_id"
order_id = "invoice"
ordered_at = "invoice_date"
product_id = "stock_code"
quantity = "quantity"
unit_price = "unit_price"
[policy]
cancellation = { column = "order_id", prefix = "C" }
[target]
horizons = [28, 90]
"""
DATES = ["2011-07-01", "2011-08-01", "2011-09-01"]


def entries(log: pd.DataFrame) -> dict[str, list[Entry]]:
    """Each customer's ledger, refunds given to the orders they take back one by one, in plain Python."""
    known = log[log["customer_id"].notna() & (log["quantity"] * log["unit_price"] != 0)]
    found: defaultdict[str, list[Line]] = defaultdict(list)
    for row in known.itertuples():
        at = row.invoice_date.to_pydatetime()
        day, number, customer = (at.date() - EPOCH).days, str(row.invoice), str(int(row.customer_id))
        amount = round(row.quantity * row.unit_price * 10_000)
        found[customer].append(
            Line(
                customer=customer, order=number, product=str(row.stock_code), at=at, day=day, known=day,
                amount=-abs(amount) if number.startswith("C") else amount,
                is_refund=number.startswith("C") or amount < 0,
                category=None, channel=None, quantity=0, discount=0,
            )
        )  # fmt: skip
    return {customer: entries_of(lines) for customer, lines in found.items()}


def came(ledger: list[Entry], as_of: date, days: int) -> tuple[int, int, float]:
    """Whether one customer bought in the window, how often, and for how much."""
    start = (as_of - EPOCH).days
    end = start + days
    mine = [e for e in ledger if start <= e.day < end and not (e.is_refund and e.known >= end)]
    net = net_days(mine).values()
    return int(len(net) > 0), sum(n for _, n in net), sum(amount for amount, _ in net) / 10_000


@pytest.mark.heavy
def test_three_past_dates_of_a_real_shop(tmp_path: Path) -> None:
    path = data_file("online_retail", "online_retail.parquet")
    shutil.copy(path, tmp_path / "orders.parquet")
    config = tmp_path / "repurchase.toml"
    config.write_text(CONFIG, encoding="utf-8")
    commands = [["train", "--as-of", DATES[0]], ["promote"], *(["score", "--as-of", d] for d in DATES)]
    for words in [*commands, ["outcomes", "--as-of", "2011-12-01"]]:
        assert main(["--config", str(config), "--quiet", *words]) == 0
    table = pd.read_csv(tmp_path / "out" / "outcomes" / "as_of=2011-12-01" / "outcomes.csv", dtype=str)
    ledgers = entries(pd.read_parquet(path))
    for as_of in DATES:
        scores = pd.read_parquet(tmp_path / "out" / "scores" / f"as_of={as_of}" / "scores.parquet")
        assert len(scores) > 2000
        for horizon in (28, 90):
            p = scores[f"p_purchase_{horizon}d"]
            decile = ((p.rank() - 0.5) * 10 / len(p)).astype(int).add(1).astype(str)
            what = [came(ledgers[c], date.fromisoformat(as_of), horizon) for c in scores["customer_id"]]
            counted = pd.DataFrame(what, columns=["buyers", "orders", "spend"])
            said = pd.DataFrame(
                {
                    "buyers": p,
                    "orders": scores[f"expected_orders_{horizon}d"],
                    "spend": scores[f"expected_spend_{horizon}d"],
                }
            )
            mine = table[(table["as_of"] == as_of) & (table["horizon"] == str(horizon))]
            for by, group in (("run", pd.Series(as_of, index=p.index)), ("decile", decile)):
                lines = mine[mine["by"] == by].set_index(["measure", "group"])[["expected", "actual"]]
                for measure in counted:
                    found = lines.loc[measure].astype(float)
                    np.testing.assert_allclose(
                        found["expected"], said[measure].groupby(group).sum()[found.index]
                    )
                    np.testing.assert_allclose(
                        found["actual"], counted[measure].groupby(group).sum()[found.index], rtol=1e-9
                    )
    assert date.fromisoformat(DATES[-1]) + timedelta(90) <= date(2011, 12, 1)
