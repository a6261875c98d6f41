"""The buy-till-you-die benchmark: everyone gets the same customers, and what was found is compared."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import btyd, btyd_data
from benchmarks.btyd_contender import run
from benchmarks.btyd_figures import figures
from benchmarks.btyd_libraries import Ours
from benchmarks.btyd_table import table
from models.bgnbd import BetaGeoModel

NAMES = ("ours", "lifetimes", "lifetimes-dedup")


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return btyd_data.cdnow()


def test_every_contender_is_measured_and_held_against_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    arguments = ["--customers", "--rounds", "1", "--only", *NAMES, "--json", str(file)]
    assert btyd.main(arguments) == 0
    facts = json.loads(file.read_text())["data"]["CDNOW"]
    assert (facts["customers"], facts["distinct"]) == (2357, 1016)
    assert list(facts["contenders"]) == list(NAMES)
    ours = facts["contenders"]["ours"]
    for of in facts["contenders"].values():
        assert of["errors"] == {}
        assert ours["loglik"]["fit"] >= of["loglik"]["fit"] - 1e-6 * abs(of["loglik"]["fit"])
        assert ours["loglik"]["fit_spend"] >= of["loglik"]["fit_spend"] - 1e-6
        assert {"alive", "orders", "clv"} == of["differences"].keys()
        assert all(found["largest"] < 1e-9 and not found["no_number"] for found in of["differences"].values())
        assert {"fit", "fit_spend", "alive", "orders", "clv", "predictions"} <= of["ratio"]["seconds"].keys()
        assert 5e7 < of["median"]["start_bytes"] <= of["median"]["peak_bytes"] < 2e9
        assert ("buys" in of["median"]["seconds"]) == (of is ours)
    # in days; the papers' -9582.43 is in weeks
    assert ours["loglik"]["fit"] + 2457 * np.log(7) == pytest.approx(-9582.429, abs=1e-3)
    printed = capsys.readouterr().out
    assert all(name in printed for name in (*NAMES, "12-month CLV", "all predictions", "behind ours"))


class Unwilling(Ours):
    """A library that does not converge."""

    def fit(self) -> dict[str, float]:
        raise ArithmeticError("The model\n did not converge.")


def test_who_fails_is_said_to_and_leaves_the_others_their_race(
    customers: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = tmp_path / "python"
    stub.write_text("#!/bin/sh\necho out of memory >&2\nexit 1\n")
    stub.chmod(0o755)
    assert not btyd._is_there("clvkit", str(stub))
    assert capsys.readouterr().out == "clvkit: cannot be imported here, left out\n"
    turns: dict[str, list[dict[str, Any]]] = {
        name: [run(library(customers))[0] | {"ends": [], "versions": {}}]
        for name, library in (("ours", Ours), ("lifetimes", Unwilling))
    }
    turns["clvkit"] = [btyd._run("clvkit", str(stub), tmp_path)]
    facts = figures(turns, customers, tmp_path)
    lifetimes = facts["contenders"]["lifetimes"]
    assert lifetimes["median"]["seconds"].keys() == lifetimes["loglik"].keys() == {"fit_spend"}
    shown = table("CDNOW", facts)
    assert "failed" in shown
    assert "lifetimes, fit: ArithmeticError: The model did not converge." in shown
    assert "clvkit, process: exit code 1: out of memory" in shown


def test_simulated_customers_have_whole_days_and_the_parameters_they_were_drawn_with() -> None:
    shop = btyd_data.simulated(20_000, seed=7)
    pd.testing.assert_frame_equal(shop, btyd_data.simulated(20_000, seed=7))
    assert list(shop.columns) == list(btyd_data.COLUMNS)
    assert (shop == shop.round()).loc[:, ["frequency", "recency", "T"]].all(axis=None)
    assert shop["T"].between(365, 730).all()
    assert ((shop["frequency"] > 0) == (shop["monetary_value"] > 0)).all()
    truth, model = btyd_data.spec(20_000), BetaGeoModel().fit(shop)
    for name, (low, high) in model.params_interval(0.999).items():
        assert low < getattr(truth, name) < high
