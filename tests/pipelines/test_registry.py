import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import mlflow
import pandas as pd
import pytest

from pipelines import score, train
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.console import Console
from pipelines.failures import Refused
from pipelines.model_files import digest, read_model
from pipelines.registry import Registry
from pipelines.surroundings import code_version
from pipelines.version import CHALLENGER, CHAMPION
from tests.pipelines.conftest import AS_OF, everything


@pytest.fixture
def registry(own_shop):
    return Registry(load_config(own_shop))


def scorer_files(config: Path) -> Path:
    [folder] = (config.parent / "mlartifacts").rglob("artifacts/scorer")
    return folder


def test_the_loaded_scorer_is_the_one_that_was_saved(own_shop, registry):
    champion = registry.champion()
    assert champion.number == "1"
    assert champion.tags["digest"] == digest(read_model(scorer_files(own_shop).parents[1]))
    assert registry.load(champion).trained_until == AS_OF


@pytest.mark.parametrize("harm", ["a flipped bit", "an added file", "a removed file", "a link"])
def test_changed_files_are_refused_and_nothing_is_published(own_shop, capsys, harm):
    folder = scorer_files(own_shop)
    victim = sorted(folder.iterdir())[0]
    if harm == "a flipped bit":
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.write_bytes(data)
    elif harm == "an added file":
        (folder / "extra.json").write_text("{}")
    elif harm == "a removed file":
        victim.unlink()
    else:
        victim.rename(own_shop.parent / "elsewhere")
        victim.symlink_to(own_shop.parent / "elsewhere")
    runs = sorted((own_shop.parent / "out" / "runs").iterdir())
    assert main(["--config", str(own_shop), "score", "--as-of", AS_OF]) == 6
    assert "repurchase: " in capsys.readouterr().err
    assert sorted((own_shop.parent / "out" / "runs").iterdir()) == runs


def test_a_pinned_digest_must_be_the_champions(own_shop, registry, capsys):
    right = registry.champion().tags["digest"]
    text = own_shop.read_text()
    own_shop.write_text(f'{text}[mlflow]\nchampion_digest = "{right}"\n')
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 0
    own_shop.write_text(f'{text}[mlflow]\nchampion_digest = "sha256:{"0" * 64}"\n')
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 6
    assert "pins sha256:000000000000" in capsys.readouterr().err


