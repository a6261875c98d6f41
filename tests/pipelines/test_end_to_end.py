import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from models.control import in_control
from models.metrics import log_loss
from models.scorer import score_columns
from pipelines.campaign import CAMPAIGN_COLUMNS
from pipelines.cli import main
from tests.pipelines.conftest import AS_OF, HORIZONS, SPEC


@pytest.fixture(scope="module")
def out(run_shop: Path) -> Path:
    return run_shop.parent / "out"


@pytest.fixture(scope="module")
def scores(out: Path) -> pd.DataFrame:
    return pd.read_parquet(out / "latest" / "scores.parquet")


@pytest.fixture(scope="module")
def manifest(out: Path) -> dict:
    return json.loads((out / "latest" / "manifest.json").read_text())


@pytest.fixture(scope="module")
def log(run_shop: Path) -> pd.DataFrame:
    return pd.read_parquet(run_shop.parent / "orders.parquet")


def test_layout_is_the_one_others_build_on(out, manifest):
    assert (out / "latest").is_symlink()
    assert (out / "latest").readlink() == Path("runs") / manifest["run_id"]
    dated = out / "scores" / f"as_of={AS_OF}"
    assert dated.readlink() == Path("../runs") / manifest["run_id"]
    assert (dated / "manifest.json").exists()
    assert not list(out.glob(".stage-*"))


def test_manifest_checksums_are_those_of_the_files(out, manifest):
    for name, facts in manifest["files"].items():
        data = (out / "latest" / name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == facts["sha256"]
        assert len(data) == facts["bytes"]
    assert (
        pq.read_metadata(out / "latest" / "scores.parquet").num_rows
        == manifest["files"]["scores.parquet"]["rows"]
    )


def test_rows_in_are_used_or_set_aside_by_reason(out, manifest, log):
    rows = manifest["inputs"]["transactions"]
    assert rows["rows_in"] == len(log)
    assert rows["rows_in"] == rows["rows_used"] + sum(rows["rows_quarantined"].values())
    strangers = int(log["customer_id"].isna().sum())
    assert rows["rows_quarantined"] == {"no_customer": strangers}
    assert strangers > 0
    known = log[log["customer_id"].notna()]
    assert rows["rows_netted"] == int((known["quantity"] < 0).sum()) > 0
    aside = pd.read_parquet(out / "latest" / "quarantine" / "transactions.parquet")
    assert len(aside) == strangers
    assert set(aside["reason"]) == {"no_customer"}
    assert [c for c in aside.columns if c != "reason"] == list(log.columns)


def test_scores_hold_every_buyer_before_the_date_once(scores, log):
    before = log[(log["ordered_at"] < AS_OF) & log["customer_id"].notna()]
    net = (
        before.assign(amount=before["quantity"] * before["unit_price"]).groupby("customer_id")["amount"].sum()
    )
    assert scores["customer_id"].is_unique
    assert list(scores["customer_id"]) == sorted(scores["customer_id"])
    assert set(net[net > 0.005].index) <= set(scores["customer_id"]) <= set(before["customer_id"])
    assert len(scores) > SPEC.n_customers * 0.8


def test_score_columns_are_the_agreed_ones(out, scores):
    assert list(scores.columns) == score_columns(HORIZONS, 365)
    types = {f.name: str(f.type) for f in pq.read_schema(out / "latest" / "scores.parquet")}
    assert types["as_of"] == types["next_order_p50"] == "date32[day]"
    assert types["customer_id"].endswith("string")
    assert types["frequency"] == "int64"


def test_probabilities_are_finite_consistent_and_rise_with_the_horizon(scores):
    p = scores[[f"p_purchase_{h}d" for h in HORIZONS]].to_numpy()
    churn = scores[[f"p_churn_{h}d" for h in HORIZONS]].to_numpy()
    assert np.isfinite(p).all()
    assert ((p > 0) & (p < 1)).all()
    assert (np.diff(p, axis=1) >= 0).all()
    assert np.array_equal(churn, 1 - p)
    orders = scores[[f"expected_orders_{h}d" for h in HORIZONS]].to_numpy()
    assert (orders >= p).all()
    assert (scores["clv_365d"] >= scores["expected_spend_90d"]).all()


def test_next_order_dates_rise_and_are_never_past(scores):
    dates = scores[["next_order_p20", "next_order_p50", "next_order_p80"]].apply(pd.to_datetime)
    known = dates.dropna()
    assert len(known) > 0
    assert (dates.min() >= pd.Timestamp(AS_OF)).all()
    assert (known["next_order_p20"] <= known["next_order_p50"]).all()
    assert (known["next_order_p50"] <= known["next_order_p80"]).all()


def test_the_champion_beats_the_base_rate_on_days_it_never_saw(scores, log):
    end = pd.Timestamp(AS_OF) + pd.Timedelta(days=90)
    bought = log[(log["ordered_at"] >= AS_OF) & (log["ordered_at"] < end) & (log["quantity"] > 0)][
        "customer_id"
    ]
    y = scores["customer_id"].isin(bought).to_numpy(float)
    assert 0.05 < y.mean() < 0.95
    assert log_loss(y, scores["p_purchase_90d"].to_numpy()) < 0.9 * log_loss(y, np.full(len(y), y.mean()))


def test_risk_list_is_ranked_and_holds_only_those_to_act_on(out, scores):
    listed = pd.read_csv(out / "latest" / "risk_list.csv", dtype={"customer_id": str})
    assert list(listed["rank"]) == list(range(1, len(listed) + 1))
    assert listed["value_at_risk"].is_monotonic_decreasing
    assert set(listed["risk_tier"]) <= {"high", "medium"}
    whole = scores.set_index("customer_id").loc[listed["customer_id"]]
    assert (whole["status"] == "scored").all()
    assert len(listed) == ((scores["status"] == "scored") & (scores["risk_tier"] != "low")).sum() > 0
    np.testing.assert_allclose(whole["value_at_risk"], listed["value_at_risk"], atol=0.006)


def test_a_tenth_of_the_list_is_left_alone_and_the_manifest_counts_them(out, manifest):
    listed = pd.read_csv(out / "latest" / "risk_list.csv", dtype={"customer_id": str})
    assert list(listed.columns[-len(CAMPAIGN_COLUMNS) :]) == CAMPAIGN_COLUMNS
    is_control = in_control(listed["customer_id"], "list", 0.1)
    assert listed["group"].tolist() == np.where(is_control, "control", "contact").tolist()
    assert set(listed["campaign"]) == {"list"}
    assert listed[["expected_return", "net_value", "highest_offer"]].isna().all(axis=None)  # no margin given
    assert manifest["campaign"] == {
        "id": "list",
        "share": 0.1,
        "listed": len(listed),
        "contacts": int((~is_control).sum()),
        "controls": int(is_control.sum()),
        "holds": 0,
        "cost": 0.0,
        "save_rate": {"assumed": None, "measured": None},
    }


def test_the_whole_is_said_beside_what_came_lately(manifest, scores, log):
    said, h = manifest["outlook"], max(HORIZONS)
    assert said["buyers"] == pytest.approx(scores[f"p_purchase_{h}d"].sum())
    assert said["spend"] == pytest.approx(scores[f"expected_spend_{h}d"].sum())
    assert said["spend_lo"] < said["spend"] < said["spend_hi"]
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=said["days"])
    lately = log[log["customer_id"].notna() & log["ordered_at"].between(start, AS_OF, inclusive="left")]
    came = (lately["quantity"] * lately["unit_price"]).sum()
    assert said["recent_spend"] == pytest.approx(came, rel=0.05)  # a refund belongs to the order it cancels
    assert 0.4 < said["spend"] / said["recent_spend"] < 1.5


