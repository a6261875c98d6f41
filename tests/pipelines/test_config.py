from pathlib import Path

import pytest

from features.errors import ContractError
from models.economics import Economics
from pipelines.config import load_config

MINIMAL = """
[project]
name = "s"
[tables.transactions]
source = "orders.csv"
columns = { customer_id = "c", ordered_at = "d" }
"""


def load(folder: Path, text: str):
    (folder / "repurchase.toml").write_text(text, encoding="utf-8")
    return load_config(folder / "repurchase.toml")


def test_only_a_name_and_a_log_are_needed(tmp_path):
    config = load(tmp_path, MINIMAL)
    assert config.target.horizons == [7, 14, 28, 90]
    assert config.segments.recency_days == [7, 14, 28]
    assert config.campaign.control_share == 0.1
    assert config.target.clv_horizon == 365
    assert config.training.max_customers == 200_000
    assert config.mlflow.tracking_uri == "sqlite:///mlflow.db"


def test_relative_paths_start_at_the_config_not_at_the_working_directory(tmp_path, monkeypatch):
    config = load(tmp_path, MINIMAL)
    monkeypatch.chdir("/")
    assert config.output == tmp_path / "out"
    assert config.folder == tmp_path


def test_keys_of_later_versions_are_accepted(tmp_path):
    later = """
[tables.customers]
source = "c.csv"
columns = { customer_id = "c" }
attributes = ["tier"]
[economics]
margin = 0.3
[gate]
[limits]
[segments]
[campaign]
id = "spring"
[sinks]
"""
    assert load(tmp_path, MINIMAL + later).campaign.id == "spring"


@pytest.mark.parametrize("name", ["expected_spend", "buyers", "clv_365d", "p_churn_28d", "value_at_risk"])
def test_a_run_may_lead_with_any_sum_of_scores(tmp_path, name):
    text = MINIMAL.replace('name = "s"', f'name = "s"\nnorth_star = "{name}"')
    assert load(tmp_path, text).project.north_star == name


@pytest.mark.parametrize(
    ("name", "near"), [("clv_356d", "clv_365d"), ("expected_sales", "expected_"), ("p_churn_30d", "p_churn_")]
)
def test_an_unknown_north_star_is_refused_with_the_nearest(tmp_path, name, near):
    text = MINIMAL.replace('name = "s"', f'name = "s"\nnorth_star = "{name}"')
    with pytest.raises(ContractError, match=rf"north_star.*{name}.*did you mean '{near}"):
        load(tmp_path, text)


def test_terms_of_trade(tmp_path):
    terms = load(
        tmp_path, MINIMAL + "[economics]\nmargin = 0.3\ndiscount_rate = 0.1\nacquisition_cost = 12"
    ).economics.terms
    assert terms == Economics(0.3, 0.1, 12.0)
    assert load(tmp_path, MINIMAL).economics.terms == Economics(None, 0.0, None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[economics]\nmargin = 30", "economics.margin"),
        ("[economics]\ndiscount = 0.1", "did you mean 'discount_rate'?"),
        ("[mlflow]\ntracking_url = 'x'", "did you mean 'tracking_uri'?"),
        ("[mlflow]\ntracking_uri = 'mlflow.db'", "write it as an address: 'sqlite:///mlflow.db'"),
        ("[mlflow]\ntracking_uri = 'sqlite://mlflow.db'", "known are sqlite:///, postgresql://, mysql://"),
        ("[mlflow]\ntracking_uri = './mlruns'", "no address of an MLflow store with a model registry"),
        ("[mlflow]\nmodel = 'a; drop table'", "mlflow.model"),
        ("[mlflow]\nchampion_digest = 'md5:1'", "champion_digest"),
        ("[target]\nhorizons = [28, 7]\nprimary_horizon = 7", "must rise"),
        ("[target]\nhorizons = [0, 90]", "target.horizons.0"),
        ("[training]\ncutoffs = 'some'", "training.cutoffs"),
        ("[policy]\nrefunds = 'keep'", "policy.refunds"),
        ("[policy]\ncancellation = { column = 'order_id' }", "policy.cancellation.prefix"),
        ("[tables.orders]\nsource = 'x'", "unknown key 'tables.orders'"),
    ],
)
def test_a_typo_is_refused_by_name(tmp_path, line, said):
    with pytest.raises(ContractError) as refused:
        load(tmp_path, MINIMAL + line)
    assert said in str(refused.value)
    assert "repurchase.toml" in str(refused.value)


