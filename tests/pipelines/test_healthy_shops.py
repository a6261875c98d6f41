"""Real logs that only go on: weeks after its training, no shop is told that anything is wrong with it."""

import json
import shutil
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines import score, train
from pipelines.cli import main
from pipelines.demo import cdnow_log
from tests.features.conftest import data_file
from tests.pipelines.test_real_tables import complete_journey
from tests.pipelines.test_scoring_contract import CODES

RETAIL = """\
[project]
name = "online retail"
[tables.transactions]
source = "orders.parquet"
[tables.transactions.columns]
customer_id = "customer_id"
order_id = "invoice"
ordered_at = "invoice_date"
quantity = "quantity"
unit_price = "unit_price"
product_id = "stock_code"
channel = "country"
[policy]
cancellation = { column = "order_id", prefix = "C" }
"""
CDNOW = """\
[project]
name = "cdnow"
[tables.transactions]
source = "orders.parquet"
columns = { customer_id = "customer_id", ordered_at = "date", amount = "amount" }
"""


def online_retail(folder: Path) -> Path:
    shutil.copy(data_file("online_retail", "online_retail.parquet"), folder / "orders.parquet")
    (folder / "repurchase.toml").write_text(RETAIL, encoding="utf-8")
    return folder / "repurchase.toml"


def cdnow(folder: Path) -> Path:
    """Every fifth customer: all of them came within three months, so that the whole shop grows old."""
    log = cdnow_log()
    log[log["customer_id"].astype(int) % 5 == 0].to_parquet(folder / "orders.parquet")
    (folder / "repurchase.toml").write_text(CDNOW, encoding="utf-8")
    return folder / "repurchase.toml"


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("lay_out", "until"),
    [
        (online_retail, date(2011, 8, 1)),  # the season's start lies ahead, and no season behind
        (online_retail, date(2011, 10, 9)),
        (cdnow, date(1997, 10, 1)),
        (cdnow, date(1998, 1, 1)),
        (complete_journey, date(2017, 8, 1)),
        (complete_journey, date(2017, 10, 1)),
    ],
    ids=lambda value: value.__name__ if callable(value) else str(value),
)
def test_a_real_shop_that_goes_on_is_not_warned_of(
    lay_out: Callable[[Path], Path],
    until: date,
    tmp_path: Path,
    capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for command in (train, score):
        monkeypatch.setattr(command, "prove_log", lambda *_, **__: None)  # it has tests of its own
    config = lay_out(tmp_path)
    assert main(["--config", str(config), "--quiet", "train", "--as-of", str(until)]) == 0
    main(["--config", str(config), "--quiet", "promote", "--force", "--reason", "whatever it is"])
    said = {}
    for days in (1, 7, 14, 28, 60):
        capsys.readouterr()
        as_of = str(until + timedelta(days))
        assert main(["--config", str(config), "--quiet", "--json", "score", "--as-of", as_of]) == 0
        told = json.loads(capsys.readouterr().out)
        said |= {(days, w["code"]): w["text"] for w in told["warnings"] if w["code"] in CODES}
        drift = json.loads(Path(told["manifest"]).read_text(encoding="utf-8"))["drift"]
        assert sum(column["verdict"] != "not judged" for column in drift["columns"]) > 15
    assert said == {}
