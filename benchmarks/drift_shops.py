"""Shops in which nothing goes wrong: simulated ones of several kinds, and CDNOW."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from models.simulate import ShopSpec, simulate_shop
from pipelines.demo import cdnow_log

CDNOW = "cdnow"

SIMULATED = {
    "growing": ShopSpec(n_customers=1500, days=600, acquisition_days=600),
    "all at once": ShopSpec(n_customers=1500, days=600, acquisition_days=90),
    "fading": ShopSpec(n_customers=3000, days=1100, acquisition_days=60),
    "seasonal": ShopSpec(n_customers=1500, days=900, acquisition_days=900, season_amplitude=0.5),
    "one season": ShopSpec(n_customers=1500, days=600, acquisition_days=600, season_amplitude=0.5),
    "busy": ShopSpec(n_customers=600, days=600, acquisition_days=600, r=1.2, alpha=12.0, a=0.5, b=4.0),
    "small": ShopSpec(n_customers=250, days=600, acquisition_days=600, r=0.8, alpha=30.0),
    "refunds": ShopSpec(n_customers=1000, days=730, acquisition_days=600, refund_share=0.05),
}

_CONFIG = """\
[project]
name = "bench"
[tables.transactions]
source = "orders.parquet"
columns = {{ {columns} }}
[policy]
{policy}
"""
_ORDERS = ("customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price")


def shops(
    names: Sequence[str], draws: int, folder: Path, given: Mapping[str, Path]
) -> Iterator[tuple[str, Path]]:
    """Lay out each shop in a folder of its own, and give its name and the path of its config.

    Parameters
    ----------
    names : sequence of str
        Of `SIMULATED`, `CDNOW` and those given.
    draws : int
        How many shops of each simulated kind.
    folder : Path
        Where to.
    given : Mapping[str, Path]
        Configs of other shops.
    """
    for name in names:
        if name in given:
            yield name, given[name]
        elif name == CDNOW:
            log = cdnow_log()
            one_in_five = log[log["customer_id"].astype(int) % 5 == 0]
            yield name, _lay_out(folder / name, one_in_five, _cdnow())
        else:
            for seed in range(draws):
                orders = simulate_shop(SIMULATED[name], seed).transactions
                yield f"{name} {seed}", _lay_out(folder / f"{name} {seed}", orders, _simulated())


def _cdnow() -> str:
    columns = 'customer_id = "customer_id", ordered_at = "date", amount = "amount"'
    return _CONFIG.format(columns=columns, policy="")


def _simulated() -> str:
    columns = ", ".join(f'{name} = "{name}"' for name in _ORDERS)
    return _CONFIG.format(columns=columns, policy='cancellation = { column = "order_id", prefix = "C" }')


def _lay_out(folder: Path, orders: pd.DataFrame, config: str) -> Path:
    folder.mkdir(parents=True)
    orders.to_parquet(folder / "orders.parquet")
    (folder / "repurchase.toml").write_text(config, encoding="utf-8")
    return folder / "repurchase.toml"