def test_the_folder_cannot_be_set_in_the_file(tmp_path):
    with pytest.raises(ContractError, match="unknown key 'folder'"):
        load(tmp_path, "folder = '/'\n" + MINIMAL)


def test_a_config_is_frozen(tmp_path):
    config = load(tmp_path, MINIMAL)
    with pytest.raises(ValueError, match="frozen"):
        config.project.name = "other"


SECRET = "rt-S3kret"  # noqa: S105


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            f"postgres = 'postgresql://owner:{SECRET}@db/shop'",
            "sinks.postgres: a postgres table is named in the",
        ),
        (f"postgres = 'postgres://owner:{SECRET}@db/shop#scores'", "hint: postgres://ENV_NAME#schema.table"),
        (f"postgres = 'host=db password={SECRET}'", "wrong form"),
        (f"postgres = 'postgres://SHOP_DB#{SECRET}{'x' * 50}'", "more than 58 bytes"),
        (
            f"duckdb = 'postgres://owner:{SECRET}@db/shop'",
            "sinks.duckdb: a DuckDB table is named in the wrong form",
        ),
        (f"duckdb = 'md:{SECRET}'", "hint: scores.duckdb, a file beside the config"),
        ("duckdb = ':memory:'", "wrong form"),
        ("duckdb = 'scores.duckdb#'", "wrong form"),
        (f"xlsx = 'postgresql://owner:{SECRET}@db/shop'", "sinks.xlsx"),
        (f"posgres = 'postgres://owner:{SECRET}@db/shop'", "did you mean 'postgres'?"),
        (f"postgres = ['postgresql://owner:{SECRET}@db/shop']", "sinks.postgres"),
    ],
)
def test_a_sink_in_the_wrong_form_is_refused_and_not_repeated(tmp_path, line, said):
    with pytest.raises(ContractError) as refused:
        load(tmp_path, MINIMAL + "[sinks]\n" + line)
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_sinks(tmp_path):
    text = (
        "[sinks]\nxlsx = true\nduckdb = 'duckdb:///out/a.duckdb#b'\npostgres = 'postgres://SHOP_DB#\"A b\".c'"
    )
    assert load(tmp_path, MINIMAL + text).sinks.xlsx
    assert not load(tmp_path, MINIMAL).sinks.xlsx


@pytest.mark.parametrize(
    "section",
    [
        f"[mlflow]\ntracking_uri = 'postgresql://shop:{SECRET}/x@h/db'",
        f"[mlflow]\ntracking_uri = 'postgresql://h/db?user=u&password={SECRET}'",
        f"[engine]\noptions = {{ 'spark.hadoop.fs.s3a.secret.key' = '{SECRET}' }}",
        f"[engine]\noptions = {{ s3_access_key_id = '{SECRET}', home = 'http://a:{SECRET}@b' }}",
    ],
)
def test_no_secret_is_among_the_settings_that_are_published(tmp_path, section):
    assert SECRET not in str(load(tmp_path, MINIMAL + section).shown())


@pytest.mark.parametrize(
    "section",
    [f"[mlflow]\ntracking_uri = 'postgres://u:{SECRET}@h/db'", f"[engine]\noptions = ['{SECRET}']"],
)
def test_a_refused_address_is_not_repeated(tmp_path, section):
    with pytest.raises(ContractError) as refused:
        load(tmp_path, MINIMAL + section)
    assert SECRET not in str(refused.value)
