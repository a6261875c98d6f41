"""The benchmark of drift: what it plants is called, and where nothing is wrong hardly anything is."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks import drift, drift_shops
from benchmarks.drift_faults import FAULTS, active, silent, with_amounts
from benchmarks.drift_scorings import DAYS, Scoring, scorings
from models.simulate import ShopSpec

TINY = ShopSpec(n_customers=200, days=500, acquisition_days=400, r=0.8, alpha=30.0)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Scoring]:
    folder = tmp_path_factory.mktemp("drift")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drift_shops, "SIMULATED", {"tiny": TINY})
        [(name, config)] = drift_shops.shops(["tiny"], 1, folder, {})
    return list(scorings(name, config))


def test_a_scoring_lies_after_its_training_and_before_the_end_of_the_log(found: list[Scoring]) -> None:
    end = pd.Timestamp(TINY.start).date() + pd.Timedelta(days=TINY.days)
    assert {scoring.days for scoring in found} <= {*DAYS}
    assert len(found) > 10
    for scoring in found:
        assert scoring.until < scoring.as_of <= end
        assert scoring.reference.cutoffs[-1] == str(scoring.until)
        assert set(scoring.frame["cutoff"]) == {pd.Timestamp(scoring.as_of)}


def test_faults_are_what_they_are_called(found: list[Scoring]) -> None:
    scoring = found[0]
    before, cents = scoring.frame, with_amounts(scoring, 100.0)
    assert cents["total_spend"].tolist() == pytest.approx((before["total_spend"] * 100).tolist())
    assert cents["n_orders"].equals(before["n_orders"])
    assert active(scoring) == (before["orders_28d"] > 0).mean() > 0
    assert (silent(scoring)["orders_28d"] == 0).all()
    assert silent(scoring)["orders_90d"].equals(before["orders_90d"])


def test_the_figures_say_what_was_called(found: list[Scoring]) -> None:
    soon, late = (next(s for s in found if s.days == days) for days in (7, 180))
    one = drift.figures(soon)
    assert one.judged > 30
    assert (one.called, one.once) == ((), ())
    assert one.faults["amounts times 100"] > 3
    judged, lost = one.emptied
    assert 0.9 * judged < lost <= judged == one.judged
    assert drift.figures(late).faults == {}
    text = "\n".join(drift.summary([one, drift.figures(late)]))
    assert text.startswith(f"nothing wrong: 2 scorings, {one.judged + drift.figures(late).judged:,} columns")
    assert all(f"{fault}: called in 1 of 1" in text for fault in [*FAULTS][:2])


def test_a_shop_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        drift.main(["--only", "nowhere"])
    assert "no shop 'nowhere'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        drift.main(["--log", f"mine={tmp_path / 'absent.toml'}"])
