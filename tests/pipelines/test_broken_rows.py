"""A table of which too many rows break the contract: the refusal names the column and what stands there."""

from pathlib import Path

import pandas as pd
import pytest

from features.errors import ContractError
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.purchase_log import open_log
from pipelines.row_count import RowCount

CONFIG = """\
[project]
name = "shop"
[tables.transactions]
source = "orders.csv"
[tables.transactions.columns]
customer_id = "buyer"
ordered_at = "day"
"""
AMOUNT, PARTS = 'amount = "total"\n', 'quantity = "n"\nunit_price = "price"\n'
RECORDED = (
    CONFIG.replace('csv"\n', 'csv"\nformats = { recorded_at = "%Y%m%d" }\n')
    + AMOUNT
    + 'recorded_at = "booked"\n'
)
LOG = pd.DataFrame(
    {
        "buyer": [f"k{n % 7}" for n in range(40)],
        "day": [f"2024-01-{1 + n % 28:02}" for n in range(40)],
        "total": [f"{n}.50" for n in range(1, 41)],
        "n": "2",
        "price": [f"{n}.25" for n in range(1, 41)],
        "booked": [f"2024-02-{1 + n % 28:02}" for n in range(40)],
    }
)


def refusal(folder: Path, config: str, **columns: object) -> str:
    LOG.assign(**columns).to_csv(folder / "orders.csv", index=False)
    (folder / "repurchase.toml").write_text(config, encoding="utf-8")
    read = load_config(folder / "repurchase.toml")
    with open_engine(read) as engine, pytest.raises(ContractError) as refused:
        open_log(engine, read, Console(quiet=True))
    return str(refused.value)


@pytest.mark.parametrize(
    ("config", "columns", "said"),
    [
        pytest.param(
            CONFIG + AMOUNT,
            {"buyer": ""},
            "40 of them for 'no_customer': column 'buyer' (for customer_id) is empty or cannot be read; "
            "hint: is customer_id mapped to the right column?",
            id="no customer",
        ),
        pytest.param(
            CONFIG + AMOUNT,
            {"day": "13/02/2024"},
            "40 of them for 'no_date': column 'day' (for ordered_at) is empty or cannot be read; for example "
            "'13/02/2024'; hint: set formats = { ordered_at = \"%d/%m/%Y\" }; a row counts from ordered_at",
            id="a date in another form",
        ),
        pytest.param(
            CONFIG.replace('csv"\n', 'csv"\nformats = { ordered_at = "%d/%m/%Y" }\n') + AMOUNT,
            {"day": [f"{1 + n % 28:02}/01/2024 00:27" for n in range(40)]},
            "'01/01/2024 00:27'; hint: set formats = { ordered_at = \"%d/%m/%Y %H:%M\" }; a row",
            id="a format without the time",
        ),
        pytest.param(
            CONFIG + AMOUNT,
            {"day": "03/04/2024"},
            '"%d/%m/%Y" } (or %m/%d/%Y: look which comes first, day or month)',
            id="a date that reads in two ways",
        ),
        pytest.param(
            CONFIG + AMOUNT,
            {"day": "soon"},
            "for example 'xxxx'; hint: these are no dates of a known form, and no format is set;",
            id="no date at all",
        ),
        pytest.param(
            CONFIG + AMOUNT,
            {"day": ""},
            "is empty or cannot be read; hint: is ordered_at mapped to the right column?",
            id="empty dates",
        ),
        pytest.param(
            CONFIG.replace('csv"\n', 'csv"\nformats = { ordered_at = "%d/%m/%Y" }\n') + AMOUNT,
            {},
            "column 'day' (for ordered_at) is empty or cannot be read; for example '2024-01-01'; "
            "hint: they read without a format: take ordered_at out of formats",
            id="a format that does not fit",
        ),
        pytest.param(
            CONFIG + AMOUNT,
            {"total": "1.234,50"},
            "40 of them for 'no_amount': column 'total' (for amount) is empty or cannot be read; for example "
            "'1.234,50'; hint: is amount mapped to plain numbers, such as 1234.56?",
            id="an amount",
        ),
        pytest.param(
            CONFIG + PARTS,
            {"price": "9,50"},
            "column 'n' (for quantity) or 'price' (for unit_price) is empty or cannot be read; for example "
            "'9,50'; hint: is quantity or unit_price mapped to plain numbers, such as 1234.56?",
            id="one of two parts",
        ),
        pytest.param(
            CONFIG + AMOUNT + 'recorded_at = "booked"\n',
            {"booked": "soon"},
            "'no_recorded_date': column 'booked' (for recorded_at) is empty or cannot be read; for example "
            "'xxxx'; hint: these are no dates of a known form",
            id="a date of record",
        ),
        pytest.param(
            RECORDED,
            {"booked": [f"{1 + n % 28:02}/02/2024" for n in range(40)]},
            "40 of them for 'no_recorded_date': column 'booked' (for recorded_at) is empty or cannot be "
            "read; for example '01/02/2024'; hint: set formats = { recorded_at = \"%d/%m/%Y\" }",
            id="a date of record in another format",
        ),
        pytest.param(
            CONFIG + AMOUNT + '[policy]\nrefunds = "drop"\n',
            {"total": "-3"},
            "40 of them for 'refund_dropped'; hint: [policy] refunds = \"net\" uses refunds",
            id="refunds",
        ),
    ],
)
def test_the_column_and_what_stands_there_are_named(
    config: str, columns: dict[str, object], said: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, config, **columns)
    assert text.startswith(
        "orders.csv: 40 of 40 rows break the contract, more than [policy] max_quarantined = 0.5; "
    )
    assert said in text


def test_the_most_frequent_reason_is_the_one_that_is_told(tmp_path: Path) -> None:
    text = refusal(
        tmp_path, CONFIG + AMOUNT, buyer=["", *LOG["buyer"][1:]], total=["7", *["seven"] * 30, *["7"] * 9]
    )
    assert "31 of 40 rows break the contract" in text
    assert "; 30 of them for 'no_amount'" in text


def opened(folder: Path, log: str) -> tuple[RowCount, list[int]]:
    """Count the rows of a log whose dates of record have a format, and the days by which they came late."""
    (folder / "repurchase.toml").write_text(RECORDED.replace("orders.csv", log), encoding="utf-8")
    read = load_config(folder / "repurchase.toml")
    with open_engine(read) as engine:
        found = open_log(engine, read, Console(quiet=True))
        late = engine.frame(found.lines.select(late=found.lines.known_day - found.lines.day))
    return found.rows, sorted(late["late"])


def test_a_date_of_record_that_its_format_does_not_read_is_never_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    """Else the row would count as known on the day of its order, which is too early."""
    booked = ["2024-03-01"] * 3 + [" "] * 7 + ["20240301"] * 30
    LOG.assign(booked=booked, day="2024-02-29").to_csv(tmp_path / "orders.csv", index=False)
    rows, late = opened(tmp_path, "orders.csv")
    assert rows.rows_quarantined == {"no_recorded_date": 3}
    assert late == [0] * 7 + [1] * 30


def test_dates_of_record_that_are_numbers_with_gaps_are_read(tmp_path: Path) -> None:
    """Gaps make pandas write 20240301.0."""
    booked = [None] * 7 + [20240301.0] * 33
    LOG.assign(booked=booked, day="2024-02-29").to_parquet(tmp_path / "orders.parquet")
    rows, late = opened(tmp_path, "orders.parquet")
    assert rows.rows_quarantined == {}
    assert late == [0] * 7 + [1] * 33
