"""Events, contacts and customers on the whole way: trained on, scored with, counted, refused."""

import json
import re
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from features.build import build_features, to_model_frame
from features.calendar import day_number
from features.catalogue import visible_features
from features.history import make_history
from features.snapshot import take_snapshot
from models.btyd import FAMILIES
from models.purchase import RECIPES
from pipelines import piece_scorer, score, train, training
from pipelines.cli import main
from pipelines.config import load_config
from pipelines.purchase_log import fingerprints
from pipelines.training import Choice, fit_scorer, load_panel, make_schedule
from tests.pipelines.conftest import everything
from tests.pipelines.other_shop import CONFIG, opened, others, without, write_shop

AS_OF = "2024-10-20"


@dataclass(frozen=True)
class Trained:
    """A shop with all tables that has been trained and scored, what was said, and what was scored."""

    config: Path
    said: dict[str, str]
    frame: pd.DataFrame

    def logged(self, name: str) -> Any:
        """A JSON file of the training run."""
        (path,) = (self.config.parent / "mlartifacts").rglob(name)
        return json.loads(path.read_text(encoding="utf-8"))

    def manifest(self) -> dict[str, Any]:
        return json.loads(
            (self.config.parent / "out" / "latest" / "manifest.json").read_text(encoding="utf-8")
        )

    def table(self, name: str) -> pd.DataFrame:
        """A table as the shop wrote it."""
        file = self.config.parent / name
        return pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file, dtype=str)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    config, frames, said = write_shop(tmp_path_factory.mktemp("others")), [], {}

    def seen(*args: Any) -> pd.DataFrame:
        frames.append(made(*args))
        return frames[-1]

    with pytest.MonkeyPatch.context() as patch:
        made = piece_scorer.to_model_frame
        patch.setattr(piece_scorer, "to_model_frame", seen)
        patch.setattr(train, "prove_log", lambda *_: None)  # the same proof comes before scoring
        patch.setattr(training, "choose_trees_weight", lambda *_: 1.0)  # only trees ask for every feature
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")  # to start helpers takes longer than so small a training
        for command in (["train", "--as-of", AS_OF], ["promote"], ["score", "--as-of", AS_OF]):
            text = StringIO()
            with redirect_stdout(text), redirect_stderr(text):
                assert main(["--config", str(config), *command]) == 0, text.getvalue()
            said[command[0]] = text.getvalue()
    return Trained(config, said, frames[0].set_index("customer_id"))


ON = (
    "sessions_28d", "page_views_90d", "carts_since_last_order", "n_touch_channels", "longest_dwell_s",
    "days_since_first_touch", "n_contacts", "days_since_last_contact", "contact_cost", "contact_reply_share",
    "days_since_signup", "acquisition_cost", "was_referred", "attr_điểm", "attr_newsletter", "attr_age",
    "attr_trống",
)  # fmt: skip


def test_the_training_records_what_it_was_trained_on(trained: Trained) -> None:
    features, data = trained.logged("features.json"), trained.logged("data.json")
    assert set(ON) <= set(features)
    assert data["features"] == features
    assert not [
        name for name in features if "gender" in name or "arm" in name.split("_") or "campaign" in name
    ]
    assert "attr_Hạng thẻ" in features  # text
    assert "attr_Hạng thẻ" in trained.logged("scorer.json")["categories"]
    assert set(data["other_tables"]) == {"events", "contacts", "customers"}
    assert data["other_tables"]["contacts"]["rows_in"] == len(trained.table("contacts.csv"))
    assert len(set(data["fingerprints"].values())) == len(data["fingerprints"]) == 4


def test_the_manifest_counts_every_table(trained: Trained) -> None:
    inputs = trained.manifest()["inputs"]
    assert set(inputs) == {"transactions", "events", "contacts", "customers"}
    events, contacts, customers = (
        trained.table(n) for n in ("events.parquet", "contacts.csv", "customers.csv")
    )
    aside = {
        "events": {"no_customer": int(events["Khách"].isna().sum())},
        "contacts": {"no_date": int((contacts["sent"] == "31/02/2024").sum())},
        "customers": {"no_customer": int(customers["id"].isna().sum())},
    }
    for (name, reasons), rows in zip(aside.items(), (events, contacts, customers), strict=True):
        assert min(reasons.values()) > 0
        assert inputs[name]["rows_quarantined"] == reasons
        assert inputs[name]["rows_in"] == len(rows) == inputs[name]["rows_used"] + sum(reasons.values())
        assert inputs[name]["fingerprint"].startswith("sha256:")
        kept = pd.read_parquet(trained.config.parent / "out" / "latest" / "quarantine" / f"{name}.parquet")
        assert kept["reason"].value_counts().to_dict() == reasons
        assert [column for column in kept.columns if column != "reason"] == list(rows.columns)