def test_the_store_shows_parent_candidates_metrics_and_plots(own_shop, registry):
    client = mlflow.MlflowClient()
    runs = client.search_runs([client.get_experiment_by_name("shop").experiment_id])
    [parent] = [r for r in runs if r.data.tags.get("kind") == "training"]
    below = [r for r in runs if r.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    children = [r for r in below if r.data.tags["kind"] == "candidate"]
    of_folds = [r for r in below if r.data.tags["kind"] == "fold"]
    assert len(of_folds) == len(json.loads(registry.reopen(parent.info.run_id).read("data.json"))["folds"])
    assert all({"log_loss/blend", "auc/bgnbd", "ece/base_rate"} <= set(r.data.metrics) for r in of_folds)
    names = {r.info.run_name for r in children}
    assert {
        "blend",
        "boosting",
        "logistic",
        "bgnbd",
        "mbgnbd",
        "lifetimes_bgnbd",
        "pareto_nbd",
        "base_rate",
    } <= names
    for child in children:
        assert {"log_loss", "auc", "over_rule", "over_rule_lo", "over_rule_hi"} <= set(child.data.metrics)
        for name in ("fold_log_loss", "fold_over_rule_lo"):
            assert len(client.get_metric_history(child.info.run_id, name)) == len(of_folds) > 1
        assert [a.path for a in client.list_artifacts(child.info.run_id)] == ["reliability.csv"]
    logged = {a.path for a in client.list_artifacts(parent.info.run_id)}
    assert {"config.json", "data.json", "features.json", "leaderboard.json", "gate.json", "plots"} <= logged
    assert {"leaderboard.html", "orders.csv", "spend.csv", "gate.html", "gate.md", "code.json"} <= logged
    assert {"environment.json", "importances.csv", "features.md", "model_files"} <= logged
    pictures = {a.path.removeprefix("plots/") for a in client.list_artifacts(parent.info.run_id, "plots")}
    assert {"reliability.png", "lift.png", "gains.png", "importances.png", "btyd_alive.png"} <= pictures
    assert parent.data.params["code_sha256"] == code_version()["sha256"]
    assert parent.data.params["target.primary_horizon"] == "90"
    assert parent.data.tags["verdict"] == "first"
    assert all(r.info.status == "FINISHED" for r in runs)


def test_no_customer_is_named_in_the_store(own_shop):
    import pandas as pd

    ids = pd.read_parquet(own_shop.parent / "orders.parquet")["customer_id"].dropna().unique()[:50]
    folds = list((own_shop.parent / "mlartifacts").rglob("folds.parquet"))
    assert len(folds) == 1
    assert not set(ids) & set(pd.read_parquet(folds[0])["customer_id"].astype(str))
    for path in (own_shop.parent / "mlartifacts").rglob("*"):
        if path.is_file() and path.suffix in {".json", ".csv", ".html"}:
            text = path.read_text()
            assert not [i for i in ids if f'"{i}"' in text], path


def test_a_store_that_does_not_answer_is_not_a_missing_champion(own_shop, capsys, monkeypatch):
    from mlflow.exceptions import MlflowException

    def busy(*_args):
        raise MlflowException("database is locked")

    monkeypatch.setattr(mlflow.MlflowClient, "get_model_version_by_alias", busy)
    assert main(["--config", str(own_shop), "--quiet", "promote"]) == 7
    assert "database is locked" in capsys.readouterr().err


def test_a_broken_store_is_the_environments_fault(own_shop, capsys):
    (own_shop.parent / "mlflow.db").write_bytes(
        b"this is no database, and long enough to be read as one" * 50
    )
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", AS_OF]) == 7
    assert "retry is safe" in capsys.readouterr().err


def test_aliases_and_versions(registry):
    assert registry.by_alias(CHAMPION) == registry.by_alias(CHALLENGER) == registry.version("1")
    assert registry.by_alias("nobody") is None
    with pytest.raises(Refused, match="no version '99'"):
        registry.version("99")


def test_a_run_that_raises_ends_as_failed(registry):
    def fail() -> None:
        with registry.run("doomed") as run:
            run.params({"a": 1})
            raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"):
        fail()
    client = mlflow.MlflowClient()
    found = client.search_runs(
        [client.get_experiment_by_name("shop").experiment_id], "attributes.run_name = 'doomed'"
    )
    assert [r.info.status for r in found] == ["FAILED"]


def test_pyfunc_gives_the_same_numbers(own_shop, registry):
    import pandas as pd

    scorer = registry.load(registry.champion())
    values = {name: "3" if name in scorer.categories else 3.0 for name in scorer.features}
    frame = pd.DataFrame([{"customer_id": "a", "cutoff": pd.Timestamp(AS_OF), **values}]).assign(
        frequency=2.0, recency=40.0, T=90.0, days_since_last_order=50.0
    )
    theirs = mlflow.pyfunc.load_model(registry.champion().source).predict(frame)
    pd.testing.assert_frame_equal(theirs, scorer.score(frame), check_exact=True)


def test_processes_may_open_an_empty_store_at_once(shop):
    code = (
        "import sys; from pathlib import Path; from pipelines.config import load_config;"
        "from pipelines.registry import Registry; Registry(load_config(Path(sys.argv[1])), create=True)"
    )
    opened = [subprocess.Popen([sys.executable, "-W", "ignore", "-c", code, str(shop)]) for _ in range(3)]
    assert [process.wait(timeout=120) for process in opened] == [0, 0, 0]


def test_a_champion_of_another_grain_neither_scores_nor_holds_up_a_training(
    own_shop, registry, capsys, monkeypatch
):
    log = own_shop.parent / "orders.parquet"
    rows = pd.read_parquet(log)
    rows.assign(ordered_at=rows["ordered_at"].dt.to_period("W-SUN").dt.start_time).to_parquet(log)
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: pytest.fail("a refusal needs no proof"))
    before = everything(own_shop.parent)
    assert main(["--config", str(own_shop), "--quiet", "score", "--as-of", "2025-03-03"]) == 6
    said = capsys.readouterr().err
    assert "the champion was trained on a log dated by the day, and the log is dated by the week: " in said
    assert "hint: train again" in said
    assert everything(own_shop.parent) == before
    champion = registry.champion()
    scorer = replace(registry.load(champion), period="week")
    training = SimpleNamespace(scorer=scorer, panel=None, schedule=SimpleNamespace(judged_horizon=90))
    assert train._with_champion(training, registry, champion, Console()) is training
    said = capsys.readouterr().err
    assert "version 1, cannot be compared: it was trained on a log dated by the day" in said
