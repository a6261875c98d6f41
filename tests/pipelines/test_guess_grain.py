"""`init` on logs dated by the week, month or quarter: it writes horizons that a training takes."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from features.periods import Period
from pipelines.config import Target, load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.guess_grain import HORIZONS, find_grain
from pipelines.init import as_data, explain, init
from pipelines.purchase_log import open_log
from pipelines.training import make_schedule
from tests.pipelines.period_shop import GRIDS, daily_log, dated


@pytest.fixture(scope="module")
def daily() -> pd.DataFrame:
    return daily_log()


@pytest.mark.parametrize("grid", GRIDS)
def test_the_config_it_writes_can_be_trained_with(daily: pd.DataFrame, grid: str, tmp_path: Path) -> None:
    log = dated(daily, grid)
    log["ordered_at"] = log["ordered_at"].dt.strftime("%d/%m/%Y")
    log.to_csv(tmp_path / "orders.csv", index=False)
    result = init(str(tmp_path / "orders.csv"), tmp_path / "repurchase.toml")
    config, kind = load_config(result.path), GRIDS[grid][0].kind
    assert tuple(config.target.horizons) == result.horizons == HORIZONS[kind]
    with open_engine(config) as engine:
        opened = open_log(engine, config, Console(quiet=True))
        assert opened.period == GRIDS[grid][0]
        assert make_schedule(config, opened, opened.end).judged_horizon == config.target.primary_horizon
    said = f"The log is dated by the {kind}: rows lie on "
    assert said in as_data(result)["grain"]
    for text in ("\n".join(explain(result)), result.path.read_text(encoding="utf-8")):
        flat = " ".join(text.replace("\n# ", " ").split())
        assert said in flat
        assert "90 days are answered as " in flat
        assert "The horizons under [target] are chosen to fit." in flat


def test_a_log_to_the_day_gets_the_defaults_and_no_word(daily: pd.DataFrame, tmp_path: Path) -> None:
    daily.to_parquet(tmp_path / "orders.parquet")
    result = init(str(tmp_path / "orders.parquet"), tmp_path / "repurchase.toml")
    assert load_config(result.path).target == Target()
    assert (result.grain, "dated by" in "\n".join(explain(result))) == ("", False)


@pytest.mark.parametrize("kind", HORIZONS)
def test_the_horizons_of_each_grain_fit_it(kind: Any) -> None:
    Period(kind).check_horizons(HORIZONS[kind])
    assert len({Period(kind).n_periods(h) for h in HORIZONS[kind]}) == len(HORIZONS[kind])
    assert Target(horizons=[*HORIZONS[kind]]).primary_horizon == Target().primary_horizon


def test_a_log_by_the_year_is_a_doubt_and_no_reason_to_write_nothing(tmp_path: Path) -> None:
    years = "".join(f"{n % 5},{2015 + n % 8}-01-01,9.5\n" for n in range(80))
    (tmp_path / "orders.csv").write_text("buyer,date,total\n" + years, encoding="utf-8")
    result = init(str(tmp_path / "orders.csv"), tmp_path / "repurchase.toml")
    (note,) = result.notes
    assert "dated by the half-year or year" in note
    assert "export it by the quarter" in note


def test_zoned_dates_count_as_the_config_reads_them() -> None:
    hanoi = pd.Series(pd.date_range("2023-01-01", periods=9, freq="MS", tz="Asia/Ho_Chi_Minh"))
    assert find_grain(hanoi, None).period == Period("month", dated="last")  # timezone = "UTC"
