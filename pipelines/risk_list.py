"""The list of customers to act on, as CSV that is safe to open in a spreadsheet."""

import csv
from pathlib import Path

import pandas as pd

from models.currency import cents
from models.scorer import with_ends
from pipelines.cell_text import harmless_column

LISTED_TIERS = ("high", "medium")
"""Not listed are, beside the lower tier, those too new to judge and those so long gone that a purchase
within the CLV horizon is unlikely."""


def list_columns(horizon: int, clv_horizon: int) -> list[str]:
    """Name the score columns that stand in the list, in order."""
    return [
        "customer_id",
        "risk_tier",
        f"p_churn_{horizon}d",
        "value_at_risk",
        f"expected_spend_{horizon}d",
        f"clv_{clv_horizon}d",
        "days_since_last_order",
        "n_orders",
        "total_spend",
        "next_order_p20",
        "next_order_p50",
        "next_order_p80",
    ]


def listed_columns(horizon: int, clv_horizon: int) -> list[str]:
    """Name the columns of the list before its reasons, in order."""
    chance = f"p_churn_{horizon}d"
    behind = {
        "risk_tier": ["lifecycle"],
        chance: with_ends(chance)[1:],
        "next_order_p80": ["act_by", "channel"],
    }
    names = (n for name in list_columns(horizon, clv_horizon) for n in (name, *behind.get(name, ())))
    return ["rank", *names]


def write_risk_list(ranked: pd.DataFrame, path: Path, currency: str | None = None) -> int:
    """Write the list as CSV; text that a spreadsheet would run gets an apostrophe (`pipelines.cell_text`)."""
    shown = rounded(ranked, currency)
    shown = shown.assign(**{name: harmless_column(shown[name]) for name in text_columns(shown)})
    shown.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC, date_format="%Y-%m-%d", lineterminator="\n")
    return len(shown)


def rounded(ranked: pd.DataFrame, currency: str | None) -> pd.DataFrame:
    """Round the list as people read it: shares to four digits, money to the currency's decimals."""
    money = [c for c in ranked.columns if is_money(c)]
    digits = dict.fromkeys(filter(is_share, ranked.columns), 4) | dict.fromkeys(money, cents(currency))
    shown = ranked.round(digits)
    return shown if cents(currency) else shown.astype(dict.fromkeys(money, "Int64"))


def is_share(column: str) -> bool:
    """Tell a column of probabilities by its name."""
    return column.startswith("p_") or column.endswith("_rate")


def is_money(column: str) -> bool:
    """Tell a column of amounts by its name."""
    return column.startswith(("value_", "expected_", "clv_", "total_", "contact_", "net_", "highest_"))


def text_columns(ranked: pd.DataFrame) -> list[str]:
    """Name the columns of texts."""
    return [c for c in ranked.columns if pd.api.types.is_string_dtype(ranked[c])]