def test_people_read_where_the_rows_went_and_what_is_not_used(trained: Trained) -> None:
    aside = trained.manifest()["inputs"]["events"]["rows_quarantined"]["no_customer"]
    for command in ("train", "score"):
        said = trained.said[command]
        assert f"set aside (no_customer {aside:,})" in said
        assert "customers.csv: gender: sensitive, so not used" in said
        assert "age: sensitive" not in said
        assert "customers.csv: điểm: 1 of 596 are no numbers, so taken as missing" in said
        assert "nhiều" not in said


def test_the_scored_frame_holds_what_the_tables_say(trained: Trained) -> None:
    frame = trained.frame
    contacts = trained.table("contacts.csv")
    contacts["day"] = pd.to_datetime(contacts["sent"], format="%d/%m/%Y", errors="coerce")
    sent = contacts[contacts["day"] < AS_OF].groupby("customer").size().reindex(frame.index, fill_value=0)
    pd.testing.assert_series_equal(frame["n_contacts"], sent.astype(float), check_names=False)
    np.testing.assert_allclose(frame["contact_cost"], sent * 0.15, atol=1e-9)
    events = trained.table("events.parquet").dropna(subset="Khách")
    lately = events[events["lúc"].between("2024-09-22", AS_OF, inclusive="left")]
    begun = (
        events.groupby(["Khách", "phiên"])["lúc"].min().loc[lambda t: t.between("2024-09-22", AS_OF, "left")]
    )
    visits = begun.groupby("Khách").size().reindex(frame.index, fill_value=0)
    assert lately["việc"].nunique() == 4
    pd.testing.assert_series_equal(frame["sessions_28d"], visits.astype(float), check_names=False)
    assert frame["n_touch_channels"].max() == 2  # NULL is no channel
    people = trained.table("customers.csv").dropna(subset="id")
    newest = people[people["since"] < AS_OF].sort_values("since").groupby("id").tail(1).set_index("id")
    newest = newest.reindex(frame.index)
    wanted = pd.to_numeric(newest["điểm"], errors="coerce")
    pd.testing.assert_series_equal(frame["attr_điểm"], wanted, check_names=False)
    truth = newest["newsletter"].map({"true": 1.0, "false": 0.0})
    pd.testing.assert_series_equal(frame["attr_newsletter"], truth, check_names=False)
    assert frame["attr_trống"].isna().all()  # nothing in it, and no reason to fail
    assert (frame["was_referred"] == (newest["friend"] == "u0000001")).all()


@pytest.mark.parametrize(
    ("config", "example", "lost"),
    [
        (without("events"), "", "events, events.channel, events.duration_s"),
        (without("contacts"), "", "contacts, contacts.cost"),
        (without("customers"), "", "customers"),
        (CONFIG.replace('duration_s = "giây"\n', ""), "'longest_dwell_s'", "events.duration_s"),
        (CONFIG.replace('"điểm", ', ""), "'attr_điểm'", "attributes of the customers"),
    ],
    ids=["events", "contacts", "customers", "a column", "an attribute"],
)
def test_what_is_gone_at_scoring_time_is_refused(
    trained: Trained, config: str, example: str, lost: str, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: pytest.fail("a refusal needs no proof"))
    other = trained.config.with_name("other.toml")
    other.write_text(config, encoding="utf-8")
    before = everything(trained.config.parent)
    assert main(["--config", str(other), "--quiet", "score", "--as-of", AS_OF]) == 6
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert f"features of the champion cannot be built any more, for example {example}" in line
    assert f"the config no longer gives {lost}" in line
    assert "train again" in line
    assert everything(trained.config.parent) == before


def test_a_table_that_knows_nobody_any_more_is_refused(
    trained: Trained, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: pytest.fail("a refusal needs no proof"))
    events = trained.table("events.parquet")
    events.assign(Khách="web-" + events["Khách"]).to_parquet(trained.config.with_name("strangers.parquet"))
    other = trained.config.with_name("other.toml")
    other.write_text(CONFIG.replace("events.parquet", "strangers.parquet"), encoding="utf-8")
    before = everything(trained.config.parent)
    assert main(["--config", str(other), "--quiet", "score", "--as-of", AS_OF]) == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    strangers, buyers = events["Khách"].nunique(), len(trained.frame)
    assert f"of {strangers:,} customers in events, 0 are among the {buyers:,} who bought" in line
    assert "The champion was trained with features from events" in line
    assert "hint: put the ids of [tables.events] right" in line
    assert everything(trained.config.parent) == before


