"""A small simulated Vietnamese shop: amounts in đồng, and a status that says which orders were cancelled."""

from pathlib import Path

import numpy as np
import pandas as pd

from models.simulate import ShopSpec, simulate_shop

SPEC = ShopSpec(n_customers=300, start="2024-01-01", days=300, acquisition_days=180, r=1.0, alpha=40.0, a=0.5)
CUSTOMER, ORDER, DAY, AMOUNT, STATUS = "Mã KH", "Mã đơn hàng", "Ngày đặt", "Thành tiền", "Trạng thái"
DONE, CANCELLED = "Hoàn thành", "Đã hủy"
LEAVE_OUT = f'leave_out = {{ column = "{STATUS}", values = ["{CANCELLED}"] }}\n'
CONFIG = f"""\
[project]
name = "cửa hàng"
currency = "VND"
[tables.transactions]
source = "don.csv"
formats = {{ ordered_at = "%d/%m/%Y %H:%M" }}
[tables.transactions.columns]
customer_id = "{CUSTOMER}"
order_id = "{ORDER}"
ordered_at = "{DAY}"
amount = "{AMOUNT}"
[target]
horizons = [30, 60]
primary_horizon = 60
[training]
cutoffs = 2
[policy]
"""


def orders() -> pd.DataFrame:
    """The shop's orders, amounts in whole thousands; one in ten is cancelled."""
    bought = simulate_shop(SPEC, seed=5).transactions
    amount = (20 * bought["quantity"] * bought["unit_price"]).abs().round().clip(1, 999).astype(int) * 1000
    cancelled = np.random.default_rng(1).random(len(bought)) < 0.1
    return pd.DataFrame(
        {
            CUSTOMER: bought["customer_id"],
            ORDER: bought["order_id"],
            DAY: bought["ordered_at"].dt.strftime("%d/%m/%Y %H:%M"),
            AMOUNT: amount,
            STATUS: np.where(cancelled, CANCELLED, DONE),
        }
    )


def lay_out(folder: Path, log: pd.DataFrame, config: str = CONFIG + LEAVE_OUT) -> Path:
    """Write the log and the config; return the config's path."""
    log.to_csv(folder / "don.csv", index=False)
    (folder / "repurchase.toml").write_text(config, encoding="utf-8")
    return folder / "repurchase.toml"
