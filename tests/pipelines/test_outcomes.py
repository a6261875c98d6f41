"""The outcome ledger, end to end: promises of published runs against what a log says, counted by hand."""

import hashlib
import io
import json
import shutil
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.outcomes import CLOSED, COLUMNS, WITHIN, expected_against_actual
from pipelines import outcomes as command
from pipelines.cli import main
from pipelines.closing import close_runs
from pipelines.config import Config, load_config
from pipelines.console import Console
from pipelines.engine import open_engine
from pipelines.failures import NotReady
from pipelines.outcome_runs import due
from pipelines.pseudonyms import KEY_FILE, own_pseudonyms
from pipelines.purchase_log import open_log
from pipelines.registry import Registry
from pipelines.version import CHAMPION
from tests.pipelines.conftest import AS_OF, HORIZONS, copy_shop, everything
from tests.pipelines.period_shop import daily_log, dated, opened

HINDSIGHT = "2025-01-15"
DATES = [AS_OF, "2025-03-20"]
BY = "2025-06-19"
"""The day after the last window of `DATES` is over."""


def say(capsys: Any, config: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    capsys.readouterr()
    code = main(["--config", str(config), "--quiet", "--json", *words])
    printed = capsys.readouterr()
    return code, json.loads(printed.out) if printed.out else {}, printed.err


def run_id(config: Path, as_of: str) -> str:
    return (config.parent / "out" / "scores" / f"as_of={as_of}").resolve().name


def put_run(config: Path, as_of: str, **facts: Any) -> Path:
    """Publish a copy of a run under another date, with these facts in its manifest; return its folder."""
    runs, links = config.parent / "out" / "runs", config.parent / "out" / "scores"
    name = f"copy-{as_of}"
    shutil.copytree(runs / run_id(config, AS_OF), runs / name)
    manifest = json.loads((runs / name / "manifest.json").read_text("utf-8"))
    manifest |= {"run_id": name, "as_of": as_of} | facts
    (runs / name / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    (links / f"as_of={as_of}").symlink_to(Path("..") / "runs" / name)
    return runs / name


def ledger(config: Path, by: str = BY) -> Path:
    return config.parent / "out" / "outcomes" / f"as_of={by}"


def table(config: Path, by: str = BY) -> pd.DataFrame:
    texts = dict.fromkeys(("run", "as_of", "model_version", "group"), "str")
    return pd.read_csv(
        ledger(config, by) / "outcomes.csv", dtype=texts, keep_default_na=False, na_values=[""]
    )


@pytest.fixture(scope="module")
def scored(run_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with a run of a second date, and one that is stamped hindsight."""
    config = copy_shop(run_shop, tmp_path_factory.mktemp("scored") / "shop")
    assert main(["--config", str(config), "--quiet", "score", "--as-of", DATES[1]]) == 0
    put_run(config, HINDSIGHT, hindsight=True)
    return config


@pytest.fixture(scope="module")
def closed(scored: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after `outcomes`, and what it said in ``said.json``."""
    config, printed = copy_shop(scored, tmp_path_factory.mktemp("closed") / "shop"), io.StringIO()
    with redirect_stdout(printed):
        assert main(["--config", str(config), "--quiet", "--json", "outcomes", "--as-of", BY]) == 0
    (config.parent / "said.json").write_text(printed.getvalue(), "utf-8")
    return config


@pytest.fixture
def own(scored: Path, tmp_path: Path) -> Path:
    return copy_shop(scored, tmp_path / "own")


def scores_of(config: Path, as_of: str) -> pd.DataFrame:
    return pd.read_parquet(config.parent / "out" / "scores" / f"as_of={as_of}" / "scores.parquet")


def by_hand(log: pd.DataFrame, as_of: str, days: int, until: str | None = None) -> pd.DataFrame:
    """What each customer bought: orders of the window, less what was refunded before it was over."""
    start = pd.Timestamp(as_of)
    end = pd.Timestamp(until) if until else start + pd.Timedelta(days=days)
    lines = log[log["customer_id"].notna()].assign(
        order=log["order_id"].str.removeprefix("C"), amount=log["quantity"] * log["unit_price"]
    )
    placed = lines[(lines["quantity"] > 0) & (lines["ordered_at"] >= start) & (lines["ordered_at"] < end)]
    taken = lines[(lines["quantity"] < 0) & (lines["ordered_at"] < end)]
    net = placed.groupby(["customer_id", "order"])["amount"].sum()
    net = net.add(taken.groupby(["customer_id", "order"])["amount"].sum().reindex(net.index), fill_value=0)
    kept = net[net > 0.005].groupby("customer_id").agg(["size", "sum"])
    return kept.rename(columns={"size": "orders", "sum": "spend"}).assign(buyers=1)


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("as_of", DATES)
def test_totals_are_those_counted_by_hand(closed: Path, as_of: str, horizon: int) -> None:
    scores = scores_of(closed, as_of).set_index("customer_id")
    log = pd.read_parquet(closed.parent / "orders.parquet")
    came = by_hand(log, as_of, horizon).reindex(scores.index, fill_value=0)
    p = scores[f"p_purchase_{horizon}d"]
    said = pd.DataFrame(
        {
            "buyers": p,
            "orders": scores[f"expected_orders_{horizon}d"],
            "spend": scores[f"expected_spend_{horizon}d"],
        }
    )
    groups = {
        "run": pd.Series(as_of, p.index),
        "decile": ((p.rank() - 0.5) * 10 / len(p)).astype(int).add(1).astype(str),
        "risk_tier": scores["risk_tier"],
    }
    found = table(closed)
    found = found[(found["as_of"] == as_of) & (found["horizon"] == horizon)]
    assert came["buyers"].sum() > 20
    for by, group in groups.items():
        mine = found[found["by"] == by].set_index(["measure", "group"])
        assert set(mine.loc["buyers"].index) == set(group)
        assert mine.loc["buyers", "customers"].to_dict() == group.value_counts().to_dict()
        for measure in ("buyers", "orders", "spend"):
            lines = mine.loc[measure]
            np.testing.assert_allclose(lines["expected"], said[measure].groupby(group).sum()[lines.index])
            np.testing.assert_allclose(lines["actual"], came[measure].groupby(group).sum()[lines.index])
        churn = mine.loc["churn_rate"]
        np.testing.assert_allclose(churn["actual"], 1 - came["buyers"].groupby(group).mean()[churn.index])


def test_over_all_runs_it_is_their_sum(closed: Path) -> None:
    found = table(closed)
    assert list(found.columns) == COLUMNS
    sums = found[(found["by"] == "run") & (found["measure"] != "churn_rate")]
    sums = sums.groupby(["horizon", "measure"])[["expected", "actual", "customers"]].sum()
    whole = found[found["by"] == "model_version"].set_index(["horizon", "measure"])
    assert (whole["group"] == "1").all()
    assert whole["run"].isna().all()
    pd.testing.assert_frame_equal(
        whole.loc[sums.index, list(sums.columns)].astype(float), sums.astype(float), rtol=1e-9
    )


def test_a_right_model_is_mostly_within_chance(closed: Path) -> None:
    """The shop is simulated from what the champion assumes, but for seasons it does not have."""
    found = table(closed)
    single = found[found["run"].notna()]
    assert (single["verdict"] == WITHIN).mean() > 0.7
    assert (found["low"] <= found["high"]).all()


def test_closed_rows_are_one_a_customer_run_and_horizon(closed: Path) -> None:
    rows = pd.read_parquet(ledger(closed) / "closed.parquet")
    assert list(rows.columns) == CLOSED
    assert not rows.duplicated(["run", "horizon", "customer_id"]).any()
    for as_of in DATES:
        for horizon in HORIZONS:
            part = rows[(rows["as_of"] == date.fromisoformat(as_of)) & (rows["horizon"] == horizon)]
            scores = scores_of(closed, as_of)
            assert part["customer_id"].tolist() == scores["customer_id"].tolist()
            assert part["p_purchase"].tolist() == scores[f"p_purchase_{horizon}d"].tolist()
    assert len(rows) == sum(len(scores_of(closed, d)) for d in DATES) * len(HORIZONS)
    assert rows["in_log"].all()


def test_hindsight_is_left_out_and_said(closed: Path) -> None:
    assert HINDSIGHT not in set(table(closed)["as_of"])
    said = json.loads((closed.parent / "said.json").read_text("utf-8"))
    [warning] = said["warnings"]
    assert warning == (
        f"run copy-{HINDSIGHT} of {HINDSIGHT} is left out: its model had seen what came after that date "
        "(hindsight)"
    )
    assert said["runs"] == [run_id(closed, as_of) for as_of in DATES]
    assert (said["windows_closed"], said["windows_open"], said["next"]) == (6, 0, None)


def test_the_same_again_is_the_same_to_the_byte(closed: Path, tmp_path: Path, capsys: Any) -> None:
    config = copy_shop(closed, tmp_path / "again")
    before, made = ledger(config).resolve(), ledger(config).parent / ".made"
    (made / "left by a killed process").mkdir()
    (made.parent / ".link-abc").symlink_to("nowhere")
    capsys.readouterr()
    assert main(["--config", str(config), "--quiet", "outcomes", "--as-of", BY]) == 0
    after = ledger(config).resolve()
    for name in ("outcomes.csv", "closed.parquet"):
        assert (after / name).read_bytes() == (before / name).read_bytes()
    # The one before stays for whoever is reading it.
    assert before != after
    assert set(made.iterdir()) == {before, after}
    assert {path.name for path in made.parent.iterdir()} == {".made", f"as_of={BY}"}
    said = capsys.readouterr().out
    assert "6 windows of 2 runs were over by 2025-06-19, with " in said
    assert "Version 1, 90 days: buyers" in said
    assert "comparisons lie beyond luck; luck alone would put about " in said
    assert str(ledger(config) / "outcomes.html") in said


def test_what_breaks_halfway_leaves_what_was_there(
    closed: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = copy_shop(closed, tmp_path / "full")
    before = everything(ledger(config).parent)

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(command, "outcomes_page", full)
    code, _, err = say(capsys, config, "outcomes", "--as-of", BY)
    assert (code, "a retry is safe" in err) == (7, True)
    assert everything(ledger(config).parent) == before


def test_windows_close_one_by_one(own: Path, capsys: Any) -> None:
    by = (date.fromisoformat(AS_OF) + timedelta(45)).isoformat()
    code, said, _ = say(capsys, own, "outcomes", "--as-of", by)
    assert (code, said["windows_closed"], said["windows_open"]) == (0, 3, 3)
    assert said["next"] == (date.fromisoformat(DATES[1]) + timedelta(45)).isoformat()
    found = table(own, by)
    assert set(zip(found["as_of"].dropna(), found["horizon"], strict=False)) <= {
        (AS_OF, 14), (AS_OF, 45), (DATES[1], 14), (DATES[1], 45),
    }  # fmt: skip
    runs = found[found["by"] == "run"]
    assert set(zip(runs["as_of"], runs["horizon"], strict=True)) == {
        (AS_OF, 14), (AS_OF, 45), (DATES[1], 14),
    }  # fmt: skip
    log, scores = pd.read_parquet(own.parent / "orders.parquet"), scores_of(own, AS_OF)
    came = by_hand(log[log["ordered_at"] < by], AS_OF, 45).reindex(scores["customer_id"]).sum()
    mine = runs[(runs["as_of"] == AS_OF) & (runs["horizon"] == 45)].set_index("measure")["actual"]
    np.testing.assert_allclose(mine[["buyers", "orders", "spend"]], came[["buyers", "orders", "spend"]])


def test_nothing_has_matured(own: Path, capsys: Any) -> None:
    before = everything(own.parent / "out")
    code, _, err = say(capsys, own, "outcomes", "--as-of", "2025-03-14")
    assert code == 4
    assert "nothing has matured by 2025-03-14" in err
    assert "the 14 days from 2025-03-01 on, with `--as-of 2025-03-15`" in err
    assert "hindsight" in err
    assert everything(own.parent / "out") == before


def test_a_log_that_ends_too_early_closes_nothing(own: Path, capsys: Any) -> None:
    log = pd.read_parquet(own.parent / "orders.parquet")
    log[log["ordered_at"] < "2025-03-10"].to_parquet(own.parent / "orders.parquet")
    code, _, err = say(capsys, own, "outcomes", "--as-of", BY)
    assert code == 4
    assert "nothing has matured by 2025-06-19, and the log ends before 2025-03-" in err


def test_runs_in_hindsight_alone_are_never_held_to_account(own: Path, capsys: Any) -> None:
    for as_of in DATES:
        (own.parent / "out" / "scores" / f"as_of={as_of}").unlink()
    code, _, err = say(capsys, own, "outcomes", "--as-of", BY)
    assert code == 4
    assert f"no run before {BY} can be held to account" in err
    assert "hindsight" in err


def test_nothing_was_published(shop: Path, own: Path, capsys: Any) -> None:
    code, _, err = say(capsys, shop, "outcomes", "--as-of", BY)
    assert (code, "no model has been trained" in err) == (6, True)
    shutil.rmtree(own.parent / "out" / "scores")
    code, _, err = say(capsys, own, "outcomes", "--as-of", BY)
    assert (code, "no run has been published" in err) == (6, True)
    assert not (own.parent / "out" / "outcomes").exists()


def test_a_date_is_asked_for(shop: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--config", str(shop), "outcomes"])
    assert stop.value.code == 2


def test_who_is_in_the_log_no_more_is_counted_and_said(own: Path, capsys: Any) -> None:
    log = pd.read_parquet(own.parent / "orders.parquet")
    scores = scores_of(own, AS_OF)
    buyers = by_hand(log, AS_OF, 90).index.intersection(scores["customer_id"])
    gone = list(buyers[:3])
    log[~log["customer_id"].isin(gone)].to_parquet(own.parent / "orders.parquet")
    code, said, _ = say(capsys, own, "outcomes", "--as-of", BY)
    assert code == 0
    expected = scores.set_index("customer_id").loc[gone, "p_purchase_90d"].sum()
    [warning] = [w for w in said["warnings"] if f"the run of {AS_OF} are in the log no more" in w]
    assert warning.startswith("3 customers")
    assert f"{expected:,.1f} were expected to within 90 days" in warning
    rows = pd.read_parquet(ledger(own) / "closed.parquet")
    mine = rows[rows["customer_id"].isin(gone) & (rows["as_of"] == date.fromisoformat(AS_OF))]
    assert len(mine) == 3 * len(HORIZONS)
    assert not mine["in_log"].any()
    assert mine[["bought", "orders", "spend"]].eq(0).all(axis=None)
    assert rows[~rows["customer_id"].isin(gone)]["in_log"].all()
    first = table(own)
    first = first[(first["by"] == "run") & (first["as_of"] == AS_OF) & (first["measure"] == "buyers")]
    assert first.set_index("horizon").loc[90, "actual"] == len(buyers) - 3
    assert (first["customers"] == len(scores)).all()


def test_a_log_of_other_ids_is_refused(own: Path, capsys: Any) -> None:
    log = pd.read_parquet(own.parent / "orders.parquet")
    log.assign(customer_id="new-" + log["customer_id"]).to_parquet(own.parent / "orders.parquet")
    code, _, err = say(capsys, own, "outcomes", "--as-of", BY)
    assert (code, "is in the log; hint: are the ids" in err) == (4, True)
    assert not ledger(own).exists()


def test_runs_that_are_not_what_they_should_be_are_left_out_by_name(own: Path, capsys: Any) -> None:
    changed = put_run(own, "2025-03-05") / "risk_list.csv"
    changed.write_bytes(changed.read_bytes()[:-9])
    torn = put_run(own, "2025-03-06") / "manifest.json"
    torn.write_bytes(torn.read_bytes()[:-9])
    put_run(own, "2025-03-07", model={"name": "another", "version": "1", "digest": "sha256:0"})
    code, said, _ = say(capsys, own, "outcomes", "--as-of", BY)
    assert code == 0
    for as_of, why in (
        ("2025-03-05", "it is not as it was published: risk_list.csv was changed"),
        ("2025-03-07", "it is of model 'another', and [mlflow] model is 'repurchase'"),
    ):
        assert f"run copy-{as_of} of {as_of} is left out: {why}" in said["warnings"]
    assert any(w.startswith("the run of 2025-03-06 is left out: ") for w in said["warnings"])
    assert set(table(own)["as_of"].dropna()) == set(DATES)


def test_mlflow_knows_the_sums_and_no_customer(closed: Path) -> None:
    registry = Registry(load_config(closed))
    runs = registry.client.search_runs([registry.experiment], "tags.kind = 'outcomes'")
    logged, found = runs[-1].data.metrics, table(closed)
    whole = found[found["by"] == "model_version"].set_index(["horizon", "measure"])
    assert runs[-1].info.status == "FINISHED"
    for horizon in HORIZONS:
        line = whole.loc[(horizon, "buyers")]
        assert logged[f"v1_{horizon}d_buyers_actual"] == line["actual"]
        assert logged[f"v1_{horizon}d_buyers_expected"] == pytest.approx(line["expected"])
    champion = registry.by_alias(CHAMPION)
    assert champion is not None
    training = registry.client.get_run(champion.run_id).data.metrics
    assert training["outcome_90d_spend_actual"] == pytest.approx(whole.loc[(90, "spend"), "actual"])
    assert champion.tags["outcome_90d"].endswith(whole.loc[(90, "buyers"), "verdict"])
    run = registry.reopen(runs[-1].info.run_id)
    kept = [run.read(name) for name in ("outcomes.csv", "outcomes.html")]
    assert kept[0] == (ledger(closed) / "outcomes.csv").read_bytes()
    ids = scores_of(closed, AS_OF)["customer_id"]
    assert not any(text in (page or b"").decode() for page in kept for text in ids)


def test_the_page_stands_alone(closed: Path) -> None:
    page = (ledger(closed) / "outcomes.html").read_text("utf-8")
    assert "http:" not in page.replace("http-equiv", "")
    assert "https:" not in page
    assert "<script" not in page
    assert page.count("data:image/png;base64,") == 1
    assert "Version 1, 90 days: expected against actual by decile" in page
    for words in ("by decile", "by risk tier", "by date", "counts once in each of them", HINDSIGHT):
        assert words in page


def publish_by_hand(
    output: Path, as_of: str, horizons: Sequence[int], customers: Sequence[str], **facts: Any
) -> None:
    """Lay out a run that promises everybody the same."""
    folder = output / "runs" / f"by-hand-{as_of}"
    folder.mkdir(parents=True)
    said = {"p_purchase": 0.4, "expected_orders": 0.5, "expected_spend": 20.0}
    columns = {f"{name}_{h}d": value for h in horizons for name, value in said.items()}
    scores = pd.DataFrame({"customer_id": customers}).assign(model_version="7", risk_tier="low", **columns)
    scores.to_parquet(folder / "scores.parquet")
    checksum = hashlib.sha256((folder / "scores.parquet").read_bytes()).hexdigest()
    manifest = {
        "run_id": folder.name, "as_of": as_of, "hindsight": False,
        "model": {"name": "repurchase", "version": "7", "digest": "sha256:7"},
        "files": {"scores.parquet": {"sha256": checksum}}, **facts,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    link = output / "scores" / f"as_of={as_of}"
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(Path("..") / "runs" / folder.name)


def test_windows_of_a_log_dated_by_the_month_are_whole_months(tmp_path: Path) -> None:
    daily = daily_log()
    people = sorted(daily.loc[daily["ordered_at"] < "2025-01-01", "customer_id"].dropna().unique())
    for as_of in ("2025-01-01", "2025-01-15"):
        publish_by_hand(tmp_path / "out", as_of, [30, 90], people)
    with opened(tmp_path, dated(daily, "month"), [30, 90]) as (engine, log):
        config = load_config(tmp_path / "repurchase.toml")
        found = due(config, log, date(2025, 4, 1))
        frames = list(close_runs(engine, log, config, found))
    assert [(w.horizon, w.end) for w in found.closed] == [(30, date(2025, 2, 1)), (90, date(2025, 4, 1))]
    [reason] = found.left_out
    assert reason.startswith("run by-hand-2025-01-15 of 2025-01-15 is left out: ")
    assert "lies inside a month" in reason
    for frame, end in zip(frames, ("2025-02-01", "2025-04-01"), strict=True):
        came = by_hand(daily, "2025-01-01", 0, end).reindex(people, fill_value=0)
        rows = frame.set_index("customer_id")
        assert rows["bought"].tolist() == came["buyers"].tolist()
        assert rows["orders"].tolist() == came["orders"].tolist()
        np.testing.assert_allclose(rows["spend"], came["spend"])
        assert rows["bought"].sum() > 20


VISITS = """\
[project]
name = "visits"
[tables.transactions]
source = "visits.csv"
columns = { customer_id = "customer_id", ordered_at = "ordered_at" }
"""


def visits(folder: Path, more: str = "") -> Config:
    """A log of five visits, without amounts."""
    days = ["2025-01-01", "2025-01-05", "2025-01-20", "2025-01-21", "2025-03-01"]
    log = pd.DataFrame({"customer_id": ["a", "b", "a", "a", "b"], "ordered_at": days})
    log.to_csv(folder / "visits.csv", index=False)
    (folder / "repurchase.toml").write_text(VISITS + more, encoding="utf-8")
    return load_config(folder / "repurchase.toml")


def close_visits(config: Config) -> pd.DataFrame:
    with open_engine(config) as engine:
        shop = open_log(engine, config, Console(quiet=True))
        return pd.concat(close_runs(engine, shop, config, due(config, shop, date(2025, 2, 1))))


def test_a_log_without_amounts_closes_without_spend(tmp_path: Path) -> None:
    config = visits(tmp_path)
    publish_by_hand(config.output, "2025-01-10", [14], ["a", "b", "c"])
    rows = close_visits(config)
    assert rows["orders"].tolist() == [2, 0, 0]
    assert rows["in_log"].tolist() == [True, True, False]
    assert rows["spend"].isna().all()
    assert set(expected_against_actual(rows)["measure"]) == {"buyers", "churn_rate", "orders"}


@pytest.mark.parametrize("listed", ["ids", "pseudonyms"])
@pytest.mark.parametrize("asked", ["ids", "pseudonyms"])
def test_customers_are_found_and_called_as_the_config_asks(listed: str, asked: str, tmp_path: Path) -> None:
    config = visits(tmp_path, f'[privacy]\nlists = "{asked}"\n')
    names, ids = own_pseudonyms(config), ["a", "b", "c"]
    facts = {"lists": listed, "key_id": names.key_id}
    people = names.of_all(ids) if listed == "pseudonyms" else ids
    publish_by_hand(config.output, "2025-01-10", [14], people, privacy=facts)
    rows = close_visits(config)
    found = dict(zip(rows["customer_id"], zip(rows["orders"], rows["in_log"], strict=True), strict=True))
    gone = people[2] if asked == "ids" else names.of("c")
    own = names.of_all(ids) if asked == "pseudonyms" else ids
    assert found == {own[0]: (2, True), own[1]: (0, True), gone: (0, False)}
    assert rows["customer_id"].is_monotonic_increasing


def test_pseudonyms_of_another_key_are_left_out(tmp_path: Path) -> None:
    config = visits(tmp_path)
    facts = {"lists": "pseudonyms", "key_id": "01234567"}
    publish_by_hand(config.output, "2025-01-10", [14], ["c_1"], privacy=facts)
    with pytest.raises(NotReady, match=r"is left out: it lists pseudonyms: .*there is no such key"):
        close_visits(config)
    key = tmp_path / KEY_FILE
    key.touch(0o600)
    key.write_text("k" * 40)
    own = own_pseudonyms(config).key_id
    with pytest.raises(NotReady, match=f"made with another key \\(01234567, the present is {own}"):
        close_visits(config)


def test_the_newest_date_alone_keeps_the_closed_rows_and_strangers_are_no_dates(
    own: Path, capsys: Any
) -> None:
    """Each date's rows hold those of all before it: kept for every night, they would grow with the square."""
    by = (date.fromisoformat(AS_OF) + timedelta(20)).isoformat()
    (own.parent / "out" / "outcomes" / "as_of=2025-03-01 (conflicted copy)").mkdir(parents=True)
    for day in (by, BY):
        code, said, words = say(capsys, own, "outcomes", "--as-of", day)
        assert code == 0, words
    folders = own.parent / "out" / "outcomes"
    assert sorted(p.name for p in (folders / f"as_of={by}").iterdir()) == ["outcomes.csv", "outcomes.html"]
    assert len(pd.read_parquet(folders / f"as_of={BY}" / "closed.parquet")) == said["rows"]
    assert say(capsys, own, "score", "--as-of", BY)[0] == 0
