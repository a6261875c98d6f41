"""MLflow's own ways to run a model give the numbers of `repurchase score`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from pipelines.config import load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.purchase_log import open_log
from pipelines.registry import Registry
from pipelines.scoring import features_of, piece_scorer
from tests.pipelines.conftest import AS_OF

NUMBERS = ["p_purchase_14d", "p_purchase_90d", "p_alive", "expected_orders_90d", "expected_spend_90d",
           "expected_spend_90d_lo", "expected_spend_90d_hi", "clv_365d", "value_at_risk"]  # fmt: skip
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "mlflow.md"
pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("ignore")]  # Spark's, of pandas 3


@pytest.fixture(scope="module")
def model(run_shop):
    """Address of the champion, what it sees, and what `score` wrote, customer by customer."""
    config = load_config(run_shop)
    registry = Registry(config)
    champion = registry.champion()
    scorer = registry.load(champion)
    with open_engine(config) as engine:
        log = open_log(engine, config, Console(quiet=True))
        work = piece_scorer(log, config, scorer, champion.number, pd.Timestamp(AS_OF).date())
        frame = work.frame(engine.frame(features_of(engine, log, work)))
    written = pd.read_parquet(run_shop.parent / "out" / "latest" / "scores.parquet").set_index("customer_id")
    frame = frame[["customer_id", "cutoff", *scorer.features]].sort_values("customer_id", ignore_index=True)
    numbers = [name for name in scorer.features if name not in scorer.categories]
    frame[numbers] = frame[numbers].astype("float64")
    return champion, frame, written.loc[frame["customer_id"], NUMBERS].to_numpy(float)


def agree(found: pd.DataFrame, written: np.ndarray) -> None:
    assert len(found) == len(written) > 500
    np.testing.assert_allclose(found[NUMBERS].to_numpy(float), written, rtol=0, atol=1e-9)


def test_pyfunc(model):
    champion, frame, written = model
    agree(mlflow.pyfunc.load_model(champion.source).predict(frame), written)


def test_models_predict(model, run_shop, tmp_path: Path):
    champion, frame, written = model
    [folder] = [
        path.parent
        for path in (run_shop.parent / "mlartifacts").rglob("MLmodel")
        if champion.model_id in str(path)
    ]
    split = json.loads(frame.to_json(orient="split", index=False, date_format="iso", double_precision=15))
    (tmp_path / "in.json").write_text(
        json.dumps({"dataframe_split": {"columns": split["columns"], "data": split["data"]}})
    )
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", str(folder), "-i",
               str(tmp_path / "in.json"), "-o", str(out), "--env-manager", "local"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    agree(pd.DataFrame(json.loads(out.read_text())["predictions"]), written)


def test_spark_udf(model):
    pyspark = pytest.importorskip("pyspark.sql")
    champion, frame, written = model
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = pyspark.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        types = ", ".join(f"{name} double" for name in NUMBERS)
        udf = mlflow.pyfunc.spark_udf(spark, champion.source, result_type=types, env_manager="local")
        rows = spark.createDataFrame(frame)
        said = rows.withColumn("said", udf(pyspark.functions.struct(*frame.columns)))
        found = said.select("customer_id", "said.*").toPandas().sort_values("customer_id", ignore_index=True)
    finally:
        spark.stop()
    agree(found, written)


def test_the_guide_says_what_to_feed(run_shop, monkeypatch):
    """docs/mlflow.md as it stands, on the shop's orders without its refunds."""
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    log = pd.read_parquet(run_shop.parent / "orders.parquet")
    log = log[log["customer_id"].notna() & ~log["order_id"].str.startswith("C")]
    own = {n: n for n in ("customer_id", "order_id", "ordered_at", "product_id", "quantity", "unit_price")}
    given = {"orders": log}
    code = code.replace("date(1998, 4, 1)", f'date.fromisoformat("{AS_OF}")')
    monkeypatch.chdir(run_shop.parent)
    exec(re.sub("names = .*", f"names = {own}", code), given)  # noqa: S102
    found = given["said"]
    assert len(found) == log[log["ordered_at"] < AS_OF]["customer_id"].nunique()
    assert found["p_purchase_90d"].between(0, 1).all()
    assert found["p_purchase_90d"].nunique() > 100