def test_what_check_warns_of_is_said_again_with_every_run(trained: Trained) -> None:
    warnings = trained.manifest()["warnings"]
    amounts, contacts = warnings
    assert (amounts["code"], contacts["code"]) == ("amount_sizes", "contacts_days")
    assert "VND, which buys nothing" in amounts["text"]  # the simulated prices are a few units
    assert "contacts start on 2024-06-01, 152 days after the purchases" in contacts["text"]
    assert trained.logged("data.json")["warnings"] == warnings
    for command in ("train", "score"):
        assert all(f"warning: {warning['text']}" in trained.said[command] for warning in warnings)


def test_a_number_that_has_become_text_is_refused(
    trained: Trained, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: pytest.fail("a refusal needs no proof"))
    trained.table("customers.csv").assign(điểm="nhiều").to_csv(
        trained.config.with_name("text.csv"), index=False
    )
    other = trained.config.with_name("other.toml")
    other.write_text(CONFIG.replace("customers.csv", "text.csv"), encoding="utf-8")
    assert main(["--config", str(other), "--quiet", "score", "--as-of", AS_OF]) == 6
    assert (
        "1 features of the champion cannot be built any more, for example 'attr_điểm'"
        in capsys.readouterr().err
    )


def refused(trained: Trained, capsys: Any, config: str, as_of: str = AS_OF, code: int = 4) -> str:
    """Score with another config; return why it does not."""
    other = trained.config.with_name("other.toml")
    other.write_text(config, encoding="utf-8")
    assert main(["--config", str(other), "--quiet", "score", "--as-of", as_of]) == code
    *_, line = capsys.readouterr().err.strip().splitlines()
    return str(line)


def test_a_table_that_was_emptied_is_refused(trained: Trained, capsys: Any) -> None:
    events = trained.table("events.parquet")
    events.head(0).to_parquet(trained.config.with_name("emptied.parquet"))
    line = refused(trained, capsys, CONFIG.replace("events.parquet", "emptied.parquet"), code=2)
    assert "emptied.parquet: 0 rows in 6 columns" in line
    events.assign(lúc=pd.NaT).to_parquet(trained.config.with_name("emptied.parquet"))
    anything = CONFIG.replace("[target]", "[policy]\nmax_quarantined = 1.0\n[target]")
    line = refused(trained, capsys, anything.replace("events.parquet", "emptied.parquet"))
    assert f"rows that the run of {AS_OF} used are not used any more (100.0%)" in line
    assert "are set aside for no_date, most likely the same (column " in line


def test_a_table_that_has_lost_half_of_its_rows_is_not_scored_with(trained: Trained, capsys: Any) -> None:
    trained.table("events.parquet").iloc[::2].to_parquet(trained.config.with_name("half.parquet"))
    line = refused(trained, capsys, CONFIG.replace("events.parquet", "half.parquet"))
    assert f"rows that the run of {AS_OF} saw are gone (5" in line
    assert "half.parquet: " in line


def test_a_table_without_newer_rows_is_old(trained: Trained, capsys: Any) -> None:
    """No row is gone that the run before saw; but nothing has come since."""
    events = trained.table("events.parquet")
    events[events["lúc"] < AS_OF].to_parquet(trained.config.with_name("old.parquet"))
    config = CONFIG.replace("events.parquet", "old.parquet") + '[limits]\nold_log = "fail"\n'
    line = refused(trained, capsys, config, "2024-10-27")
    assert "old.parquet: the newest row is of 2024-10-19; 7 days up to 2024-10-27 are missing" in line


def test_a_column_of_a_table_that_may_have_been_renamed(trained: Trained, capsys: Any) -> None:
    events = trained.table("events.parquet")
    events.rename(columns={"kênh": "nguồn"}).to_parquet(trained.config.with_name("renamed.parquet"))
    line = refused(trained, capsys, CONFIG.replace("events.parquet", "renamed.parquet"), code=2)
    assert "Then write 'nguồn' in [tables.events]" in line
    trained.table("customers.csv").rename(columns={"điểm": "score"}).to_csv(
        trained.config.with_name("renamed.csv"), index=False
    )
    line = refused(trained, capsys, CONFIG.replace("customers.csv", "renamed.csv"), code=2)
    assert "column 'điểm' (for attribute điểm) is missing among 12 columns, and 'score' is new" in line