def test_reasons_are_given_to_the_listed_alone_in_words_and_as_a_table(out, manifest):
    listed = pd.read_csv(out / "latest" / "risk_list.csv", dtype={"customer_id": str}, keep_default_na=False)
    told = pd.read_parquet(out / "latest" / "reasons.parquet")
    assert manifest["files"]["reasons.parquet"]["rows"] == len(told) > 0
    assert list(told.columns) == [
        "customer_id", "place", "group", "feature", "value", "text", "contribution", "actionable",
    ]  # fmt: skip
    last = listed.columns.get_loc("campaign")
    assert list(listed.columns[last - 3 : last]) == ["reason_1", "reason_2", "reason_3"]
    assert set(told["customer_id"]) <= set(listed["customer_id"])
    assert told["customer_id"].is_monotonic_increasing
    given = (listed.set_index("customer_id")[["reason_1", "reason_2", "reason_3"]] != "").sum(axis=1)
    assert (given[given > 0].sort_index() == told["customer_id"].value_counts().sort_index()).all()
    first = told[told["place"] == 1].set_index("customer_id")["contribution"]
    said = listed.set_index("customer_id")["reason_1"].loc[first.index]
    assert (said.str.contains("; raises the chance") == (first > 0)).all()


def test_value_at_risk_is_churn_times_what_a_kept_customer_would_spend(scores):
    kept = scores["expected_spend_90d"] / scores["p_purchase_90d"]
    np.testing.assert_allclose(scores["value_at_risk"], scores["p_churn_90d"] * kept, rtol=1e-9)


def test_score_before_training_ended_is_stamped_hindsight(own_shop, capsys):
    assert main(["--config", str(own_shop), "score", "--as-of", "2025-01-01", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["hindsight"] is True
    assert json.loads(Path(answer["manifest"]).read_text())["hindsight"] is True
    out = own_shop.parent / "out"
    assert json.loads((out / "latest" / "manifest.json").read_text())["as_of"] == AS_OF  # not back in time


def test_compare_adds_the_holdout_and_keeps_it_with_the_run(own_shop, capsys):
    assert main(["--config", str(own_shop), "compare", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    holdout = {row["candidate"]: row for row in answer["holdout"]}
    assert {"blend", "bgnbd", "lifetimes_bgnbd", "recency_rule", "v1"} <= set(holdout)
    winner = next(r for r in answer["folds"] if not r["is_rule"])["candidate"]
    assert holdout["v1"]["over_rule"] == pytest.approx(holdout[winner]["over_rule"], abs=0.02)
    for row in holdout.values():
        assert row["over_rule_lo"] <= row["over_rule"] <= row["over_rule_hi"]
    stored = list((own_shop.parent / "mlartifacts").rglob("holdout.json"))
    assert len(stored) == 1
    assert json.loads(stored[0].read_text())["cutoff"] == AS_OF
    [graded] = answer["grades"]
    assert graded["candidate"] == "v1"
    assert graded["sentence"] in (stored[0].parent / "holdout.html").read_text()


def test_reasons_come_in_the_language_of_the_config(own_shop):
    own_shop.write_text(own_shop.read_text().replace("[project]\n", '[project]\nlanguage = "vi"\n', 1))
    before = (own_shop.parent / "out" / "latest" / "reasons.parquet").read_bytes()
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 0
    latest = own_shop.parent / "out" / "latest"
    listed = pd.read_csv(latest / "risk_list.csv", keep_default_na=False)
    assert listed.loc[listed["reason_1"] != "", "reason_1"].str.contains("khả năng mua lại").all()
    assert (latest / "reasons.parquet").read_bytes() == before