def test_values_that_the_model_does_not_know(
    trained: Trained, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "prove_log", lambda *_, **__: None)
    people = trained.table("customers.csv")
    people.assign(came_by=people["came_by"].replace("bạn bè", "giới thiệu")).to_csv(
        trained.config.with_name("new_words.csv"), index=False
    )
    config = CONFIG.replace("customers.csv", "new_words.csv") + '[limits]\nunseen_categories = "fail"\n'
    line = refused(trained, capsys, config)
    assert "values that the model does not tell apart, new ones or written otherwise:" in line
    assert "(acquisition_channel): " in line
    assert "% of the customers, 0% in the training" in line


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop's tables; tests write configs and other tables beside them."""
    return write_shop(tmp_path_factory.mktemp("tables"))


def test_a_table_that_is_missing_in_training_switches_its_family_off(shop: Path) -> None:
    every = {f.name: f.needs for f in visible_features(has=others(shop, CONFIG)[0].has)}
    assert set(ON) - {n for n in ON if n.startswith("attr_")} <= set(every)
    for table in ("events", "contacts", "customers"):
        found, _ = others(shop, without(table))
        left = {f.name for f in visible_features(has=found.has)}
        gone = {name for name, needs in every.items() if any(need.startswith(table) for need in needs)}
        assert every.keys() - left == gone
        assert set(found.rows) == {"events", "contacts", "customers"} - {table}


def test_the_fingerprint_of_a_table_is_that_of_what_is_known(shop: Path) -> None:
    day = date(2024, 7, 1)
    with opened(shop, CONFIG) as (engine, log, _):
        events = log.records.events
        is_later, order = events.day >= day_number(day), ibis.desc("occurred_at")
        later = events.order_by(order).mutate(kind=ibis.ifelse(is_later, "other", events.kind))
        earlier = events.mutate(kind=ibis.ifelse(is_later, events.kind, "other"))
        before, same, other = (
            fingerprints(engine, replace(log.records, events=table), day)
            for table in (events, later, earlier)
        )
    assert same == before
    assert [name for name in before if before[name] != other[name]] == ["events"]


def test_the_arm_of_an_experiment_reaches_no_feature(shop: Path) -> None:
    sent = pd.read_csv(shop.parent / "contacts.csv")
    assert sent["arm"].nunique() == 2
    sent.assign(arm=sent["arm"].map({"treatment": "control"})).to_csv(shop.parent / "arms.csv", index=False)
    names = [f.name for f in visible_features(has={"contacts", "contacts.cost", "contacts.arm"})]
    names = [name for name in names if "contact" in name]
    frames = []
    for config in (CONFIG, CONFIG.replace("contacts.csv", "arms.csv")):
        with opened(shop, config) as (engine, log, _):
            history = make_history(log.records)
            table = build_features(take_snapshot(history, [date.fromisoformat(AS_OF)]), (), names)
            frames.append(engine.frame(table).sort_values("customer_id", ignore_index=True))
    assert (frames[0]["n_contacts"] > 0).mean() > 0.5
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    assert log.records.contacts.columns == ("customer_id", "day", "campaign", "channel", "cost")
    words = set(re.findall(r"\w+", str(ibis.to_sql(table, dialect="duckdb")).lower()))
    assert "cost" in words
    assert not words & {"arm", "campaign", "campaign_id"}


@pytest.mark.parametrize("name", ["bgnbd", "mbgnbd"])
def test_a_model_without_trees_needs_no_other_table(shop: Path, name: str) -> None:
    recipe, until = RECIPES[name], date.fromisoformat(AS_OF)
    with opened(shop, CONFIG) as (engine, log, _):
        config = load_config(shop.with_name("own.toml"))
        schedule = make_schedule(config, log, until)
        panel, btyd = load_panel(engine, log, config, [*schedule.cutoffs, until], until)
        scorer = fit_scorer(panel, btyd, Choice(recipe), schedule, config, log)
    alone = without("customers", without("contacts", without("events")))
    with opened(shop, alone) as (engine, log, _):
        snapshot = take_snapshot(make_history(log.records), [until])
        raw = engine.frame(build_features(snapshot, scorer.horizons, scorer.features))
    known = {f.name: f for f in log.features(scorer.horizons)}
    scored = scorer.score(to_model_frame(raw, [known[name] for name in scorer.features]))
    assert len(scored) == len(raw) > 100
    assert scored["p_purchase_60d"].between(0, 1).all()
    assert all(
        part.model is scorer.btyd.bg for parts in scorer.purchase.parts.values() for part in parts.values()
    )
    rows = to_model_frame(raw, [known[name] for name in scorer.features])
    again = FAMILIES[name]().fit(panel[panel["cutoff"] == pd.Timestamp(until)])
    np.testing.assert_allclose(scored["p_alive"], again.p_alive(rows), rtol=1e-9)
    np.testing.assert_allclose(scored["p_purchase_60d"], again.p_purchase(60, rows), rtol=1e-6)
